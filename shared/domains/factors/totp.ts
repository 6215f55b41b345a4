// Authenticator apps: enrolled with a seed kept on the server, verified with one counter per factor and each time step once.
import * as z from 'zod'
import { atomically, forTenant, type TenantDb, type TenantTx } from '#db/engine/tenant'
import { claimEnrolmentTry, consumeEnrolment, type EnrolmentKey, findEnrolment, type PendingEnrolment, putEnrolment } from '#db/store/enrolments'
import { type Factor, findFactors, markFactorUsed } from '#db/store/factors'
import { findTenant } from '#db/store/tenants'
import { consumeTotpStep, findTotpSecrets, insertTotpSecret } from '#db/store/totp'
import { lockUser, type User as UserRow } from '#db/store/users'
import type { RequestCtx } from '#shared/domains/context'
import { secondsAfter } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import { constantTimeEqual } from '#shared/platform/crypto/equal'
import { displayTenantName } from '#shared/platform/pages/tenant-name'
import { offeredBackupCodes, verifyBackupCode } from './backup-codes.ts'
import { enrolFactor } from './enrolment.ts'
import { type FactorContext, factorContextBinding } from './factor-context.ts'
import { FACTOR_PAUSE } from './policy.ts'
import { keyUri, matchingStep, newSeed } from './totp-code.ts'
import { acceptProof, claimFactorAttempt, factorProofError, notifyPausedFactors, pauseSeconds, type SessionRenewal } from './verify.ts'

const PENDING_SECONDS = 600
const Kept = z.object({ seed: z.string(), deviceType: z.string() })

const keyOf = (ctx: RequestCtx, factorContext: FactorContext): EnrolmentKey => ({
  userId: factorContext.user.id,
  kind: 'totp',
  binding: factorContextBinding(ctx, factorContext),
})
const pendingContext = (id: string): string => `pending_enrolments:${id}`
const seedContext = (factorId: string): string => `totp_secrets:${factorId}`

export type TotpSetup = { readonly id: string; readonly seed: string; readonly issuer: string; readonly account: string; readonly uri: string }

/** Starts an enrolment. The seed is stored sealed for ten minutes and serves this session or login transaction only. */
export const beginTotp = async (
  ctx: RequestCtx,
  factorContext: FactorContext,
  { bytes, name, deviceType }: { readonly bytes: 20 | 32; readonly name: string; readonly deviceType: string },
): Promise<TotpSetup> => {
  const id = ctx.random.id()
  const seed = newSeed(ctx.random, bytes)
  const now = ctx.clock.now()
  const tenant = await atomically(forTenant(ctx.db, factorContext.tenantId), async (t) => {
    const sealed = await ctx.keyring.seal(t, factorContext.user.id, JSON.stringify({ seed, deviceType }), pendingContext(id))
    await putEnrolment(t, { id, ...keyOf(ctx, factorContext), name, sealed, createdAt: now, expiresAt: secondsAfter(now, PENDING_SECONDS) })
    return findTenant(t)
  })
  const issuer = displayTenantName(ctx, tenant)
  return { id, seed, issuer, account: factorContext.user.email, uri: await keyUri(seed, issuer, factorContext.user.email) }
}

/** The pending enrolment of this session or login transaction, while a code can still confirm it. For our own page. */
export const pendingTotp = async (ctx: RequestCtx, factorContext: FactorContext): Promise<TotpSetup | undefined> => {
  const t = forTenant(ctx.db, factorContext.tenantId)
  const pending = await findEnrolment(t, keyOf(ctx, factorContext), ctx.clock.now(), FACTOR_PAUSE.tries)
  const plain = pending === undefined ? undefined : await ctx.keyring.open(t, factorContext.user.id, pending.sealed, pendingContext(pending.id))
  if (pending === undefined || plain === undefined) return undefined
  const { seed } = Kept.parse(JSON.parse(plain))
  const issuer = displayTenantName(ctx, await findTenant(t))
  return { id: pending.id, seed, issuer, account: factorContext.user.email, uri: await keyUri(seed, issuer, factorContext.user.email) }
}

type Seed = {
  readonly factorId: string
  readonly userId: string
  readonly seed: string
  readonly deviceType: string
  readonly lastStep: number | null
}

/** Stores the seed of a confirmed app, sealed for its owner. */
export const storeTotpSeed = async (t: TenantTx, ctx: Pick<RequestCtx, 'keyring' | 'clock'>, { seed, ...row }: Seed): Promise<void> => {
  const sealed = await ctx.keyring.seal(t, row.userId, seed, seedContext(row.factorId))
  await insertTotpSecret(t, { ...row, sealed, updatedAt: ctx.clock.now() })
}

export type TotpProof = {
  readonly code: string
  /** The seed as the client repeats it; it must equal the issued one. */
  readonly seed?: string | undefined
  /** The enrolment, when the client names it. */
  readonly id?: string | undefined
}

type PendingCheck = { readonly pending: PendingEnrolment; readonly kept: z.output<typeof Kept>; readonly step: number | undefined }

/** Counts a try against the pending enrolment and compares; the try counts whatever the outcome. @throws AppError setup_not_initiated */
const tryPending = async (ctx: RequestCtx, factorContext: FactorContext, proof: TotpProof): Promise<PendingCheck> => {
  const found = await atomically(forTenant(ctx.db, factorContext.tenantId), async (t) => {
    const pending = await claimEnrolmentTry(t, keyOf(ctx, factorContext), ctx.clock.now(), FACTOR_PAUSE.tries)
    const plain = pending === undefined ? undefined : await ctx.keyring.open(t, factorContext.user.id, pending.sealed, pendingContext(pending.id))
    if (pending === undefined || plain === undefined) return undefined
    const kept = Kept.parse(JSON.parse(plain))
    return { pending, kept, step: await matchingStep(kept.seed, proof.code, ctx.clock.now()) }
  })
  const { tenantId, user } = factorContext
  const isMeant = found !== undefined && (proof.id === undefined || proof.id.toLowerCase() === found.pending.id)
  const isSame = found !== undefined && (proof.seed === undefined || constantTimeEqual(proof.seed, found.kept.seed))
  if (found === undefined || !isMeant || !isSame) {
    throw new AppError('setup_not_initiated', undefined, { refusal: { tenantId, userId: user.id, event: 'factor.added' } })
  }
  return found
}

/**
 * Confirms the code: the app becomes a factor, with a new set of backup codes to be shown once.
 * Routes that call this emit `factor.added`.
 * @throws AppError setup_not_initiated, invalid_totp_code, authentication_required, insufficient_user_authentication, factor_limit
 */
export const confirmTotp = async (
  ctx: RequestCtx,
  factorContext: FactorContext,
  proof: TotpProof,
): Promise<{ readonly id: string; readonly name: string; readonly backupCodes: readonly string[] }> => {
  const { tenantId, user } = factorContext
  const { pending, kept, step } = await tryPending(ctx, factorContext, proof)
  if (step === undefined) throw new AppError('invalid_totp_code', undefined, { refusal: { tenantId, userId: user.id, event: 'factor.added' } })
  const codes = await offeredBackupCodes(ctx, factorContext)
  const { id, name } = pending
  await atomically(forTenant(ctx.db, tenantId), async (t) => {
    const now = ctx.clock.now()
    // Lock order: the person's row before the enrolment's.
    await lockUser(t, user.id)
    if ((await consumeEnrolment(t, id, now)) === undefined) throw new AppError('setup_not_initiated')
    // The confirming code is used up.
    const store = (tx: TenantTx): Promise<void> => storeTotpSeed(tx, ctx, { factorId: id, userId: user.id, ...kept, lastStep: step })
    await enrolFactor(t, ctx, factorContext, { id, kind: 'totp', name, amr: ['otp'], store, backupCodes: codes.rows })
  })
  ctx.wakeOutbox()
  return { id, name, backupCodes: codes.plain }
}

/** The app whose code in an unused step this is; its step is consumed. Every seed is compared. */
const matchAndSpend = async (t: TenantTx, ctx: RequestCtx, userId: string, tried: readonly Factor[], code: string): Promise<string | undefined> => {
  const now = ctx.clock.now()
  const hits: { readonly factorId: string; readonly step: number }[] = []
  for (const { factorId, sealed } of await findTotpSecrets(
    t,
    tried.map(({ id }) => id),
  )) {
    const seed = await ctx.keyring.open(t, userId, sealed, seedContext(factorId))
    const step = seed === undefined ? undefined : await matchingStep(seed, code, now)
    if (step !== undefined) hits.push({ factorId, step })
  }
  for (const { factorId, step } of hits) if (await consumeTotpStep(t, factorId, step, now)) return factorId
  return undefined
}

export type TotpAttempt = { readonly factorId: string } | 'wrong' | 'none'

/** Counts a try against the person's apps and compares. The caller's transaction must lock the person's row first, and commit the count. */
export const attemptTotp = async (
  t: TenantTx,
  ctx: RequestCtx,
  user: Pick<UserRow, 'id' | 'email'>,
  code: string,
  pause: { readonly tries: number; readonly seconds: number } = FACTOR_PAUSE,
): Promise<TotpAttempt> => {
  const tried = await claimFactorAttempt(t, ctx, user, { kind: 'totp' }, pause)
  if (tried.length === 0) return 'none'
  const factorId = await matchAndSpend(t, ctx, user.id, tried, code)
  if (factorId === undefined) {
    await notifyPausedFactors(t, ctx, user, tried)
    return 'wrong'
  }
  await markFactorUsed(
    t,
    user.id,
    factorId,
    ctx.clock.now(),
    tried.map(({ id }) => id),
  )
  return { factorId }
}

/** The error when no app can be compared. */
const noAppError = async (t: TenantDb, ctx: RequestCtx, userId: string): Promise<AppError> => {
  const apps = (await findFactors(t, userId)).filter(({ kind }) => kind === 'totp')
  const seconds = pauseSeconds(ctx, apps)
  const refusal = { tenantId: t.tenantId, userId, event: 'factor.verified' }
  return seconds === undefined
    ? new AppError('totp_not_enabled', undefined, { refusal })
    : new AppError('factor_paused', undefined, { refusal, retryAfterSeconds: seconds })
}

const verifyAppCode = async (ctx: RequestCtx, factorContext: FactorContext, code: string): Promise<SessionRenewal | undefined> => {
  const { tenantId, user } = factorContext
  const t = forTenant(ctx.db, tenantId)
  const outcome = await atomically(t, async (tx) => {
    await lockUser(tx, user.id)
    const tried = await attemptTotp(tx, ctx, user, code)
    return typeof tried === 'string'
      ? tried
      : { renewal: await acceptProof(tx, ctx, factorContext, { factorId: tried.factorId, kind: 'totp', amr: ['otp'] }) }
  })
  if (outcome === 'none') throw await noAppError(t, ctx, user.id)
  ctx.wakeOutbox()
  if (outcome === 'wrong') throw factorProofError('invalid_totp_code', tenantId, user.id)
  return outcome.renewal
}

export type VerifiedTotp = { readonly method: 'totp' | 'backup_code'; readonly renewal: SessionRenewal | undefined }

/**
 * Verifies six digits of an app, or a backup code.
 * Routes that call this emit `factor.verified`, `factor.paused`, `backup_code.used`, `session.stepped_up`.
 * @throws AppError invalid_totp_code, totp_not_enabled, factor_paused, authentication_required
 */
export const verifyTotp = async (ctx: RequestCtx, factorContext: FactorContext, code: string): Promise<VerifiedTotp> =>
  /^\d{6}$/.test(code)
    ? { method: 'totp', renewal: await verifyAppCode(ctx, factorContext, code) }
    : { method: 'backup_code', renewal: await verifyBackupCode(ctx, factorContext, code, 'invalid_totp_code') }
