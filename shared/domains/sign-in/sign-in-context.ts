// Where a person signs in: the client or tenant that the link names, else the tenant of the browser's domain, else the platform, for administrators.

import { directory, forTenant, SYSTEM_TENANT, type TenantId } from '#db/engine/tenant'
import { findDefaultClient } from '#db/store/clients'
import { findTenantByDomain } from '#db/store/domains'
import { findApplication } from '#shared/domains/clients/application'
import type { RequestCtx } from '#shared/domains/context'
import { AppError } from '#shared/kernel/errors'
import { withPageOrigin } from '#shared/platform/http/pages/form'
import type { User } from '#shared/platform/principals/principal'
import { namedDomain, tenantOfOrigin } from './choose-tenant.ts'
import type { SignInContextRequest } from './sign-in-context.schema.ts'

/** `nowhere`: the link names an unknown client or tenant; a sign-in is refused as with a wrong password. */
export type SignInContext =
  | { readonly kind: 'tenant'; readonly tenantId: TenantId; readonly clientId: string | undefined }
  | { readonly kind: 'platform' }
  | { readonly kind: 'nowhere' }

const doorOfTenant = async (ctx: RequestCtx, tenantId: TenantId | undefined): Promise<SignInContext> =>
  tenantId === undefined ? { kind: 'nowhere' } : { kind: 'tenant', tenantId, clientId: (await findDefaultClient(forTenant(ctx.db, tenantId)))?.id }

const doorOfClient = async (ctx: RequestCtx, clientId: string): Promise<SignInContext> => {
  try {
    return { kind: 'tenant', ...(await findApplication(ctx, clientId)) }
  } catch (error) {
    if (error instanceof AppError && error.code === 'invalid_client') return { kind: 'nowhere' }
    throw error
  }
}

export const findSignInContext = async (ctx: RequestCtx, contextRequest: SignInContextRequest): Promise<SignInContext> => {
  if (contextRequest.client_id !== undefined) return doorOfClient(ctx, contextRequest.client_id)
  const named = namedDomain(withPageOrigin(ctx), contextRequest.tenant)
  if (named !== undefined) return doorOfTenant(ctx, await findTenantByDomain(directory(ctx.db), named))
  const ofHost = await tenantOfOrigin(withPageOrigin(ctx))
  return ofHost === undefined ? { kind: 'platform' } : doorOfTenant(ctx, ofHost)
}

/** The sign-in context of the signed-in person. */
export const signInContextOfUser = ({ tenantId, clientId }: Pick<User, 'tenantId' | 'clientId'>): SignInContext =>
  tenantId === SYSTEM_TENANT ? { kind: 'platform' } : { kind: 'tenant', tenantId, clientId }

export const signInContextTenant = (signInContext: SignInContext): TenantId | undefined =>
  signInContext.kind === 'tenant' ? signInContext.tenantId : undefined

/** The path with the parameters of the context, so that every step keeps it. */
export const withSignInContext = (path: string, contextRequest: SignInContextRequest): string => {
  const { tenant, client_id, return_to } = contextRequest
  const query = new URLSearchParams(
    Object.entries({ tenant, client_id, return_to }).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
  return query.size === 0 ? path : `${path}?${query}`
}
