// At whose door somebody stands: the client or company that the link names, else the company whose own domain the browser is on, else the platform's, where
// administrators come in.

import { directory, forTenant, SYSTEM_TENANT, type TenantId } from '#db/engine/tenant'
import { findDefaultClient } from '#db/store/clients'
import { findTenantByDomain } from '#db/store/domains'
import { doorOf } from '#shared/domains/clients/application'
import type { RequestCtx } from '#shared/domains/context'
import { AppError } from '#shared/kernel/errors'
import { onPage } from '#shared/platform/http/pages/form'
import type { User } from '#shared/platform/principals/principal'
import { fullDomain, isPlatformDomain, tenantOfOrigin } from './choose-tenant.ts'
import type { DoorAsked } from './sign-in-context.schema.ts'

/** `nowhere`: the link names what is not there; whoever signs in is refused as with a wrong password. */
export type PageDoor =
  | { readonly kind: 'tenant'; readonly tenantId: TenantId; readonly clientId: string | undefined }
  | { readonly kind: 'platform' }
  | { readonly kind: 'nowhere' }

const doorOfTenant = async (ctx: RequestCtx, tenantId: TenantId | undefined): Promise<PageDoor> =>
  tenantId === undefined ? { kind: 'nowhere' } : { kind: 'tenant', tenantId, clientId: (await findDefaultClient(forTenant(ctx.db, tenantId)))?.id }

const doorOfClient = async (ctx: RequestCtx, clientId: string): Promise<PageDoor> => {
  try {
    return { kind: 'tenant', ...(await doorOf(ctx, clientId)) }
  } catch (error) {
    if (error instanceof AppError && error.code === 'invalid_client') return { kind: 'nowhere' }
    throw error
  }
}

export const findDoor = async (ctx: RequestCtx, asked: DoorAsked): Promise<PageDoor> => {
  if (asked.client_id !== undefined) return doorOfClient(ctx, asked.client_id)
  const named = asked.tenant === undefined ? undefined : fullDomain(ctx.config, asked.tenant)
  if (named !== undefined && !isPlatformDomain(ctx.config, named)) {
    return doorOfTenant(ctx, await findTenantByDomain(directory(ctx.db), named))
  }
  const ofHost = await tenantOfOrigin(onPage(ctx))
  return ofHost === undefined ? { kind: 'platform' } : doorOfTenant(ctx, ofHost)
}

/** The door of who is signed in. */
export const doorOfUser = ({ tenantId, clientId }: Pick<User, 'tenantId' | 'clientId'>): PageDoor =>
  tenantId === SYSTEM_TENANT ? { kind: 'platform' } : { kind: 'tenant', tenantId, clientId }

export const tenantAt = (door: PageDoor): TenantId | undefined => (door.kind === 'tenant' ? door.tenantId : undefined)

/** The path with what the link named, so that every step stays at the same door. */
export const at = (path: string, asked: DoorAsked): string => {
  const { tenant, client_id, return_to } = asked
  const query = new URLSearchParams(
    Object.entries({ tenant, client_id, return_to }).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
  return query.size === 0 ? path : `${path}?${query}`
}
