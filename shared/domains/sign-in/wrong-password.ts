// The cost of a refused password: the same for every address, whether or not the account exists, the attempt is counted, or the lock starts.

import { atomically, forTenant, type TenantId, type TenantTx } from '#db/engine/tenant'
import { type Account, countWrongPassword, type SignInTenant } from '#db/store/sign-in'
import type { DelayRule } from '#db/store/users'
import type { RequestCtx } from '#shared/domains/context'
import { notificationLanguage, requestOrigin } from '#shared/domains/notifications/notify'
import { secondsAfter } from '#shared/kernel/clock'
import { auditRow, byAnonymous } from '#shared/platform/audit/audit-log'
import { sealMail } from '#shared/platform/outbox/outbox'
import { displayTenantName } from '#shared/platform/pages/tenant-name'

/** Growing delay, and a temporary lock. A browser that is known for the person has its own budget. */
export const SIGN_IN_DELAY: DelayRule = { freeAttempts: 5, firstDelaySeconds: 30, maxDelaySeconds: 1800 }

export type WrongPasswordAttempt = {
  readonly tenantId: TenantId
  readonly tenant: SignInTenant | undefined
  /** Undefined if the address is unknown, or if a lock refused the request: further guesses do not extend a lock. */
  readonly user: Account | undefined
  readonly email: string
  /** The browser, if it is known for the person. */
  readonly deviceHash: Uint8Array | undefined
}

/**
 * The event and the mail about a lock, prepared before it is known whether the lock starts. For an unknown address they are sealed under the tenant's key, and
 * never written.
 */
const announce = async (t: TenantTx, ctx: RequestCtx, { user, tenant, email }: WrongPasswordAttempt, userId: string) => {
  const subjectId = user?.id ?? t.tenantId
  const until = secondsAfter(ctx.clock.now(), SIGN_IN_DELAY.firstDelaySeconds)
  const event = await auditRow(t, ctx, {
    event: 'user.locked',
    actor: byAnonymous,
    target: { type: 'user', id: userId },
    subjectId,
    after: { until: until.toISOString() },
  })
  const language = await notificationLanguage(ctx, tenant, user?.language)
  const message = await sealMail(t, ctx, {
    to: user?.email ?? email,
    tenantName: displayTenantName(ctx, tenant),
    language,
    subjectId,
    template: 'account_locked',
    data: { until, requestOrigin: requestOrigin(ctx, language) },
  })
  return { event, message }
}

/** Counts the attempt. When the lock starts, the person is mailed and the event is written, once. Routes that call this emit `user.locked`. */
export const refuseWrongPassword = async (ctx: RequestCtx, wrong: WrongPasswordAttempt): Promise<void> => {
  const userId = wrong.user?.id ?? ctx.random.id()
  const fell = await atomically(forTenant(ctx.db, wrong.tenantId), async (t) =>
    countWrongPassword(t, {
      userId,
      deviceHash: wrong.deviceHash,
      now: ctx.clock.now(),
      delay: SIGN_IN_DELAY,
      announcement: await announce(t, ctx, wrong, userId),
    }),
  )
  if (fell) ctx.wakeOutbox()
}
