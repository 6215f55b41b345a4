// Proving the mailbox before a first factor is enrolled: a code by mail, to the address of the account alone.

import { atomically, forTenant } from '#db/engine/tenant'
import { consumeCode } from '#db/store/codes'
import { proveTicketMailbox } from '#db/store/tickets'
import { lockUser, proveAdministrator, updateUser } from '#db/store/users'
import type { RequestCtx } from '#shared/domains/context'
import { notify } from '#shared/domains/notifications/notify'
import { createCode, lockOf, matchCode } from '#shared/domains/sign-up/code'
import { AppError } from '#shared/kernel/errors'
import { record } from '#shared/platform/audit/record'
import { emailHash } from '#shared/platform/crypto/email-hash'
import { actorOf, type Stage, ticketHash } from './stage.ts'

const CODE_SECONDS = 600

/** Routes that call this emit `mailbox.proof_requested`. @throws AppError too_many_codes, quota_exceeded */
export const sendMailboxCode = async (ctx: RequestCtx, stage: Stage): Promise<{ readonly expiresIn: number }> => {
  const { user, tenantId } = stage
  await ctx.quotas.use(tenantId, 'mailsPerHour')
  await atomically(forTenant(ctx.db, tenantId), async (t) => {
    const sent = await createCode(t, ctx, lockOf(ctx, 'mailbox_proof', user.email), CODE_SECONDS, true)
    if (!('code' in sent)) throw new AppError('too_many_codes', undefined, sent)
    await notify(t, ctx, {
      to: user.email,
      subjectId: user.id,
      template: 'mailbox_proof_code',
      data: { code: sent.code, minutes: CODE_SECONDS / 60 },
    })
    await record(t, ctx, { event: 'mailbox.proof_requested', actor: actorOf(stage), target: { type: 'user', id: user.id } })
  })
  ctx.wakeOutbox()
  return { expiresIn: CODE_SECONDS }
}

/** Routes that call this emit `mailbox.proved`. @throws AppError invalid_code */
export const confirmMailbox = async (ctx: RequestCtx, stage: Stage, code: string): Promise<void> => {
  const { user, tenantId, by } = stage
  const wrong = new AppError('invalid_code', undefined, { refusal: { tenantId, userId: user.id, event: 'mailbox.proved' } })
  const codeId = await matchCode(ctx, tenantId, { lock: lockOf(ctx, 'mailbox_proof', user.email), email: user.email, code })
  if (codeId === undefined) throw wrong
  await atomically(forTenant(ctx.db, tenantId), async (t) => {
    const now = ctx.clock.now()
    // The code proved the address that the account had a moment ago.
    if ((await lockUser(t, user.id))?.email !== user.email || !(await consumeCode(t, codeId, now))) throw wrong
    await updateUser(t, user.id, { emailVerifiedAt: now, updatedAt: now })
    await proveAdministrator(t, emailHash(ctx, user.email), now)
    if (by.kind === 'ticket') await proveTicketMailbox(t, ticketHash(ctx, by), now)
    await record(t, ctx, { event: 'mailbox.proved', actor: actorOf(stage), target: { type: 'user', id: user.id } })
  })
}
