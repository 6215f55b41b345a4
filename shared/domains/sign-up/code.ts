// Mailed codes of six digits, locked by purpose, tenant and address: five guesses a code, one mail a minute, five an hour. A code never opens another lock. In
// addition, wrong codes are limited per mailbox over all purposes.

import { atomically, forTenant, type TenantId, type TenantTx } from '#db/engine/tenant'
import { type CodeLock, type CodePurpose, claimGuess, findCodeTimes, holdCodeLock, insertCode, voidCodes } from '#db/store/codes'
import type { BaseCtx, RequestCtx } from '#shared/domains/context'
import { secondsAfter } from '#shared/kernel/clock'
import { randomDigits } from '#shared/kernel/random'
import { constantTimeEqual } from '#shared/platform/crypto/equal'
import { addressKey, knownDevice } from '#shared/platform/http/guard'
import type { LimitEntry } from '#shared/platform/http/limits'

const MAX_GUESSES = 5
const RESEND_SECONDS = 60
const SENDS_PER_HOUR = 5
const HOUR = 3600
const DAY = 24 * HOUR

/**
 * Limits on wrong codes for one mailbox. A sliding window over two buckets admits at most twice the number, so no hundred a month (NIST SP 800-63B section 3.2.2
 * allows a hundred in a row).
 */
const WRONG_PER_MAILBOX = [
  { windowSeconds: HOUR, max: 10 },
  { windowSeconds: DAY, max: 20 },
  { windowSeconds: 30 * DAY, max: 50 },
] as const
/** Limit on wrong codes from one network address, over all mailboxes. */
const WRONG_PER_ADDRESS = { windowSeconds: DAY, max: 100 } as const

type Deps = Pick<BaseCtx, 'clock' | 'random' | 'hash'>

export const codeLockOf = (ctx: Pick<BaseCtx, 'hash'>, purpose: CodePurpose, email: string): CodeLock => ({
  purpose,
  addressHash: ctx.hash('code:address', email),
})

const codeHash = (ctx: Deps, tenantId: TenantId, lock: CodeLock, code: string): Uint8Array =>
  ctx.hash('code', lock.purpose, tenantId, Buffer.from(lock.addressHash).toString('hex'), code)

export type SentCode = { readonly id: string; readonly code: string }
export type CodeTooSoon = { readonly retryAfterSeconds: number }

/**
 * Creates a code unless too many were sent to the address. With `replaces`, earlier codes of the lock become invalid (a reset); without, each attempt keeps its
 * own (a sign-up, where each attempt has its own password).
 */
export const createCode = async (t: TenantTx, ctx: Deps, lock: CodeLock, seconds: number, replaces: boolean): Promise<SentCode | CodeTooSoon> => {
  const now = ctx.clock.now()
  await holdCodeLock(t, lock)
  const sent = await findCodeTimes(t, lock, secondsAfter(now, -HOUR))
  const [last] = sent
  const oldest = sent[SENDS_PER_HOUR - 1]
  if (last && secondsAfter(last, RESEND_SECONDS) > now)
    return { retryAfterSeconds: Math.ceil((secondsAfter(last, RESEND_SECONDS).getTime() - now.getTime()) / 1000) }
  if (oldest) return { retryAfterSeconds: Math.ceil((secondsAfter(oldest, HOUR).getTime() - now.getTime()) / 1000) }
  if (replaces) await voidCodes(t, lock, now)
  const id = ctx.random.id()
  const code = randomDigits(ctx.random, 6)
  await insertCode(t, { id, ...lock, codeHash: codeHash(ctx, t.tenantId, lock, code), createdAt: now, expiresAt: secondsAfter(now, seconds) })
  return { id, code }
}

type Matching = Deps & Pick<RequestCtx, 'db' | 'limits' | 'request'>

/** Only wrong codes count. A browser known to the person has a separate budget, so that strangers cannot lock the person out. */
const budgets = (ctx: Matching, tenantId: TenantId, email: string): readonly LimitEntry[] => {
  const mailbox = Buffer.from(ctx.hash('limit:codes', tenantId, email, knownDevice(ctx, ctx.request, email) ?? '')).toString('base64url')
  return [
    ...WRONG_PER_MAILBOX.map((rule) => ({ ...rule, key: `codes:${mailbox}`, guardsCredential: true })),
    { ...WRONG_PER_ADDRESS, key: `codes:from:${addressKey(ctx, ctx.request.address)}`, guardsCredential: true },
  ]
}

export type CodeGuess = { readonly lock: CodeLock; readonly email: string; readonly code: string }

/**
 * The id of the matching live code; undefined without a match. Commits the guess in either case; call `consumeCode` with the id in the transaction of the action
 * that the code allows. When the limit is reached, right codes are refused as well.
 * @throws AppError rate_limited
 */
export const matchCode = async (ctx: Matching, tenantId: TenantId, { lock, email, code }: CodeGuess): Promise<string | undefined> => {
  const entries = budgets(ctx, tenantId, email)
  await ctx.limits.peek(entries)
  const expectedHash = codeHash(ctx, tenantId, lock, code)
  const live = await atomically(forTenant(ctx.db, tenantId), (t) => claimGuess(t, lock, ctx.clock.now(), MAX_GUESSES))
  const id = live.find((candidate) => constantTimeEqual(candidate.codeHash, expectedHash))?.id
  // Without a live code nothing was guessed, so only mailbox owners can cause codes to count.
  if (id === undefined && live.length > 0) await ctx.limits.check(entries)
  return id
}
