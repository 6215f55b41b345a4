// The first platform administrator: the address in PLATFORM_ADMIN_EMAIL, invited by mail at the first start. The first to register never becomes one.

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

/** `claimed`: an administrator has signed in. `waiting`: a link is pending. */
export type Invitation = 'invited' | 'waiting' | 'claimed'

/** Disables people invited under an earlier value of PLATFORM_ADMIN_EMAIL who never signed in, because that address may have been mistyped. */
const withdrawOthers = async (t: TenantTx, ctx: Deps, email: string): Promise<void> => {
  const now = ctx.clock.now()
  for (const id of await disableUnverifiedUsers(t, email, now)) {
    await endLoginTransactions(t, id, now)
    await recordEvent(t, ctx, { event: 'user.disabled', actor: bySystem, target: { type: 'user', id } })
  }
}

/** The person with that address, created if missing, and enabled so that the link works. */
const ensureInvitee = async (t: TenantTx, ctx: Deps, email: string): Promise<string> => {
  const known = await findUserByEmail(t, email)
  if (known !== undefined) {
    await setUserActive(t, known.id, true, ctx.clock.now())
    return known.id
  }
  const added = await addPlatformAdministrator(t, ctx, { email, name: 'Platform administrator', passwordHash: null, proved: false })
  if (added === undefined) throw new Error('The person was added although the tenant is locked.')
  return added
}

/**
 * Runs at every start, after migrations. Creates the person without a password and mails a one-time link; of concurrent processes one does. Does nothing once an
 * administrator has signed in, or while a link is valid; an expired link is replaced.
 * @throws ConfigError when the value is not an e-mail address
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
    const userId = await ensureInvitee(t, ctx, email)
    await mailSetPasswordLink(t, ctx, { userId, email, purpose: 'platform_administrator' })
    await recordEvent(t, ctx, { event: 'user.invited', actor: bySystem, target: { type: 'user', id: userId }, after: { email } })
    return 'invited'
  })
  if (outcome === 'invited') ctx.wakeOutbox()
  return outcome
}
