// Judging a passkey that was shown: the same for a factor beside a password, for a session that proves more, and for a passkey alone.

import { atomically, forTenant, type TenantId, type TenantTx } from '#db/engine/tenant'
import { findFactor, markUsed } from '#db/store/factors'
import { countSignature, type Passkey, raiseCounterAlarm } from '#db/store/passkeys'
import type { User } from '#db/store/users'
import { findHolders } from '#db/store/users'
import { VERIFIED } from '#shared/domains/factors/verify'
import { notify } from '#shared/domains/notifications/notify'
import { AppError, type ErrorDetails } from '#shared/kernel/errors'
import { byAnonymous, record } from '#shared/platform/audit/record'
import type { Ceremony } from './challenge.ts'
import type { Assertion } from './credential.schema.ts'
import type { Ctx } from './group.ts'
import { type Proved, Unacceptable, verifyAssertion } from './verification.ts'

/** One answer for whatever was wrong with it; why is in the log alone. */
export const refusedAssertion = (
  about: { readonly tenantId: string; readonly userId?: string } | undefined,
  extra?: ErrorDetails['extra'],
  cause?: unknown,
): AppError =>
  new AppError('passkey_refused', undefined, { refusal: { event: VERIFIED, ...about }, ...(extra === undefined ? {} : { extra }) }, cause)

/** The signature is genuine and the ceremony's own. @throws AppError passkey_refused */
export const judgeAssertion = async (answer: Assertion, passkey: Passkey, ceremony: Ceremony): Promise<Proved> => {
  const about = { tenantId: passkey.tenantId, userId: passkey.userId }
  // A credential of another relying party is none here, and one that may have been copied is none anywhere.
  if (passkey.rpId !== ceremony.rpId || passkey.counterAlarmAt !== null) throw refusedAssertion(about)
  return verifyAssertion(answer, passkey, ceremony).catch((error: unknown) => {
    throw error instanceof Unacceptable ? refusedAssertion(about, undefined, error) : error
  })
}

/** Notes the use; false when the counter did not rise, and then nothing is noted. Inside the transaction of what the proof opens. */
export const noteUse = async (t: TenantTx, ctx: Ctx, passkey: Passkey, proved: Proved): Promise<boolean> => {
  if (!(await countSignature(t, passkey.factorId, proved))) return false
  await markUsed(t, passkey.userId, passkey.factorId, ctx.clock.now())
  return true
}

/**
 * The signature was genuine and its counter had gone back: there are two of it. It is refused from now on, until its owner removes it or clears the alarm; he is told, and whoever
 * administers. Routes that call this emit `passkey.counter_regressed`.
 * @throws AppError passkey_refused
 */
export const refuseCopied = async (ctx: Ctx, tenantId: TenantId, user: Pick<User, 'id' | 'email'>, passkey: Passkey): Promise<never> => {
  await atomically(forTenant(ctx.db, tenantId), async (t) => {
    const { factorId } = passkey
    if (!(await raiseCounterAlarm(t, factorId, ctx.clock.now()))) return
    const name = (await findFactor(t, user.id, factorId))?.name ?? ''
    await record(t, ctx, {
      event: 'passkey.counter_regressed',
      actor: byAnonymous,
      target: { type: 'factor', id: factorId },
      subjectId: user.id,
      after: { name },
    })
    const data = { email: user.email, name, reviewUrl: `${ctx.config.BASE_URL}/me/method?id=${factorId}` }
    await notify(t, ctx, { to: user.email, subjectId: user.id, template: 'passkey_copied', data: { for: 'owner', ...data } })
    for (const { id, email } of await findHolders(t, 'admin:access', ctx.clock.now()))
      if (id !== user.id) await notify(t, ctx, { to: email, subjectId: id, template: 'passkey_copied', data: { for: 'administrator', ...data } })
  })
  ctx.wakeOutbox()
  throw refusedAssertion({ tenantId, userId: user.id })
}
