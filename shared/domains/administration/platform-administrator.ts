// The first platform administrator is whom PLATFORM_ADMIN_EMAIL names: told by mail, once, at the first start. Never whoever registers first.

import { atomically, forTenant, SYSTEM_TENANT, type TenantTx } from '#db/engine/tenant'
import { endLoginTransactions, hasLoginTransaction } from '#db/store/login-transactions'
import { setUserActive } from '#db/store/people'
import { lockTenant } from '#db/store/tenants'
import { disableUnverifiedUsers, findUserByEmail, hasVerifiedUser } from '#db/store/users'
import type { BaseCtx } from '#shared/domains/context'
import { mailSetPasswordLink } from '#shared/domains/recovery/set-password-link'
import { addPlatformAdministrator, ensureSystemTenant } from '#shared/domains/tenancy/system-tenant'
import { ConfigError } from '#shared/kernel/config'
import { normaliseEmail } from '#shared/kernel/email'
import { bySystem, recordEvent } from '#shared/platform/audit/audit-log'

type Deps = Pick<BaseCtx, 'db' | 'clock' | 'random' | 'keyring' | 'hash' | 'config' | 'wakeOutbox'>

/** `claimed`: the platform has an administrator who came in. `waiting`: a link is on its way. */
export type Invitation = 'invited' | 'waiting' | 'claimed'

/** The address was mistyped at an earlier start: who was named there, and never came, is not the administrator any more. */
const withdrawOthers = async (t: TenantTx, ctx: Deps, email: string): Promise<void> => {
  const now = ctx.clock.now()
  for (const id of await disableUnverifiedUsers(t, email, now)) {
    await endLoginTransactions(t, id, now)
    await recordEvent(t, ctx, { event: 'user.disabled', actor: bySystem, target: { type: 'user', id } })
  }
}

/** The person of that address, made if new, and able to use a link. */
const administratorOf = async (t: TenantTx, ctx: Deps, email: string): Promise<string> => {
  const known = await findUserByEmail(t, email)
  if (known !== undefined) {
    await setUserActive(t, known.id, true, ctx.clock.now())
    return known.id
  }
  const added = await addPlatformAdministrator(t, ctx, { email, name: 'Platform administrator', passwordHash: null, proved: false })
  if (added === undefined) throw new Error('The person appeared while the tenant was held.')
  return added
}

/**
 * Run at every start, after migrations. Makes the person without a password and mails a one-time link; of many processes that start at once, one does.
 * Does nothing once somebody has come in, and while a link is good; a link that ran out unused is replaced.
 * @throws ConfigError when it is no e-mail address
 */
export const invitePlatformAdministrator = async (ctx: Deps, address: string): Promise<Invitation> => {
  const email = normaliseEmail(address)
  if (email === undefined) throw new ConfigError('PLATFORM_ADMIN_EMAIL: must be an e-mail address')
  await ensureSystemTenant(ctx)
  const outcome = await atomically(forTenant(ctx.db, SYSTEM_TENANT), async (t): Promise<Invitation> => {
    await lockTenant(t)
    if (await hasVerifiedUser(t)) return 'claimed'
    const known = await findUserByEmail(t, email)
    if (known?.active && (await hasLoginTransaction(t, known.id, 'set_password', ctx.clock.now()))) return 'waiting'
    await withdrawOthers(t, ctx, email)
    const userId = await administratorOf(t, ctx, email)
    await mailSetPasswordLink(t, ctx, { userId, email, purpose: 'platform_administrator' })
    await recordEvent(t, ctx, { event: 'user.invited', actor: bySystem, target: { type: 'user', id: userId }, after: { email } })
    return 'invited'
  })
  if (outcome === 'invited') ctx.wakeOutbox()
  return outcome
}
