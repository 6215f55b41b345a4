// Verifies a passkey assertion for all three uses: second factor after a password, step-up of a session, and sign-in with only a passkey.

import { atomically, forTenant, type TenantId, type TenantTx } from '#db/engine/tenant'
import { findFactor, markFactorUsed } from '#db/store/factors'
import { countSignature, type Passkey, raiseCounterAlarm } from '#db/store/passkeys'
import type { User } from '#db/store/users'
import { findPermissionHolders } from '#db/store/users'
import { FACTOR_VERIFIED_EVENT } from '#shared/domains/factors/verify'
import { notify } from '#shared/domains/notifications/notify'
import { AppError, type ErrorDetails } from '#shared/kernel/errors'
import { byAnonymous, recordEvent } from '#shared/platform/audit/audit-log'
import type { Ceremony } from './challenge.ts'
import type { Assertion } from './credential.schema.ts'
import type { Ctx } from './group.ts'
import { UnacceptableCredential, type VerifiedAssertion, verifyAssertion } from './verification.ts'

/** Every refusal looks the same to the caller; the reason is in the log only. */
export const refusedAssertion = (
  about: { readonly tenantId: string; readonly userId?: string } | undefined,
  extra?: ErrorDetails['extra'],
  cause?: unknown,
): AppError =>
  new AppError(
    'passkey_refused',
    undefined,
    { refusal: { event: FACTOR_VERIFIED_EVENT, ...about }, ...(extra === undefined ? {} : { extra }) },
    cause,
  )

/** Verifies the signature against the ceremony. @throws AppError passkey_refused */
export const checkAssertion = async (answer: Assertion, passkey: Passkey, ceremony: Ceremony): Promise<VerifiedAssertion> => {
  const about = { tenantId: passkey.tenantId, userId: passkey.userId }
  // Refuses a credential of another relying party, and one whose counter alarm is set.
  if (passkey.rpId !== ceremony.rpId || passkey.counterAlarmAt !== null) throw refusedAssertion(about)
  return verifyAssertion(answer, passkey, ceremony).catch((error: unknown) => {
    throw error instanceof UnacceptableCredential ? refusedAssertion(about, undefined, error) : error
  })
}

/** Records the use; returns false and records nothing if the counter did not increase. Runs in the transaction of what the assertion grants. */
export const recordPasskeyUse = async (t: TenantTx, ctx: Ctx, passkey: Passkey, proved: VerifiedAssertion): Promise<boolean> => {
  if (!(await countSignature(t, passkey.factorId, proved))) return false
  await markFactorUsed(t, passkey.userId, passkey.factorId, ctx.clock.now())
  return true
}

/**
 * The signature is valid but its counter went back, so the passkey may have been copied. It is blocked until its owner removes it or clears the alarm. The owner
 * and the administrators are notified. Routes that call this emit `passkey.counter_regressed`.
 * @throws AppError passkey_refused
 */
export const refuseCopiedPasskey = async (ctx: Ctx, tenantId: TenantId, user: Pick<User, 'id' | 'email'>, passkey: Passkey): Promise<never> => {
  await atomically(forTenant(ctx.db, tenantId), async (t) => {
    const { factorId } = passkey
    if (!(await raiseCounterAlarm(t, factorId, ctx.clock.now()))) return
    const name = (await findFactor(t, user.id, factorId))?.name ?? ''
    await recordEvent(t, ctx, {
      event: 'passkey.counter_regressed',
      actor: byAnonymous,
      target: { type: 'factor', id: factorId },
      subjectId: user.id,
      after: { name },
    })
    const data = { email: user.email, name, reviewUrl: `${ctx.config.BASE_URL}/me/method?id=${factorId}` }
    await notify(t, ctx, { to: user.email, subjectId: user.id, template: 'passkey_copied', data: { for: 'owner', ...data } })
    for (const { id, email } of await findPermissionHolders(t, 'admin:access', ctx.clock.now()))
      if (id !== user.id) await notify(t, ctx, { to: email, subjectId: id, template: 'passkey_copied', data: { for: 'administrator', ...data } })
  })
  ctx.wakeOutbox()
  throw refusedAssertion({ tenantId, userId: user.id })
}
