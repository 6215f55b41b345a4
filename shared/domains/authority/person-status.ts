// Enabling, disabling and deleting people. The primary and the last administrator stay, and disabling ends all access at once.

import type { TenantId, TenantTx } from '#db/engine/tenant'
import { endLoginTransactions } from '#db/store/login-transactions'
import { deleteUser, hasOtherActive, lockUser, setUserActive } from '#db/store/people'
import { countPersonRows } from '#db/store/person-data'
import { revokeSessions } from '#db/store/sessions'
import { deleteAdministrator, type User as UserRow } from '#db/store/users'
import type { RequestCtx } from '#shared/domains/context'
import { notify } from '#shared/domains/notifications/notify'
import { AppError } from '#shared/kernel/errors'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import type { AuditEvent } from '#shared/platform/audit/events'
import type { User } from '#shared/platform/principals/principal'
import { type GrantorPermissions, guardAdministrators } from './access-change.ts'
import { actInTenant, requireRightsOver } from './acting-tenant.ts'

/**
 * Locks the person's row until the transaction ends. Every caller locks the row before the person's login transactions: two orders could deadlock.
 * @throws AppError not_found
 */
export const lockPerson = async (t: TenantTx, userId: string): Promise<UserRow> => {
  const user = await lockUser(t, userId)
  if (user === undefined) throw new AppError('not_found')
  return user
}

/**
 * Whether the person proved the address. An unproved one may belong to a stranger, so nothing is mailed to it: an administrator who adds ten thousand people
 * must not be able to write to all of them.
 */
export const hasVerifiedAddress = (user: Pick<UserRow, 'emailVerifiedAt'>): boolean => user.emailVerifiedAt !== null

/** Ends every session of the person and all that depends on them. Returns how many sessions ended. */
export const revokeAllAccess = async (t: TenantTx, ctx: Pick<RequestCtx, 'clock'>, userId: string, reason: string): Promise<number> =>
  (await revokeSessions(t, userId, ctx.clock.now(), reason)).length

const recordStatus = (t: TenantTx, ctx: RequestCtx, caller: User, user: UserRow, event: AuditEvent, active: boolean): Promise<void> =>
  recordEvent(t, ctx, {
    event,
    actor: byUser(caller),
    target: { type: 'user', id: user.id },
    subjectId: user.id,
    before: { active: user.active },
    after: { active },
  })

/** @throws AppError primary_administrator, last_active_user */
export const requireRemovable = async (t: TenantTx, user: UserRow): Promise<void> => {
  if (user.isPrimaryAdmin) throw new AppError('primary_administrator')
  if (user.active && !(await hasOtherActive(t, user.id))) throw new AppError('last_active_user')
}

const disable = async (t: TenantTx, ctx: RequestCtx, user: UserRow): Promise<void> => {
  const now = ctx.clock.now()
  await setUserActive(t, user.id, false, now)
  await deleteAdministrator(t, user.id)
  await revokeAllAccess(t, ctx, user.id, 'deactivated')
  if (hasVerifiedAddress(user))
    await notify(t, ctx, { to: user.email, subjectId: user.id, template: 'session_revoked_all', data: { by: 'administrator' } })
}

export type StatusChange = {
  readonly tenantId: TenantId
  readonly userId: string
  readonly active: boolean
  /** `user.activated` or `user.deactivated` unless given; `user.deleted` for a deletion that keeps the row. */
  readonly event?: AuditEvent
}

/**
 * Enables or disables a locked person, under the policy lock. Returns whether that changed anything.
 * @throws AppError primary_administrator, last_administrator, last_active_user, cannot_grant
 */
export const switchActive = async (
  t: TenantTx,
  ctx: RequestCtx,
  caller: User,
  grantable: GrantorPermissions,
  user: UserRow,
  active: boolean,
  event?: AuditEvent,
): Promise<boolean> => {
  if (!active) await requireRemovable(t, user)
  await requireRightsOver(t, ctx, grantable, user.id)
  if (user.active === active) return false
  await guardAdministrators(t, ctx, async () => {
    if (active) await setUserActive(t, user.id, true, ctx.clock.now())
    else await disable(t, ctx, user)
  })
  await recordStatus(t, ctx, caller, user, event ?? (active ? 'user.activated' : 'user.deactivated'), active)
  return true
}

/**
 * Enables or disables a person. Both take every right that the person holds: enabling gives the rights back, and a lesser administrator must not be able to
 * disable those who could stop them. Changes nothing when the status is already so.
 * Routes that call this emit `user.activated`, `user.deactivated`, or the event given.
 * @throws AppError not_found, primary_administrator, last_administrator, last_active_user, cannot_grant
 */
export const setActive = async (ctx: RequestCtx, caller: User, change: StatusChange): Promise<UserRow> => {
  const { tenantId, userId, active } = change
  const changed = await actInTenant(ctx, caller, tenantId, async (t, grantable) => {
    const user = await lockPerson(t, userId)
    if (!active) await endLoginTransactions(t, userId, ctx.clock.now())
    if (!(await switchActive(t, ctx, caller, grantable, user, active, change.event))) return user
    return { ...user, active, updatedAt: ctx.clock.now() }
  })
  ctx.wakeOutbox()
  return changed
}

export type DeletedPerson = { readonly userId: string; readonly counts: Readonly<Record<string, number>> }

/**
 * Deletes a person and every dependent row. Takes every right that the person holds. Audit events about them stay readable: erasure is separate.
 * Routes that call this emit `user.deleted`.
 * @throws AppError not_found, primary_administrator, last_administrator, last_active_user, cannot_grant
 */
export const deletePerson = (ctx: RequestCtx, caller: User, tenantId: TenantId, userId: string): Promise<DeletedPerson> =>
  actInTenant(ctx, caller, tenantId, async (t, grantable) => {
    const user = await lockPerson(t, userId)
    await endLoginTransactions(t, userId, ctx.clock.now())
    await requireRemovable(t, user)
    await requireRightsOver(t, ctx, grantable, userId)
    const counts = await deletePersonRow(t, ctx, user)
    await recordEvent(t, ctx, {
      event: 'user.deleted',
      actor: byUser(caller),
      target: { type: 'user', id: userId },
      subjectId: userId,
      before: { email: user.email, name: user.name, active: user.active, external_id: user.externalId },
      after: { deleted: counts },
    })
    return { userId, counts }
  })

/** Deletes the row, its dependants and the directory entry. Call with the policy lock and the person locked. @throws AppError last_administrator */
export const deletePersonRow = async (t: TenantTx, ctx: Pick<RequestCtx, 'clock' | 'hash'>, user: UserRow): Promise<Record<string, number>> => {
  const counts = await countPersonRows(t, user.id)
  await guardAdministrators(t, ctx, async () => {
    await deleteAdministrator(t, user.id)
    await deleteUser(t, user.id)
  })
  return { ...counts, users: 1 }
}
