// Who may add a factor, and adding it. Whoever adds one can come in with it for ever after, so knowing an address or a password is not enough.

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
/** Where the mailbox is proved: `POST` sends a code, `POST …/confirm` takes it. */
export const MAILBOX_PROOF_PATH = '/account/mailbox-proof'

const EVENT = 'factor.added'

/** The moment at which the mailbox was last proved, as far as this person and this transaction know. */
const mailboxProvedAt = ({ user, by }: FactorContext): Date | undefined => {
  const times = [user.emailVerifiedAt, by.kind === 'ticket' ? by.loginTransaction.mailboxProvedAt : null].filter((at) => at !== null)
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

/** Another factor needs one that the person has: a session of a password alone adds none beside it. */
const requireStrength = (session: Pick<User, 'acr'>, factors: readonly Factor[]): void => {
  if (factors.length > 0 && session.acr === 'aal1') throw stepUpNeeded({ acr: 'aal2', withinSeconds: STEP_UP_SECONDS })
}

/**
 * Who may enrol a factor now: a person with a recent session, or with a live login ticket and no factor yet. Where one is required and none is there, the
 * mailbox must have been proved within the hour, so that a stolen password does not enrol the thief's factor.
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
  /** RFC 8176 names of what the confirmation proved. */
  readonly amr: readonly string[]
  /** Writes what belongs to the kind: a seed, a phone, a public key. */
  readonly store: (t: TenantTx) => Promise<void>
  /** A new set, already hashed. */
  readonly backupCodes?: readonly NewBackupCode[]
}

/** The session as it stands in the store now, or the ticket, still allows it. Holds the person's row. */
const holdEnroller = async (t: TenantTx, ctx: RequestCtx, factorContext: FactorContext): Promise<readonly Factor[]> => {
  const { user, by } = factorContext
  const now = ctx.clock.now()
  const refused = authenticationRequired(EVENT, { tenantId: t.tenantId, userId: user.id })
  const held = await lockUser(t, user.id)
  if (held === undefined || !held.active || held.deletedAt !== null || held.validFrom.getTime() !== user.validFrom.getTime()) throw refused
  const factors = await findFactors(t, user.id)
  if (by.kind === 'ticket') {
    if (factors.length > 0) throw refused
    return factors
  }
  const session = await findLiveSession(t, user.id, by.caller.sessionId, now)
  if (session === undefined) throw refused
  requireStrength(session, factors)
  return factors
}

const tell = async (t: TenantTx, ctx: RequestCtx, user: UserRow, actor: Actor, factor: VerifiedFactor): Promise<void> => {
  const { id, kind, name } = factor
  await recordEvent(t, ctx, { event: EVENT, actor, target: { type: 'factor', id }, subjectId: user.id, after: { kind, name } })
  await notify(t, ctx, { to: user.email, subjectId: user.id, template: 'factor_added', data: { kind, name } })
}

/**
 * Adds a factor that was just proved, inside the caller's transaction; call `ctx.wakeOutbox()` once that has committed. In a login transaction the proof
 * counts as a verified factor. With the first factor every other session of the person ends: they were begun with less.
 * Routes that call this emit `factor.added`.
 * @throws AppError authentication_required, insufficient_user_authentication, factor_limit
 */
export const enrolFactor = async (t: TenantTx, ctx: RequestCtx, factorContext: FactorContext, factor: VerifiedFactor): Promise<void> => {
  const { user, by } = factorContext
  const now = ctx.clock.now()
  const factors = await holdEnroller(t, ctx, factorContext)
  if (factors.length >= MAX_FACTORS) throw new AppError('factor_limit')
  const first = factors.length === 0
  await insertFactor(t, { id: factor.id, userId: user.id, kind: factor.kind, name: factor.name, isPrimary: first, confirmedAt: now, createdAt: now })
  await factor.store(t)
  if (factor.backupCodes !== undefined) await replaceBackupCodes(t, user.id, factor.backupCodes)
  if (by.kind === 'ticket' && !(await addVerifiedMethod(t, loginTransactionHash(ctx, by), factor.amr, now))) {
    throw authenticationRequired(EVENT, { tenantId: t.tenantId, userId: user.id })
  }
  if (first) await revokeSessions(t, user.id, now, 'factor_added', by.kind === 'session' ? by.caller.sessionId : undefined)
  await tell(t, ctx, user, factorContextActor(factorContext), factor)
}
