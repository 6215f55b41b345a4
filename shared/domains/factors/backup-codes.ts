// Backup codes: ten of 80 bits, each valid once, stored as slow hashes. The leading number of `07-ABCD-EFGH-JKMN-PQRS` selects the hash, so that a try computes one.

import { atomically, forTenant } from '#db/engine/tenant'
import {
  claimBackupCodeTry,
  clearBackupCodeTries,
  countBackupCodes,
  findBackupCode,
  type NewBackupCode,
  replaceBackupCodes,
  useBackupCode,
} from '#db/store/backup-codes'
import { findTenant } from '#db/store/tenants'
import { lockUser } from '#db/store/users'
import type { RequestCtx } from '#shared/domains/context'
import { notify } from '#shared/domains/notifications/notify'
import { AppError, type ErrorCode } from '#shared/kernel/errors'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import type { User } from '#shared/platform/principals/principal'
import { type FactorContext, factorContextActor } from './factor-context.ts'
import { FACTOR_PAUSE } from './policy.ts'
import { findRecoveryOffers } from './recovery-offers.ts'
import { acceptProof, factorProofError, type SessionRenewal } from './verify.ts'

const COUNT = 10
/** Crockford's base 32, without look-alikes. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const LETTERS = 16
const SHAPE = /^\d{2}[0-9A-HJKMNP-TV-Z]{16}$/

const letters = (bytes: Uint8Array): string => [...bytes].map((byte) => ALPHABET[byte % ALPHABET.length]).join('')
const formatCode = (selector: string, secret: string): string => [selector, ...(secret.match(/.{4}/g) ?? [])].join('-')

type Codes = { readonly plain: readonly string[]; readonly rows: readonly NewBackupCode[] }

/** A new set: the codes to show once and the rows to store. Computes ten hashes, so call it outside a transaction. */
export const newBackupCodes = async (ctx: Pick<RequestCtx, 'random' | 'passwords' | 'clock'>, userId: string): Promise<Codes> => {
  const made = Array.from({ length: COUNT }, (_, at) => ({ selector: String(at + 1).padStart(2, '0'), secret: letters(ctx.random.bytes(LETTERS)) }))
  const createdAt = ctx.clock.now()
  const rows = await Promise.all(
    made.map(async ({ selector, secret }) => ({ id: ctx.random.id(), userId, selector, codeHash: await ctx.passwords.hash(secret), createdAt })),
  )
  return { plain: made.map(({ selector, secret }) => formatCode(selector, secret)), rows }
}

/** A new set when the tenant offers backup codes, else none. */
export const offeredBackupCodes = async (ctx: RequestCtx, { tenantId, user }: FactorContext): Promise<Codes> =>
  findRecoveryOffers(await findTenant(forTenant(ctx.db, tenantId))).backupCodes ? newBackupCodes(ctx, user.id) : { plain: [], rows: [] }

/** Parses a typed code: any case, with or without hyphens, look-alike letters as digits. Undefined when malformed. */
export const parseBackupCode = (text: string): { readonly selector: string; readonly secret: string } | undefined => {
  const plain = text.toUpperCase().replace(/[\s-]/g, '').replace(/[IL]/g, '1').replaceAll('O', '0')
  return SHAPE.test(plain) ? { selector: plain.slice(0, 2), secret: plain.slice(2) } : undefined
}

/**
 * Accepts a backup code in place of a factor. The try is counted in its own transaction before the hash; the code is consumed with the step that it allows.
 * Routes that call this emit `backup_code.used`, `factor.verified`, `session.stepped_up`.
 * @throws AppError `failure`, factor_paused, authentication_required
 */
export const verifyBackupCode = async (
  ctx: RequestCtx,
  factorContext: FactorContext,
  text: string,
  failure: ErrorCode,
): Promise<SessionRenewal | undefined> => {
  const { tenantId, user } = factorContext
  const t = forTenant(ctx.db, tenantId)
  const wrong = factorProofError(failure, tenantId, user.id)
  if (!findRecoveryOffers(await findTenant(t)).backupCodes) throw wrong
  const tries = await atomically(t, (tx) => claimBackupCodeTry(tx, user.id, ctx.clock.now(), FACTOR_PAUSE))
  if (tries === undefined) throw new AppError('factor_paused', undefined, { ...wrong.details, retryAfterSeconds: FACTOR_PAUSE.seconds })
  const code = parseBackupCode(text)
  const row = code === undefined ? undefined : await findBackupCode(t, user.id, code.selector)
  const { fits } = await ctx.passwords.verify(code?.secret ?? '', row?.codeHash)
  if (row === undefined || !fits) throw wrong
  const renewal = await atomically(t, async (tx) => {
    await lockUser(tx, user.id)
    if (!(await useBackupCode(tx, row.id, ctx.clock.now()))) throw wrong
    await clearBackupCodeTries(tx, user.id)
    const left = await countBackupCodes(tx, user.id)
    await recordEvent(tx, ctx, {
      event: 'backup_code.used',
      actor: factorContextActor(factorContext),
      target: { type: 'user', id: user.id },
      after: { left },
    })
    await notify(tx, ctx, { to: user.email, subjectId: user.id, template: 'backup_code_used', data: { left } })
    // RFC 8176 has no value for backup codes; `otp` is the closest.
    return acceptProof(tx, ctx, factorContext, { kind: 'backup_code', amr: ['otp'] })
  })
  ctx.wakeOutbox()
  return renewal
}

/** Replaces the caller's codes and returns the new ones. Routes that call this emit `backup_codes.replaced`. */
export const regenerateBackupCodes = async (ctx: RequestCtx, caller: User): Promise<readonly string[]> => {
  const codes = await newBackupCodes(ctx, caller.userId)
  await atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    await lockUser(t, caller.userId)
    await replaceBackupCodes(t, caller.userId, codes.rows)
    await recordEvent(t, ctx, { event: 'backup_codes.replaced', actor: byUser(caller), target: { type: 'user', id: caller.userId } })
    await notify(t, ctx, { to: caller.email, subjectId: caller.userId, template: 'backup_codes_replaced', data: {} })
  })
  ctx.wakeOutbox()
  return codes.plain
}
