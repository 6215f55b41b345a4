// Answers to login and consent challenges. The front end posts an answer and receives a URL with a verifier; the answer is accepted only when the browser that started
// brings that verifier back. One answer per challenge, one use per answer.

import { atomically, forTenant, type TenantDb, type TenantTx } from '#db/engine/tenant'
import {
  type ConsentPrompt,
  consumeAuthorizationRequest,
  findAuthorizationRequest,
  insertAuthorizationRequest,
  type StoredAuthorizationRequest,
} from '#db/store/oauth-authorizations'
import type { RequestCtx } from '#shared/domains/context'
import { secondsAfter } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import type { AuditEntry } from '#shared/platform/audit/audit-log'
import { recordEvent } from '#shared/platform/audit/audit-log'
import { constantTimeEqual } from '#shared/platform/crypto/equal'
import { currentVisit, type Visit } from '#shared/platform/http/pages/visit'
import { newHandle, readHandle } from './handles.ts'
import { ENDPOINTS } from './supported.ts'

/** A browser follows the redirect immediately. */
const ANSWER_SECONDS = 120

export type Step = 'login' | 'consent'
const INVALID = { login: 'login_challenge_invalid', consent: 'consent_challenge_invalid' } as const
export const invalidChallenge = (step: Step): AppError => new AppError(INVALID[step])

type BrowserCtx = Pick<RequestCtx, 'hash' | 'request' | 'random'>
/** What binds a challenge to the current browser, and the cookies that the browser must keep. */
export const browserBinding = (ctx: BrowserCtx): { readonly hash: Uint8Array; readonly remember: Pick<Visit, 'browser'> } => {
  const { browser } = currentVisit(ctx)
  return { hash: ctx.hash('oauth:browser', browser), remember: { browser } }
}

export type Answer = {
  readonly accepts: boolean
  readonly who?: { readonly userId: string; readonly sessionId: string }
  readonly consent?: ConsentPrompt
  readonly event: Omit<AuditEntry, 'event' | 'target'>
}

/** A live challenge that a front end may answer. @throws AppError login_challenge_invalid, consent_challenge_invalid */
export const findChallenge = async (
  ctx: Pick<RequestCtx, 'db' | 'clock'>,
  step: Step,
  text: string,
): Promise<{ readonly t: TenantDb; readonly row: StoredAuthorizationRequest; readonly hash: Uint8Array }> => {
  const handle = readHandle(text)
  if (handle === undefined) throw invalidChallenge(step)
  const t = forTenant(ctx.db, handle.tenantId)
  const row = await findAuthorizationRequest(t, handle.hash, ctx.clock.now(), [step === 'login' ? 'waiting' : 'consent'])
  // A request that our own pages handle is answered there.
  if (row === undefined || row.browserHash === null) throw invalidChallenge(step)
  return { t, row, hash: handle.hash }
}

/**
 * Returns the URL for the browser. Of several concurrent answers exactly one is accepted. Routes that call this emit `oauth.<step>_accepted` or `oauth.<step>_rejected`.
 * @throws AppError login_challenge_invalid, consent_challenge_invalid
 */
export const answerChallenge = async (ctx: RequestCtx, step: Step, text: string, answer: Answer): Promise<string> => {
  const { t, row, hash } = await findChallenge(ctx, step, text)
  const [verifier, now] = [newHandle(ctx, t.tenantId), ctx.clock.now()]
  const outcome = answer.accepts ? 'accepted' : 'rejected'
  await atomically(t, async (tx) => {
    if ((await consumeAuthorizationRequest(tx, hash, now, [row.kind])) === undefined) throw invalidChallenge(step)
    await insertAuthorizationRequest(tx, {
      id: ctx.random.id(),
      kind: `${step}_${outcome}`,
      handleHash: verifier.hash,
      clientId: row.clientId,
      userId: answer.who?.userId ?? row.userId,
      sessionId: answer.who?.sessionId ?? row.sessionId,
      browserHash: row.browserHash,
      consent: answer.consent ?? row.consent,
      parameters: row.parameters,
      // A sign-in after this time counts as a new one.
      createdAt: row.createdAt,
      expiresAt: secondsAfter(now, ANSWER_SECONDS),
    })
    await recordEvent(tx, ctx, { ...answer.event, event: `oauth.${step}_${outcome}`, target: { type: 'client', id: row.clientId } })
  })
  const query = new URLSearchParams({ client_id: row.clientId, [`${step}_verifier`]: verifier.text })
  return `${ctx.config.BASE_URL}${ENDPOINTS.authorization}?${query}`
}

export type ChallengeResult = {
  readonly t: TenantDb
  readonly row: StoredAuthorizationRequest
  readonly accepts: boolean
  readonly take: (tx: TenantTx) => Promise<void>
}

/**
 * The answer that the browser brings back. Another browser's attempt leaves it unused; `take` consumes it in the transaction that uses it.
 * @throws AppError login_challenge_invalid, consent_challenge_invalid
 */
export const readChallengeResult = async (ctx: RequestCtx, step: Step, clientId: string, text: string): Promise<ChallengeResult> => {
  const handle = readHandle(text)
  if (handle === undefined) throw invalidChallenge(step)
  const kinds = [`${step}_accepted`, `${step}_rejected`] as const
  const t = forTenant(ctx.db, handle.tenantId)
  const row = await findAuthorizationRequest(t, handle.hash, ctx.clock.now(), kinds)
  if (row === undefined || row.clientId !== clientId) throw invalidChallenge(step)
  if (row.browserHash === null || !constantTimeEqual(new Uint8Array(row.browserHash), browserBinding(ctx).hash)) {
    throw new AppError(INVALID[step], undefined, { refusal: { tenantId: t.tenantId, clientId: row.clientId, event: 'oauth.authorized' } })
  }
  const take = async (tx: TenantTx): Promise<void> => {
    if ((await consumeAuthorizationRequest(tx, handle.hash, ctx.clock.now(), kinds)) === undefined) throw invalidChallenge(step)
  }
  return { t, row, accepts: row.kind === kinds[0], take }
}
