// Enrolling a factor. A factor signs in from then on, so knowing the address or the password is not enough to add one.

import { forTenant, type TenantTx } from '#db/engine/tenant'
import type { NewBackupCode } from '#db/store/backup-codes'
import { replaceBackupCodes } from '#db/store/backup-codes'
import { type Factor, findFactors, insertFactor } from '#db/store/factors'
import { addVerifiedMethod } from '#db/store/login-transactions'
import { findLiveSession, revokeSessions } from '#db/store/sessions'
import { findTenant } from '#db/store/tenants'
import { lockUser, type User as UserRow } from '#db/store/users'
import type { RequestCtx } from '#shared/domains/context'
import { notify } from '#shared/domains/notifications/notify'
import { secondsAfter } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import { type Actor, recordEvent } from '#shared/platform/audit/audit-log'
import { requireStepUp, stepUpNeeded } from '#shared/platform/http/step-up'
import type { User } from '#shared/platform/principals/principal'
import {
  authenticationRequired,
  type ClaimedIdentity,
  type FactorContext,
  factorContextActor,
  loadFactorContext,
  loginTransactionHash,
} from './factor-context.ts'
import { MAX_FACTORS, mustHaveFactor } from './policy.ts'
import { STEP_UP_SECONDS } from './step-up-age.ts'

/** How long a proof of the mailbox counts for a first factor. */
const MAILBOX_SECONDS = 3600
/** Where the mailbox is proved: `POST` sends a code, `POST …/confirm` accepts it. */
export const MAILBOX_PROOF_PATH = '/account/mailbox-proof'

const EVENT = 'factor.added'

/** When the mailbox was last proved, by the account or this login transaction. */
const mailboxProvedAt = ({ user, by }: FactorContext): Date | undefined => {
  const times = [user.emailVerifiedAt, by.kind === 'login_transaction' ? by.loginTransaction.mailboxProvedAt : null].filter((at) => at !== null)
  return times.length === 0 ? undefined : new Date(Math.max(...times.map((at) => at.getTime())))
}

const requireMailbox = (ctx: Pick<RequestCtx, 'clock'>, factorContext: FactorContext): void => {
  const at = mailboxProvedAt(factorContext)
  if (at !== undefined && secondsAfter(at, MAILBOX_SECONDS) >= ctx.clock.now()) return
  throw new AppError('mailbox_proof_required', undefined, {
    refusal: { tenantId: factorContext.tenantId, userId: factorContext.user.id, event: EVENT },
    extra: { next_step: 'prove_mailbox', next: MAILBOX_PROOF_PATH },
  })
}

/** A further factor needs a session that used an existing one. */
const requireStrength = (session: Pick<User, 'acr'>, factors: readonly Factor[]): void => {
  if (factors.length > 0 && session.acr === 'aal1') throw stepUpNeeded({ acr: 'aal2', withinSeconds: STEP_UP_SECONDS })
}

/**
 * The person who may enrol a factor now: one with a recent session, or with a login transaction and no factor yet. Where a factor is required and none exists,
 * the mailbox must have been proved within the hour, so that an attacker with a stolen password cannot enrol a factor.
 * @throws AppError authentication_required, insufficient_user_authentication, mailbox_proof_required
 */
export const loadEnrolmentContext = async (ctx: RequestCtx, caller: User | undefined, claimed: ClaimedIdentity): Promise<FactorContext> => {
  const factorContext = await loadFactorContext(ctx, caller, claimed, EVENT)
  const t = forTenant(ctx.db, factorContext.tenantId)
  if (factorContext.by.kind === 'session') requireStepUp(ctx, factorContext.by.caller, { withinSeconds: STEP_UP_SECONDS })
  const factors = await findFactors(t, factorContext.user.id)
  if (factorContext.by.kind === 'session') requireStrength(factorContext.by.caller, factors)
  else if (factors.length > 0) throw authenticationRequired(EVENT, { tenantId: factorContext.tenantId, userId: factorContext.user.id })
  if (factors.length === 0 && (await mustHaveFactor(t, ctx, factorContext.user, await findTenant(t)))) requireMailbox(ctx, factorContext)
  return factorContext
}

export type VerifiedFactor = {
  readonly id: string
  readonly kind: Factor['kind']
  readonly name: string
  /** RFC 8176 values that the confirmation proved. */
  readonly amr: readonly string[]
  /** Stores the data of the kind: a seed, a phone number or a public key. */
  readonly store: (t: TenantTx) => Promise<void>
  /** A new set of hashed codes. */
  readonly backupCodes?: readonly NewBackupCode[]
}

/** Locks the person's row and checks that the session or login transaction still allows enrolment. */
const lockEnroller = async (t: TenantTx, ctx: RequestCtx, factorContext: FactorContext): Promise<readonly Factor[]> => {
  const { user, by } = factorContext
  const now = ctx.clock.now()
  const refused = authenticationRequired(EVENT, { tenantId: t.tenantId, userId: user.id })
  const held = await lockUser(t, user.id)
  if (held === undefined || !held.active || held.deletedAt !== null || held.validFrom.getTime() !== user.validFrom.getTime()) throw refused
  const factors = await findFactors(t, user.id)
  if (by.kind === 'login_transaction') {
    if (factors.length > 0) throw refused
    return factors
  }
  const session = await findLiveSession(t, user.id, by.caller.sessionId, now)
  if (session === undefined) throw refused
  requireStrength(session, factors)
  return factors
}

const announce = async (t: TenantTx, ctx: RequestCtx, user: UserRow, actor: Actor, factor: VerifiedFactor): Promise<void> => {
  const { id, kind, name } = factor
  await recordEvent(t, ctx, { event: EVENT, actor, target: { type: 'factor', id }, subjectId: user.id, after: { kind, name } })
  await notify(t, ctx, { to: user.email, subjectId: user.id, template: 'factor_added', data: { kind, name } })
}

/**
 * Adds a proven factor in the caller's transaction; call `ctx.wakeOutbox()` after the commit. In a login transaction the proof counts as a verified factor. With
 * the first factor every other session of the person ends, because it started with less.
 * Routes that call this emit `factor.added`.
 * @throws AppError authentication_required, insufficient_user_authentication, factor_limit
 */
export const enrolFactor = async (t: TenantTx, ctx: RequestCtx, factorContext: FactorContext, factor: VerifiedFactor): Promise<void> => {
  const { user, by } = factorContext
  const now = ctx.clock.now()
  const factors = await lockEnroller(t, ctx, factorContext)
  if (factors.length >= MAX_FACTORS) throw new AppError('factor_limit')
  const first = factors.length === 0
  await insertFactor(t, { id: factor.id, userId: user.id, kind: factor.kind, name: factor.name, isPrimary: first, confirmedAt: now, createdAt: now })
  await factor.store(t)
  if (factor.backupCodes !== undefined) await replaceBackupCodes(t, user.id, factor.backupCodes)
  if (by.kind === 'login_transaction' && !(await addVerifiedMethod(t, loginTransactionHash(ctx, by), factor.amr, now))) {
    throw authenticationRequired(EVENT, { tenantId: t.tenantId, userId: user.id })
  }
  if (first) await revokeSessions(t, user.id, now, 'factor_added', by.kind === 'session' ? by.caller.sessionId : undefined)
  await announce(t, ctx, user, factorContextActor(factorContext), factor)
}
