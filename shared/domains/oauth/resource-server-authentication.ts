// A resource server authenticates itself by HTTP Basic: its id, and the secret for introspection.

import { asTenantId, forTenant, type TenantDb, type TenantId } from '#db/engine/tenant'
import { findIntrospectionCaller, type IntrospectionCaller } from '#db/store/oauth-introspection'
import type { RequestCtx } from '#shared/domains/context'
import { AppError } from '#shared/kernel/errors'
import { isUuid, splitHandle } from '#shared/kernel/ids'
import { constantTimeEqual } from '#shared/platform/crypto/equal'
import { sha256 } from '#shared/platform/crypto/sha256'
import { basicCredentials, clientAuthenticationFailed } from '#shared/platform/http/basic-auth'
import { addressKey, anonymousLimitEntry } from '#shared/platform/http/guard'

type Deps = Pick<RequestCtx, 'db' | 'hash' | 'limits' | 'request'>
const MOST_FAILURES = 60

export type ServerCredentials = { readonly tenantId: TenantId; readonly id: string; readonly secret: string }

/** A resource server's secret begins with its tenant, so nothing has to be looked up without one. */
export const serverCredentials = (ctx: Pick<Deps, 'request'>): ServerCredentials | undefined => {
  const presented = basicCredentials(ctx.request)
  const tenantId = presented instanceof AppError ? undefined : splitHandle(presented.secret)?.id
  if (presented instanceof AppError || tenantId === undefined || !isUuid(presented.clientId)) return undefined
  return { tenantId: asTenantId(tenantId), id: presented.clientId, secret: presented.secret }
}

/** @throws AppError rate_limited */
export const resourceServerRefused = async (ctx: Deps): Promise<AppError> => {
  const key = `oauth-asker-failed:${addressKey(ctx, ctx.request.address)}`
  await ctx.limits.check([{ key, windowSeconds: 60, max: MOST_FAILURES, guardsCredential: true }, anonymousLimitEntry(ctx, ctx.request)])
  return clientAuthenticationFailed()
}

export const isThatServer = (caller: IntrospectionCaller | undefined, { secret }: ServerCredentials): boolean =>
  caller?.active === true && constantTimeEqual(sha256(secret), caller.introspectionHash)

/** Authenticates the resource server that calls. @throws AppError client_authentication_failed, rate_limited */
export const authenticateResourceServer = async (
  ctx: Deps,
): Promise<{ readonly t: TenantDb; readonly caller: IntrospectionCaller; readonly id: string }> => {
  const presented = serverCredentials(ctx)
  if (presented === undefined) throw await resourceServerRefused(ctx)
  const t = forTenant(ctx.db, presented.tenantId)
  const caller = await findIntrospectionCaller(t, presented.id)
  if (caller === undefined || !isThatServer(caller, presented)) throw await resourceServerRefused(ctx)
  return { t, caller, id: presented.id }
}
