// An administrator sets another person's password. It is temporary, must be changed at the next sign-in, and ends all access of the person.

import { forTenant, type TenantId, type TenantTx } from '#db/engine/tenant'
import { endLoginTransactions } from '#db/store/login-transactions'
import { findUserByEmail, type User as UserRow, updateUser } from '#db/store/users'
import type { GrantorPermissions } from '#shared/domains/authority/access-change'
import { actInTenant, requireRightsOver } from '#shared/domains/authority/acting-tenant'
import { hasVerifiedAddress, lockPerson } from '#shared/domains/authority/person-status'
import type { RequestCtx } from '#shared/domains/context'
import type { BreachedPasswords } from '#shared/domains/passwords/breached'
import { checkNewPassword } from '#shared/domains/passwords/policy'
import { replacePassword } from '#shared/domains/recovery/reset'
import { mailSetPasswordLink } from '#shared/domains/recovery/set-password-link'
import { secondsAfter } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import type { User } from '#shared/platform/principals/principal'
import { requireTenant } from './people.ts'
import { TEMPORARY_SECONDS, temporaryPassword } from './temporary-password.ts'

export type PasswordCtx = RequestCtx & { readonly breached: BreachedPasswords }
export type PersonSelector = { readonly email?: string | undefined; readonly userId?: string | undefined }

/** The person's id, given directly or by address. @throws AppError invalid_request, not_found */
const resolvePerson = async (ctx: RequestCtx, tenantId: TenantId, { email, userId }: PersonSelector): Promise<string> => {
  if (userId !== undefined) return userId
  if (email === undefined) throw new AppError('invalid_request', 'Give user_id or email.', { field: 'body.user_id' })
  const user = await findUserByEmail(forTenant(ctx.db, tenantId), email)
  if (user === undefined) throw new AppError('not_found')
  return user.id
}

/** Locks the person and requires every right that they hold. @throws AppError not_found, cannot_grant, forbidden */
const lockTarget = async (t: TenantTx, ctx: RequestCtx, caller: User, grantable: GrantorPermissions, userId: string): Promise<UserRow> => {
  const user = await lockPerson(t, userId)
  await endLoginTransactions(t, userId, ctx.clock.now())
  if (!user.active) throw new AppError('not_found')
  if (userId === caller.userId) throw new AppError('forbidden', 'Change your own password with POST /account/password.')
  await requireRightsOver(t, ctx, grantable, userId)
  return user
}

const recordSet = (t: TenantTx, ctx: RequestCtx, caller: User, userId: string, by: 'password' | 'link'): Promise<void> =>
  recordEvent(t, ctx, {
    event: 'user.password_set',
    actor: byUser(caller),
    target: { type: 'user', id: userId },
    subjectId: userId,
    after: { temporary: true, by },
  })

/** Marks the password as temporary for seven days. The caller becomes the inviter of an invited person. */
const makeTemporary = (t: TenantTx, ctx: RequestCtx, caller: User, { id, invitedBy }: UserRow): Promise<boolean> =>
  updateUser(t, id, {
    temporaryPassword: true,
    temporaryPasswordExpiresAt: secondsAfter(ctx.clock.now(), TEMPORARY_SECONDS),
    ...(invitedBy === null ? {} : { invitedBy: caller.userId }),
  })

export type PasswordChanged = { readonly userId: string; readonly email: string }

/**
 * Sets a password chosen by the caller. Routes that call this emit `user.password_set`.
 * @throws AppError invalid_request, not_found, forbidden, cannot_grant, password_*
 */
export const setPasswordOf = async (
  ctx: PasswordCtx,
  caller: User,
  tenantId: TenantId,
  selector: PersonSelector,
  password: string,
): Promise<PasswordChanged> => {
  const userId = await resolvePerson(ctx, tenantId, selector)
  // Checked before the hash is computed, and again under the lock.
  const first = await actInTenant(ctx, caller, tenantId, async (t, grantable) => {
    const user = await lockTarget(t, ctx, caller, grantable, userId)
    return { user, tenant: await requireTenant(t) }
  })
  await checkNewPassword(
    {
      password,
      email: first.user.email,
      name: first.user.name,
      tenantDomain: first.tenant.domain,
      secondFactorRequired: first.tenant.settings.requireSecondFactor === true,
      field: 'body.new_password',
    },
    ctx.breached,
  )
  const passwordHash = await ctx.passwords.hash(password)
  await actInTenant(ctx, caller, tenantId, async (t, grantable) => {
    const user = await lockTarget(t, ctx, caller, grantable, userId)
    await replacePassword(t, ctx, user, passwordHash, hasVerifiedAddress(user))
    await makeTemporary(t, ctx, caller, user)
    await recordSet(t, ctx, caller, userId, 'password')
  })
  ctx.wakeOutbox()
  return { userId, email: first.user.email }
}

export type PasswordReset = PasswordChanged & { readonly temporaryPassword?: string; readonly emailSent: boolean }

/**
 * Removes the old password. With `sendEmail` the person gets a one-time link to set a new one; otherwise, or when no mail can be sent, the caller gets a temporary
 * password. Routes that call this emit `user.password_set`.
 * @throws AppError invalid_request, not_found, forbidden, cannot_grant
 */
export const resetPasswordOf = async (
  ctx: PasswordCtx,
  caller: User,
  tenantId: TenantId,
  selector: PersonSelector,
  sendEmail: boolean,
): Promise<PasswordReset> => {
  const userId = await resolvePerson(ctx, tenantId, selector)
  const emailSent = sendEmail && (await ctx.quotas.allows(tenantId, 'mailsPerHour'))
  const password = temporaryPassword(ctx.random)
  const passwordHash = await ctx.passwords.hash(password)
  const email = await actInTenant(ctx, caller, tenantId, async (t, grantable) => {
    const user = await lockTarget(t, ctx, caller, grantable, userId)
    await replacePassword(t, ctx, user, passwordHash, hasVerifiedAddress(user))
    await makeTemporary(t, ctx, caller, user)
    if (emailSent) await mailSetPasswordLink(t, ctx, { userId, email: user.email, purpose: 'administrator_reset', hours: TEMPORARY_SECONDS / 3600 })
    await recordSet(t, ctx, caller, userId, emailSent ? 'link' : 'password')
    return user.email
  })
  ctx.wakeOutbox()
  return { userId, email, emailSent, ...(emailSent ? {} : { temporaryPassword: password }) }
}
