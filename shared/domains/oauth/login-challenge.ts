// A login challenge names an authorization request that waits for a sign-in at a company's own front end.

import { forTenant, type TenantId } from '#db/engine/tenant'
import { findAuthorizationRequest } from '#db/store/oauth-authorizations'
import type { RequestCtx } from '#shared/domains/context'
import { AppError } from '#shared/kernel/errors'
import { byAnonymous } from '#shared/platform/audit/audit-log'
import { stepUpNeeded } from '#shared/platform/http/step-up'
import { ACR } from '#shared/platform/tokens/acr'
import { answerChallenge, findChallenge } from './challenge-answer.ts'
import { readHandle } from './handles.ts'
import { assessSignIn, type RequestedSignIn, requestedSignIn } from './sign-in-requirement.ts'
import { REQUEST_URI } from './supported.ts'

export type LoginChallenge = {
  /** Only the handle. */
  readonly text: string
  readonly tenantId: TenantId
  readonly clientId: string
  /** The parameters of the client's request. */
  readonly parameters: Readonly<Record<string, string>>
}

/** The handle of the pending request, alone or as its `request_uri`. Undefined if it is malformed, expired or answered. */
export const findLoginChallenge = async (ctx: Pick<RequestCtx, 'db' | 'clock'>, text: string): Promise<LoginChallenge | undefined> => {
  const alone = text.startsWith(REQUEST_URI) ? text.slice(REQUEST_URI.length) : text
  const handle = readHandle(alone)
  if (handle === undefined) return undefined
  const found = await findAuthorizationRequest(forTenant(ctx.db, handle.tenantId), handle.hash, ctx.clock.now(), ['waiting'])
  return found === undefined ? undefined : { text: alone, tenantId: handle.tenantId, clientId: found.clientId, parameters: found.parameters }
}

/** The signed-in person, proved by their session. */
export type SignedIn = {
  readonly tenantId: TenantId
  readonly userId: string
  readonly sessionId: string
  readonly authTime: Date
  readonly acr: string
}

/** An unknown acr cannot be met: the client learns that. @throws AppError insufficient_user_authentication */
const requireAsked = (ctx: Pick<RequestCtx, 'clock'>, requested: RequestedSignIn, who: SignedIn, waitingSince: Date): void => {
  const { isOld, isStrong } = assessSignIn(requested, who, waitingSince, ctx.clock.now())
  const acr = isStrong ? undefined : ACR.find((known) => requested.acrValues.includes(known))
  if (isOld || acr !== undefined) throw stepUpNeeded({ ...(isOld ? { withinSeconds: 0 } : {}), ...(acr === undefined ? {} : { acr }) })
}

/**
 * Accepts the sign-in of a person, whom a live session proves. Returns the URL at which the browser continues.
 * Routes that call this emit `oauth.login_accepted`.
 * @throws AppError login_challenge_invalid, tenant_mismatch, insufficient_user_authentication
 */
export const acceptLogin = async (ctx: RequestCtx, who: SignedIn, text: string): Promise<{ redirectTo: string; clientId: string }> => {
  // Before any look-up, so that the answer does not disclose whether another company has it.
  const named = readHandle(text)?.tenantId
  if (named !== undefined && named !== who.tenantId) throw new AppError('tenant_mismatch')
  const { row } = await findChallenge(ctx, 'login', text)
  requireAsked(ctx, requestedSignIn(row.parameters), who, row.createdAt)
  const { userId, sessionId } = who
  const actor = { type: 'user', id: userId, sessionId } as const
  const redirectTo = await answerChallenge(ctx, 'login', text, { accepts: true, who: { userId, sessionId }, event: { actor } })
  return { redirectTo, clientId: row.clientId }
}

/** Rejects the request; the client is informed. Routes that call this emit `oauth.login_rejected`. @throws AppError login_challenge_invalid */
export const rejectLogin = (ctx: RequestCtx, text: string): Promise<string> =>
  answerChallenge(ctx, 'login', text, { accepts: false, event: { actor: byAnonymous } })
