// An administrator sets another's password. It is temporary: whoever gets it changes it at the next sign-in, and everything that was open is closed.

import { forTenant, type TenantId, type TenantTx } from '#db/engine/tenant'
import { endTickets } from '#db/store/tickets'
import { findUserByEmail, type User as UserRow, updateUser } from '#db/store/users'
import { acting, requireRightsOver } from '#shared/domains/authority/acting'
import type { Grants } from '#shared/domains/authority/change'
import { holdPerson, isReader } from '#shared/domains/authority/status'
import type { RequestCtx } from '#shared/domains/context'
import type { BreachedPasswords } from '#shared/domains/passwords/breached'
import { checkNewPassword } from '#shared/domains/passwords/policy'
import { replacePassword } from '#shared/domains/recovery/reset'
import { mailSetPasswordLink } from '#shared/domains/recovery/set-password-link'
import { secondsAfter } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import { byUser, record } from '#shared/platform/audit/record'
import type { User } from '#shared/platform/principals/principal'
import { tenantOf } from './people.ts'
import { TEMPORARY_SECONDS, temporaryPassword } from './temporary-password.ts'

export type PasswordCtx = RequestCtx & { readonly breached: BreachedPasswords }
export type Named = { readonly email?: string | undefined; readonly userId?: string | undefined }

/** Whose password: by id, or by address where the password is kept here. @throws AppError invalid_request, not_found */
const named = async (ctx: RequestCtx, tenantId: TenantId, { email, userId }: Named): Promise<string> => {
  if (userId !== undefined) return userId
  if (email === undefined) throw new AppError('invalid_request', 'Name the person by user_id or email.', { field: 'body.user_id' })
  const user = await findUserByEmail(forTenant(ctx.db, tenantId), email)
  if (user === undefined) throw new AppError('not_found')
  return user.id
}

/** @throws AppError not_found, cannot_grant, forbidden */
const holdTarget = async (t: TenantTx, ctx: RequestCtx, caller: User, grants: Grants, userId: string): Promise<UserRow> => {
  const user = await holdPerson(t, userId)
  await endTickets(t, userId, ctx.clock.now())
  if (!user.active) throw new AppError('not_found')
  if (userId === caller.userId) throw new AppError('forbidden', 'Your own password changes with the old one: POST /account/password.')
  await requireRightsOver(t, ctx, grants, userId)
  return user
}

const recordSet = (t: TenantTx, ctx: RequestCtx, caller: User, userId: string, by: 'password' | 'link'): Promise<void> =>
  record(t, ctx, {
    event: 'user.password_set',
    actor: byUser(caller),
    target: { type: 'user', id: userId },
    subjectId: userId,
    after: { temporary: true, by },
  })

/** A password that has to be changed, good for seven days. An invitation of the person is the caller's from now on. */
const makeTemporary = (t: TenantTx, ctx: RequestCtx, caller: User, { id, invitedBy }: UserRow): Promise<boolean> =>
  updateUser(t, id, {
    temporaryPassword: true,
    temporaryPasswordExpiresAt: secondsAfter(ctx.clock.now(), TEMPORARY_SECONDS),
    ...(invitedBy === null ? {} : { invitedBy: caller.userId }),
  })

export type PasswordChanged = { readonly userId: string; readonly email: string }

/**
 * Sets a password that somebody chose for another. Routes that call this emit `user.password_set`.
 * @throws AppError invalid_request, not_found, forbidden, cannot_grant, password_*
 */
export const setPasswordOf = async (ctx: PasswordCtx, caller: User, tenantId: TenantId, who: Named, password: string): Promise<PasswordChanged> => {
  const userId = await named(ctx, tenantId, who)
  // Judged before the hash is computed, and again under the lock.
  const first = await acting(ctx, caller, tenantId, async (t, grants) => {
    const user = await holdTarget(t, ctx, caller, grants, userId)
    return { user, tenant: await tenantOf(t) }
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
  await acting(ctx, caller, tenantId, async (t, grants) => {
    const user = await holdTarget(t, ctx, caller, grants, userId)
    await replacePassword(t, ctx, user, passwordHash, isReader(user))
    await makeTemporary(t, ctx, caller, user)
    await recordSet(t, ctx, caller, userId, 'password')
  })
  ctx.wakeOutbox()
  return { userId, email: first.user.email }
}

export type PasswordReset = PasswordChanged & { readonly temporaryPassword?: string; readonly emailSent: boolean }

/**
 * Takes the old password away. With `sendEmail` the person gets a one-time link to choose the next; else, or where no mail can go out, the caller gets a
 * temporary password. Routes that call this emit `user.password_set`.
 * @throws AppError invalid_request, not_found, forbidden, cannot_grant
 */
export const resetPasswordOf = async (ctx: PasswordCtx, caller: User, tenantId: TenantId, who: Named, sendEmail: boolean): Promise<PasswordReset> => {
  const userId = await named(ctx, tenantId, who)
  const emailSent = sendEmail && (await ctx.quotas.allows(tenantId, 'mailsPerHour'))
  const password = temporaryPassword(ctx.random)
  const passwordHash = await ctx.passwords.hash(password)
  const email = await acting(ctx, caller, tenantId, async (t, grants) => {
    const user = await holdTarget(t, ctx, caller, grants, userId)
    await replacePassword(t, ctx, user, passwordHash, isReader(user))
    await makeTemporary(t, ctx, caller, user)
    if (emailSent) await mailSetPasswordLink(t, ctx, { userId, email: user.email, purpose: 'administrator_reset', hours: TEMPORARY_SECONDS / 3600 })
    await recordSet(t, ctx, caller, userId, emailSent ? 'link' : 'password')
    return user.email
  })
  ctx.wakeOutbox()
  return { userId, email, emailSent, ...(emailSent ? {} : { temporaryPassword: password }) }
}
