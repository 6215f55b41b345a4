// Registers and lists clients for the end-user API, under the permissions of client management.
import type * as z from 'zod'
import { forTenant } from '#db/engine/tenant'
import { createClient, findClientPage, toRegisteredClient } from '#shared/domains/administration/clients'
import {
  type CreatedClient,
  NewClient,
  type RegisterClient,
  type UserClients,
  type UserClientsQuery,
} from '#shared/domains/administration/clients.schema'
import { pageReply, toPage } from '#shared/domains/administration/page'
import { actingTenant } from '#shared/domains/authority/acting-tenant'
import type { HttpResult } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'

type Input = Omit<z.output<typeof UserClientsQuery>, 'cursor'> & { readonly cursor?: string | undefined }
const NEWEST_FIRST = '-created_at'

/** @throws AppError not_found (project), quota_exceeded */
export const registerClient = (ctx: Ctx, caller: User, body: z.output<typeof RegisterClient>): Promise<z.input<typeof CreatedClient>> =>
  createClient(ctx, caller, actingTenant(caller, body.tenant_id), NewClient.parse(body))

/** Returns a page of the tenant's clients, newest first, without secrets. The Link header has the next page. */
export const showClients = async (
  ctx: Ctx,
  caller: User,
  { page: number, tenant_id: named, ...request }: Input,
): Promise<HttpResult<z.input<typeof UserClients>>> => {
  const filter = {
    ...(request.client_id === undefined ? {} : { clientId: request.client_id }),
    ...(request.active === undefined ? {} : { active: request.active }),
  }
  const page = toPage<'created_at'>(request, NEWEST_FIRST)
  const { rows, total } = await findClientPage(forTenant(ctx.db, actingTenant(caller, named)), { filter, page, number, limit: request.limit })
  return pageReply(
    request,
    NEWEST_FIRST,
    rows,
    (row) => row.createdAt,
    (shown) => ({ clients: shown.map(toRegisteredClient), total, page: number, limit: request.limit, totalPages: Math.ceil(total / request.limit) }),
  )
}
