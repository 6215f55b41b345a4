// Clients as the end users' side registers and lists them; the permission is that of the client management.
import type * as z from 'zod'
import { forTenant } from '#db/engine/tenant'
import { createClient, findPage, registered } from '#shared/domains/administration/clients'
import {
  type CreatedClient,
  NewClient,
  type RegisterClient,
  type UserClients,
  type UserClientsQuery,
} from '#shared/domains/administration/clients.schema'
import { pageOf, pageReply } from '#shared/domains/administration/page'
import { actingTenant } from '#shared/domains/authority/acting'
import type { Sent } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'

type Asked = Omit<z.output<typeof UserClientsQuery>, 'cursor'> & { readonly cursor?: string | undefined }
const NEWEST_FIRST = '-created_at'

/** @throws AppError not_found (project), quota_exceeded */
export const registerClient = (ctx: Ctx, caller: User, body: z.output<typeof RegisterClient>): Promise<z.input<typeof CreatedClient>> =>
  createClient(ctx, caller, actingTenant(caller, body.tenant_id), NewClient.parse(body))

/** A page of the tenant's clients, newest first, without any secret; where it goes on stands in the Link header. */
export const showClients = async (
  ctx: Ctx,
  caller: User,
  { page: number, tenant_id: named, ...asked }: Asked,
): Promise<Sent<z.input<typeof UserClients>>> => {
  const filter = {
    ...(asked.client_id === undefined ? {} : { clientId: asked.client_id }),
    ...(asked.active === undefined ? {} : { active: asked.active }),
  }
  const page = pageOf<'created_at'>(asked, NEWEST_FIRST)
  const { rows, total } = await findPage(forTenant(ctx.db, actingTenant(caller, named)), { filter, page, number, limit: asked.limit })
  return pageReply(
    asked,
    NEWEST_FIRST,
    rows,
    (row) => row.createdAt,
    (shown) => ({ clients: shown.map(registered), total, page: number, limit: asked.limit, totalPages: Math.ceil(total / asked.limit) }),
  )
}
