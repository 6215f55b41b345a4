// Proves the mailbox before a first factor is enrolled, with a code mailed to the account's own address.

import { atomically, forTenant } from '#db/engine/tenant'
import { consumeCode } from '#db/store/codes'
import { proveTransactionMailbox } from '#db/store/login-transactions'
import { lockUser, updateUser, verifyAdministrator } from '#db/store/users'
import type { RequestCtx } from '#shared/domains/context'
import { notify } from '#shared/domains/notifications/notify'
import { codeLockOf, createCode, matchCode } from '#shared/domains/sign-up/code'
import { AppError } from '#shared/kernel/errors'
import { recordEvent } from '#shared/platform/audit/audit-log'
import { emailHash } from '#shared/platform/crypto/email-hash'
import { type FactorContext, factorContextActor, loginTransactionHash } from './factor-context.ts'

const CODE_SECONDS = 600

/** Mails a code. Routes that call this emit `mailbox.proof_requested`. @throws AppError too_many_codes, quota_exceeded */
export const sendMailboxCode = async (ctx: RequestCtx, factorContext: FactorContext): Promise<{ readonly expiresIn: number }> => {
  const { user, tenantId } = factorContext
  await ctx.quotas.use(tenantId, 'mailsPerHour')
  await atomically(forTenant(ctx.db, tenantId), async (t) => {
    const sent = await createCode(t, ctx, codeLockOf(ctx, 'mailbox_proof', user.email), CODE_SECONDS, true)
    if (!('code' in sent)) throw new AppError('too_many_codes', undefined, sent)
    await notify(t, ctx, {
      to: user.email,
      subjectId: user.id,
      template: 'mailbox_proof_code',
      data: { code: sent.code, minutes: CODE_SECONDS / 60 },
    })
    await recordEvent(t, ctx, { event: 'mailbox.proof_requested', actor: factorContextActor(factorContext), target: { type: 'user', id: user.id } })
  })
  ctx.wakeOutbox()
  return { expiresIn: CODE_SECONDS }
}

/** Accepts the code. Routes that call this emit `mailbox.proved`. @throws AppError invalid_code */
export const confirmMailbox = async (ctx: RequestCtx, factorContext: FactorContext, code: string): Promise<void> => {
  const { user, tenantId, by } = factorContext
  const wrong = new AppError('invalid_code', undefined, { refusal: { tenantId, userId: user.id, event: 'mailbox.proved' } })
  const codeId = await matchCode(ctx, tenantId, { lock: codeLockOf(ctx, 'mailbox_proof', user.email), email: user.email, code })
  if (codeId === undefined) throw wrong
  await atomically(forTenant(ctx.db, tenantId), async (t) => {
    const now = ctx.clock.now()
    // The code proves the address it was sent to, which may have changed.
    if ((await lockUser(t, user.id))?.email !== user.email || !(await consumeCode(t, codeId, now))) throw wrong
    await updateUser(t, user.id, { emailVerifiedAt: now, updatedAt: now })
    await verifyAdministrator(t, emailHash(ctx, user.email), now)
    if (by.kind === 'login_transaction') await proveTransactionMailbox(t, loginTransactionHash(ctx, by), now)
    await recordEvent(t, ctx, { event: 'mailbox.proved', actor: factorContextActor(factorContext), target: { type: 'user', id: user.id } })
  })
}
