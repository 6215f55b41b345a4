// Accepts an access token of the tenant's main client for this server as proof of a person, while their browser session is live. A token of any other client
// must not start a session, or a client with access to a calendar could sign in.

import { forTenant, type TenantDb } from '#db/engine/tenant'
import { findDefaultClient } from '#db/store/clients'
import { findTokenState } from '#db/store/oauth-introspection'
import { findLiveSession } from '#db/store/sessions'
import { findTenant, type Tenant } from '#db/store/tenants'
import { findUser, type User } from '#db/store/users'
import type { RequestCtx } from '#shared/domains/context'
import { AppError } from '#shared/kernel/errors'
import { type AccessClaims, tokenQueryOf, verifyAccessToken } from './access-token.ts'

type Session = NonNullable<Awaited<ReturnType<typeof findLiveSession>>>
export type MainClientSession = {
  readonly t: TenantDb
  readonly user: User
  readonly tenant: Tenant
  readonly session: Session
  readonly claims: AccessClaims
}

const NEEDED = ['openid', 'email']

/** The person consented directly: no actor, and no limits that a session would not have. */
const isUndelegated = ({ delegationId, act, mayAct, details }: AccessClaims): boolean =>
  delegationId === undefined && act === undefined && mayAct === undefined && details.length === 0

/** Checks on the token before any look-up. A bound token cannot be presented in a body, where no proof of its key is possible (RFC 9449 section 7). */
const isForUs = (ctx: Pick<RequestCtx, 'config'>, claims: AccessClaims | undefined): claims is AccessClaims =>
  claims !== undefined &&
  claims.jkt === undefined &&
  claims.audience === ctx.config.BASE_URL &&
  claims.authorizationId !== undefined &&
  isUndelegated(claims) &&
  NEEDED.every((scope) => claims.scopes.includes(scope))

/** @throws AppError invalid_token, for every defect of the token */
export const readMainClientToken = async (ctx: RequestCtx, token: string): Promise<MainClientSession> => {
  const claims = await verifyAccessToken(ctx, token)
  if (!isForUs(ctx, claims)) throw new AppError('invalid_token')
  const [t, now] = [forTenant(ctx.db, claims.tenantId), ctx.clock.now()]
  const refused = new AppError('invalid_token', undefined, { refusal: { tenantId: claims.tenantId, userId: claims.sub, event: 'user.signed_in' } })
  const state = await findTokenState(t, tokenQueryOf(claims, now))
  if (state?.alive !== true || state.userId !== claims.sub || (await findDefaultClient(t))?.id !== claims.clientId) throw refused
  const session = await findLiveSession(t, claims.sub, claims.authentication?.sessionId ?? '', now)
  const [user, tenant] = [await findUser(t, claims.sub), await findTenant(t)]
  if (session === undefined || session.temporaryPassword || user === undefined || tenant === undefined) throw refused
  return { t, user, tenant, session, claims }
}
