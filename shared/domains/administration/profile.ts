// Changes of a person's profile: the caller's own name and picture, or another person's entry with the required rights.
import { isUniqueViolation } from '#db/engine/client'
import type { TenantId, TenantTx } from '#db/engine/tenant'
import { endLoginTransactions } from '#db/store/login-transactions'
import { isUsernameTaken } from '#db/store/people'
import { deleteAdministrator, forgetDevices, putAdministrator, type User as UserRow, updateUser } from '#db/store/users'
import type { GrantorPermissions } from '#shared/domains/authority/access-change'
import { actInTenant, requireRightsOver } from '#shared/domains/authority/acting-tenant'
import { hasVerifiedAddress, lockPerson, revokeAllAccess } from '#shared/domains/authority/person-status'
import type { RequestCtx } from '#shared/domains/context'
import { notify } from '#shared/domains/notifications/notify'
import { AppError } from '#shared/kernel/errors'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import { emailHash } from '#shared/platform/crypto/email-hash'
import type { User } from '#shared/platform/principals/principal'
import { administratorIds, requireTenant } from './people.ts'

export type ProfileChange = {
  readonly name?: string | undefined
  readonly username?: string | null | undefined
  readonly email?: string | undefined
  readonly avatarUrl?: string | null | undefined
  readonly externalId?: string | null | undefined
  readonly tenantDomain?: string | undefined
}

type Given = {
  readonly tenantId: TenantId
  readonly userId: string
  readonly change: ProfileChange
  /** Checked against the locked row. @throws AppError precondition_failed */
  readonly precondition?: (user: UserRow) => void
}

type Field = keyof Omit<ProfileChange, 'tenantDomain'>
const FIELDS: readonly Field[] = ['name', 'username', 'email', 'avatarUrl', 'externalId']

/** The members that differ from the row. */
export const differences = (user: UserRow, change: ProfileChange): Partial<Pick<UserRow, Field>> =>
  Object.fromEntries(FIELDS.flatMap((field) => (change[field] === undefined || change[field] === user[field] ? [] : [[field, change[field]]])))

/** A new address set by an administrator is unproved and ends every session; the old address is notified if it was proved. */
const moveAddress = async (t: TenantTx, ctx: RequestCtx, user: UserRow, email: string): Promise<void> => {
  const hasAdminAccess = (await administratorIds(ctx, t)).includes(user.id)
  await updateUser(t, user.id, { email, emailVerifiedAt: null, createdUnproved: false, validFrom: ctx.clock.now() })
  if (hasAdminAccess) {
    await deleteAdministrator(t, user.id)
    await putAdministrator(t, { emailHash: emailHash(ctx, email), userId: user.id, provedAt: null })
  }
  await revokeAllAccess(t, ctx, user.id, 'email_changed')
  await forgetDevices(t, user.id)
  if (hasVerifiedAddress(user))
    await notify(t, ctx, { to: user.email, subjectId: user.id, template: 'email_change_notice', data: { newEmail: email } })
}

/**
 * Applies the differences to a locked person, under the policy lock. Returns whether anything changed. The address (which receives password resets) and the
 * external id (which trusted issuers name) identify the person, so changing them takes every right that the person holds.
 * @throws AppError email_taken, username_taken, cannot_grant, forbidden
 */
export const applyProfile = async (
  t: TenantTx,
  ctx: RequestCtx,
  caller: User,
  grantable: GrantorPermissions,
  user: UserRow,
  change: ProfileChange,
): Promise<boolean> => {
  const set = differences(user, change)
  const fields = Object.keys(set) as Field[]
  if (fields.length === 0) return false
  if (typeof set.username === 'string' && (await isUsernameTaken(t, set.username, user.id)))
    throw new AppError('username_taken', undefined, { field: 'body.username' })
  const { email, ...others } = set
  if (email !== undefined && user.id === caller.userId)
    throw new AppError('forbidden', 'Change your own address with POST /account/email.', { field: 'body.email' })
  if (email !== undefined || set.externalId !== undefined) await requireRightsOver(t, ctx, grantable, user.id)
  if (email !== undefined) await moveAddress(t, ctx, user, email)
  await updateUser(t, user.id, { ...others, updatedAt: ctx.clock.now() })
  await recordEvent(t, ctx, {
    event: email === undefined ? 'user.updated' : 'user.email_changed',
    actor: byUser(caller),
    target: { type: 'user', id: user.id },
    subjectId: user.id,
    before: Object.fromEntries(fields.map((field) => [field, user[field]])),
    after: set,
  })
  return true
}

/**
 * Changes a person's profile. The caller's own address can only change through codes to both mailboxes (POST /account/email).
 * Routes that call this emit `user.updated`, `user.email_changed`.
 * @throws AppError not_found, email_taken, username_taken, cannot_grant, forbidden, precondition_failed
 */
export const updateProfile = async (ctx: RequestCtx, caller: User, { tenantId, userId, change, precondition }: Given): Promise<void> => {
  await actInTenant(ctx, caller, tenantId, async (t, grantable) => {
    if (change.tenantDomain !== undefined && change.tenantDomain !== (await requireTenant(t)).domain)
      throw new AppError('invalid_request', 'A person must have the tenant\u2019s domain.', { field: 'body.tenant_domain' })
    const user = await lockPerson(t, userId)
    if (change.email !== undefined) await endLoginTransactions(t, userId, ctx.clock.now())
    precondition?.(user)
    await applyProfile(t, ctx, caller, grantable, user, change)
  }).catch((error: unknown) => {
    throw isUniqueViolation(error) ? new AppError('email_taken', 'The address or external id is taken.', { field: 'body.email' }) : error
  })
  ctx.wakeOutbox()
}
