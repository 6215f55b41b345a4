// A mailed code for one pending step; it confirms only that step. A mailbox gets at most five codes an hour over all steps.

import { atomically } from '#db/engine/tenant'
import type { CodeLock, CodePurpose } from '#db/store/codes'
import { notify } from '#shared/domains/notifications/notify'
import { codeLockOf, createCode, matchCode } from '#shared/domains/sign-up/code'
import { AppError } from '#shared/kernel/errors'
import { byAnonymous, recordEvent } from '#shared/platform/audit/audit-log'
import type { Ctx } from './group.ts'
import type { HeldProof } from './held-proof.ts'

const CODE_SECONDS = 600
const MAILS_PER_HOUR = 5

type Purpose = Extract<CodePurpose, 'federation_link' | 'federation_registration'>

const lockFor = (ctx: Ctx, purpose: Purpose, heldProof: HeldProof): CodeLock =>
  codeLockOf(ctx, purpose, `${heldProof.proof.profile.email ?? ''} ${heldProof.loginTransaction.id}`)

const limitMailbox = (ctx: Ctx, heldProof: HeldProof): Promise<void> => {
  const digest = Buffer.from(ctx.hash('limit:mailbox', heldProof.t.tenantId, heldProof.proof.profile.email ?? '')).toString('base64url')
  return ctx.limits.check([{ key: `m:federation:${digest}`, windowSeconds: 3600, max: MAILS_PER_HOUR, guardsCredential: true }])
}

/** @throws AppError too_many_codes, quota_exceeded, rate_limited */
export const mailFederationCode = async (
  ctx: Ctx,
  purpose: Purpose,
  heldProof: HeldProof,
  userId?: string,
): Promise<{ message: string; expires_in: number }> => {
  const { email } = heldProof.proof.profile
  if (email === undefined) throw new AppError('email_missing')
  await ctx.quotas.use(heldProof.t.tenantId, 'mailsPerHour')
  await limitMailbox(ctx, heldProof)
  await atomically(heldProof.t, async (t) => {
    const sent = await createCode(t, ctx, lockFor(ctx, purpose, heldProof), CODE_SECONDS, true)
    if (!('code' in sent)) throw new AppError('too_many_codes', undefined, sent)
    const data = { code: sent.code, minutes: CODE_SECONDS / 60, provider: heldProof.proof.displayName }
    await notify(t, ctx, { to: email, ...(userId === undefined ? {} : { subjectId: userId }), template: 'provider_link_code', data })
    await recordEvent(t, ctx, {
      event: 'federation.code_requested',
      actor: byAnonymous,
      ...(userId === undefined ? {} : { target: { type: 'user', id: userId } }),
      after: { provider: heldProof.proof.provider },
    })
  })
  ctx.wakeOutbox()
  return { message: 'We sent you a code. Check your mailbox.', expires_in: CODE_SECONDS }
}

/** Returns the id of the matching code, to be consumed with the step. Every attempt counts. @throws AppError invalid_code */
export const requireFederationCode = async (ctx: Ctx, purpose: Purpose, heldProof: HeldProof, code: string): Promise<string> => {
  const id = await matchCode(ctx, heldProof.t.tenantId, { lock: lockFor(ctx, purpose, heldProof), email: heldProof.proof.profile.email ?? '', code })
  if (id === undefined) throw wrongFederationCode(heldProof)
  return id
}

export const wrongFederationCode = ({ t, loginTransaction }: HeldProof): AppError =>
  new AppError('invalid_code', undefined, {
    refusal: { tenantId: t.tenantId, ...(loginTransaction.userId === null ? {} : { userId: loginTransaction.userId }), event: 'identity.linked' },
  })
