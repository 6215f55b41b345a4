// Six digits by mail. Purpose, tenant and address name the lock; five guesses, one send a minute, five an hour; a code of one lock opens no other.
import { type CodePurpose, findCodeTimes, holdLock, insertCode, type Lock, spendGuess, voidCodes } from '#db/store/codes'
import { atomically, forTenant, type TenantId, type TenantTx } from '#db/tenant'
import { secondsAfter } from '../clock.ts'
import type { BaseCtx } from '../context.ts'
import { equal } from '../crypto/equal.ts'
import { digits } from '../random.ts'

const MAX_GUESSES = 5
const RESEND_SECONDS = 60
const SENDS_PER_HOUR = 5
const HOUR = 3600

type Deps = Pick<BaseCtx, 'clock' | 'random' | 'hash'>

export const lockOf = (ctx: Pick<BaseCtx, 'hash'>, purpose: CodePurpose, email: string): Lock => ({
  purpose,
  addressHash: ctx.hash('code:address', email),
})

const codeHash = (ctx: Deps, tenantId: TenantId, lock: Lock, code: string): Uint8Array =>
  ctx.hash('code', lock.purpose, tenantId, Buffer.from(lock.addressHash).toString('hex'), code)

export type SentCode = { readonly id: string; readonly code: string }
export type TooSoon = { readonly retryAfterSeconds: number }

/**
 * Makes a code unless too many were sent to the address. With `replaces`, older codes of the lock are void (a reset); without, each attempt keeps its own
 * (a sign-up, where every attempt has its own password).
 */
export const createCode = async (t: TenantTx, ctx: Deps, lock: Lock, seconds: number, replaces: boolean): Promise<SentCode | TooSoon> => {
  const now = ctx.clock.now()
  await holdLock(t, lock)
  const sent = await findCodeTimes(t, lock, secondsAfter(now, -HOUR))
  const [last] = sent
  const oldest = sent[SENDS_PER_HOUR - 1]
  if (last && secondsAfter(last, RESEND_SECONDS) > now)
    return { retryAfterSeconds: Math.ceil((secondsAfter(last, RESEND_SECONDS).getTime() - now.getTime()) / 1000) }
  if (oldest) return { retryAfterSeconds: Math.ceil((secondsAfter(oldest, HOUR).getTime() - now.getTime()) / 1000) }
  if (replaces) await voidCodes(t, lock, now)
  const id = ctx.random.id()
  const code = digits(ctx.random, 6)
  await insertCode(t, { id, ...lock, codeHash: codeHash(ctx, t.tenantId, lock, code), createdAt: now, expiresAt: secondsAfter(now, seconds) })
  return { id, code }
}

/**
 * The id of the live code that this is; undefined when it is none. A guess is spent either way, so this commits by itself; `consumeCode` with the id belongs to
 * the transaction of what the code allows.
 */
export const matchCode = (ctx: Deps & Pick<BaseCtx, 'db'>, tenantId: TenantId, lock: Lock, code: string): Promise<string | undefined> =>
  atomically(forTenant(ctx.db, tenantId), async (t) => {
    const wanted = codeHash(ctx, tenantId, lock, code)
    const live = await spendGuess(t, lock, ctx.clock.now(), MAX_GUESSES)
    return live.find((candidate) => equal(candidate.codeHash, wanted))?.id
  })
