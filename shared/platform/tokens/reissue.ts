// Reissues the token of an existing session; the new token ends with the same session.

import type { TenantDb } from '#db/engine/tenant'
import { findLiveRoleNames } from '#db/store/bindings'
import type { Session } from '#db/store/sessions'
import type { Tenant } from '#db/store/tenants'
import type { User } from '#db/store/users'
import type { PlatformRequestCtx } from '#shared/platform/context'
import { issueSessionToken } from './session-token.ts'

export type SessionState = { readonly t: TenantDb; readonly user: User; readonly tenant: Tenant; readonly session: Session }

/** Routes that call this record `token.reissued`. */
export const reissueSessionToken = async (
  ctx: PlatformRequestCtx,
  { t, user, tenant, session }: SessionState,
  clientId: string | undefined,
): Promise<{ readonly token: string; readonly expiresInSeconds: number }> => {
  const issued = await issueSessionToken(ctx, {
    tenantId: t.tenantId,
    userId: user.id,
    sessionId: session.id,
    tokenId: session.tokenId,
    email: user.email,
    projectId: user.projectId ?? '',
    clientId: session.clientId ?? clientId,
    tenantDomain: tenant.domain,
    scopes: [],
    roles: await findLiveRoleNames(t, user.id, ctx.clock.now()),
    authTime: session.authTime,
    amr: session.amr,
    acr: session.acr,
    expiresAt: session.expiresAt,
  })
  return { token: issued.token, expiresInSeconds: Math.floor((issued.expiresAt.getTime() - issued.issuedAt.getTime()) / 1000) }
}
