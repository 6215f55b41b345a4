// Six digits by mail. Purpose, tenant and address name the lock; five guesses, one send a minute, five an hour; a code of one lock opens no other. Beside that a
// mailbox has so many wrong codes a day, whatever they were for.

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
 * Wrong codes for one mailbox. What slides over two buckets lets at most twice as many through in any one window: so no hundred in a month (NIST SP 800-63B
 * section 3.2.2 allows a hundred in a row).
 */
const WRONG_PER_MAILBOX = [
  { windowSeconds: HOUR, max: 10 },
  { windowSeconds: DAY, max: 20 },
  { windowSeconds: 30 * DAY, max: 50 },
] as const
/** And from one address of the network, for whatever mailboxes. */
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
 * Makes a code unless too many were sent to the address. With `replaces`, older codes of the lock are void (a reset); without, each attempt keeps its own
 * (a sign-up, where every attempt has its own password).
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

/** Wrong codes alone are counted. A browser that the person is known from has a budget of its own, so that strangers cannot shut the person out. */
const budgets = (ctx: Matching, tenantId: TenantId, email: string): readonly LimitEntry[] => {
  const mailbox = Buffer.from(ctx.hash('limit:codes', tenantId, email, knownDevice(ctx, ctx.request, email) ?? '')).toString('base64url')
  return [
    ...WRONG_PER_MAILBOX.map((rule) => ({ ...rule, key: `codes:${mailbox}`, guardsCredential: true })),
    { ...WRONG_PER_ADDRESS, key: `codes:from:${addressKey(ctx, ctx.request.address)}`, guardsCredential: true },
  ]
}

export type CodeGuess = { readonly lock: CodeLock; readonly email: string; readonly code: string }

/**
 * The id of the live code that this is; undefined when it is none. A guess is spent either way, so this commits by itself; `consumeCode` with the id belongs to
 * the transaction of what the code allows. Where too many were wrong not even a right one is told.
 * @throws AppError rate_limited
 */
export const matchCode = async (ctx: Matching, tenantId: TenantId, { lock, email, code }: CodeGuess): Promise<string | undefined> => {
  const entries = budgets(ctx, tenantId, email)
  await ctx.limits.peek(entries)
  const wanted = codeHash(ctx, tenantId, lock, code)
  const live = await atomically(forTenant(ctx.db, tenantId), (t) => claimGuess(t, lock, ctx.clock.now(), MAX_GUESSES))
  const id = live.find((candidate) => constantTimeEqual(candidate.codeHash, wanted))?.id
  // Where there was nothing to compare nothing was guessed: whoever uses the budget up has written to the mailbox.
  if (id === undefined && live.length > 0) await ctx.limits.check(entries)
  return id
}
