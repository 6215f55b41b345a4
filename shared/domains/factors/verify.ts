// Effects of a verified factor on a login transaction or a session.

import type { TenantTx } from '#db/engine/tenant'
import { findLiveRoleNames } from '#db/store/bindings'
import { claimFactorTry, type Factor } from '#db/store/factors'
import { addVerifiedMethod } from '#db/store/login-transactions'
import { findLiveSession, renewSession } from '#db/store/sessions'
import { findTenant } from '#db/store/tenants'
import type { User as UserRow } from '#db/store/users'
import type { RequestCtx } from '#shared/domains/context'
import { notify } from '#shared/domains/notifications/notify'
import { AppError, type ErrorCode } from '#shared/kernel/errors'
import { byAnonymous, byUser, recordEvent } from '#shared/platform/audit/audit-log'
import type { User } from '#shared/platform/principals/principal'
import { acrOf } from '#shared/platform/tokens/acr'
import { issueSessionToken, type SessionGrant } from '#shared/platform/tokens/session-token'
import { authenticationRequired, type FactorContext, factorContextActor, loginTransactionHash } from './factor-context.ts'
import { FACTOR_PAUSE } from './policy.ts'

export const FACTOR_VERIFIED_EVENT = 'factor.verified'

/** What was proved: the factor (a password has none) and its RFC 8176 values. */
export type FactorProof = { readonly factorId?: string; readonly kind: Factor['kind'] | 'backup_code' | 'password'; readonly amr: readonly string[] }

/** A refusal with the factor's owner for the audit log. */
export const factorProofError = (code: ErrorCode, tenantId: string, userId: string, extra?: Readonly<Record<string, unknown>>): AppError =>
  new AppError(code, undefined, { refusal: { tenantId, userId, event: FACTOR_VERIFIED_EVENT }, ...(extra === undefined ? {} : { extra }) })

/**
 * Counts a try and returns the factors that may be compared; none when the person has none or all are paused. The owner is notified of the try that pauses.
 * Routes that call this emit `factor.paused`.
 */
export const claimFactorAttempt = async (
  t: TenantTx,
  ctx: RequestCtx,
  user: Pick<UserRow, 'id' | 'email'>,
  which: Parameters<typeof claimFactorTry>[2],
  pause = FACTOR_PAUSE as { readonly tries: number; readonly seconds: number },
): Promise<readonly Factor[]> => claimFactorTry(t, user.id, which, ctx.clock.now(), pause)

/** Notifies the owner when a wrong try paused a factor. Call in the transaction that keeps the count. */
export const notifyPausedFactors = async (
  t: TenantTx,
  ctx: RequestCtx,
  user: Pick<UserRow, 'id' | 'email'>,
  tried: readonly Factor[],
): Promise<void> => {
  for (const { id, kind, pausedUntil } of tried) {
    if (pausedUntil === null) continue
    const after = { kind, until: pausedUntil.toISOString() }
    await recordEvent(t, ctx, { event: 'factor.paused', actor: byAnonymous, target: { type: 'factor', id }, subjectId: user.id, after })
    await notify(t, ctx, { to: user.email, subjectId: user.id, template: 'factor_paused', data: { kind, until: pausedUntil } })
  }
}

/** The seconds until the first factor is usable; undefined unless all are paused. */
export const pauseSeconds = (ctx: Pick<RequestCtx, 'clock'>, factors: readonly Pick<Factor, 'pausedUntil'>[]): number | undefined => {
  const now = ctx.clock.now()
  const until = factors.map(({ pausedUntil }) => pausedUntil).filter((at) => at !== null && at > now) as Date[]
  if (factors.length === 0 || until.length < factors.length) return undefined
  return Math.ceil((Math.min(...until.map((at) => at.getTime())) - now.getTime()) / 1000)
}

/** A session that proved more; `renewedToken` signs its token after the commit. */
export type SessionRenewal = SessionGrant

const renew = async (t: TenantTx, ctx: RequestCtx, user: UserRow, caller: User, proof: FactorProof): Promise<SessionRenewal> => {
  const now = ctx.clock.now()
  const session = await findLiveSession(t, user.id, caller.sessionId, now)
  const tenant = await findTenant(t)
  const amr = [...new Set([...(session?.amr ?? []), ...proof.amr])].toSorted()
  const renewed = { tokenId: ctx.random.id(), amr, acr: acrOf(amr), authTime: now }
  if (session === undefined || tenant === undefined || !(await renewSession(t, user.id, session.id, caller.tokenId, renewed))) {
    throw authenticationRequired(FACTOR_VERIFIED_EVENT, { tenantId: t.tenantId, userId: user.id })
  }
  await recordEvent(t, ctx, {
    event: 'session.stepped_up',
    actor: byUser(caller),
    target: { type: 'session', id: session.id },
    before: { amr: session.amr, acr: session.acr },
    after: { amr, acr: renewed.acr },
  })
  return {
    tenantId: t.tenantId,
    userId: user.id,
    email: user.email,
    projectId: user.projectId ?? '',
    clientId: session.clientId ?? undefined,
    tenantDomain: tenant.domain,
    sessionId: session.id,
    ...renewed,
    scopes: [],
    roles: await findLiveRoleNames(t, user.id, now),
    expiresAt: session.expiresAt,
  }
}

/**
 * Records a proof: a login transaction gains a verified factor; a session gets a new `auth_time`, the added factor and a new token. Call it with the person's
 * row locked (`lockUser`), in the transaction that consumed the proof, so that a proof without effect is not consumed.
 * Routes that call this emit `factor.verified`, `session.stepped_up`.
 * @throws AppError authentication_required when the session or login transaction has ended
 */
export const acceptProof = async (
  t: TenantTx,
  ctx: RequestCtx,
  factorContext: FactorContext,
  proof: FactorProof,
): Promise<SessionRenewal | undefined> => {
  const { user, by } = factorContext
  if (by.kind === 'login_transaction' && !(await addVerifiedMethod(t, loginTransactionHash(ctx, by), proof.amr, ctx.clock.now()))) {
    throw authenticationRequired(FACTOR_VERIFIED_EVENT, { tenantId: t.tenantId, userId: user.id })
  }
  await recordEvent(t, ctx, {
    event: FACTOR_VERIFIED_EVENT,
    actor: factorContextActor(factorContext),
    target: { type: 'factor', id: proof.factorId ?? user.id },
    subjectId: user.id,
    after: { kind: proof.kind, amr: proof.amr },
  })
  return by.kind === 'session' ? renew(t, ctx, user, by.caller, proof) : undefined
}

export type RenewedToken = {
  readonly access_token: string
  readonly token_type: 'Bearer'
  readonly expires_in: number
  readonly amr: readonly string[]
  readonly acr: string
}

/** The token of a renewed session. Call it outside a transaction. */
export const renewedToken = async (ctx: RequestCtx, renewal: SessionRenewal): Promise<RenewedToken> => {
  const { token, issuedAt, expiresAt } = await issueSessionToken(ctx, renewal)
  const expires_in = Math.floor((expiresAt.getTime() - issuedAt.getTime()) / 1000)
  return { access_token: token, token_type: 'Bearer', expires_in, amr: renewal.amr, acr: renewal.acr }
}
