// Access changes: one at a time in a tenant, limited to what the caller may grant, and never leaving the tenant without an administrator.

import { atomically, forTenant, SYSTEM_TENANT, type TenantDb, type TenantId, type TenantTx } from '#db/engine/tenant'
import { type Administrator, findAdministrators, findListedAdministrators, holdsSystemRole } from '#db/store/administrators'
import { findRolePermissions, type Role } from '#db/store/roles'
import { lockPolicy } from '#db/store/tenants'
import { deleteAdministrator, findLivePermissions, findUser, putAdministrator } from '#db/store/users'
import type { RequestCtx } from '#shared/domains/context'
import { ADMIN_ROLE, PLATFORM_ROLE } from '#shared/domains/tenancy/seeds'
import { AppError } from '#shared/kernel/errors'
import { emailHash } from '#shared/platform/crypto/email-hash'
import type { Permission, User } from '#shared/platform/principals/principal'

type Deps = Pick<RequestCtx, 'db' | 'clock' | 'hash'>

/** The system role whose holders administer the tenant. */
export const administratorRole = (tenantId: TenantId): string => (tenantId === SYSTEM_TENANT ? PLATFORM_ROLE : ADMIN_ROLE)

/** What the caller may grant. `full` means that they hold the tenant's system role, which counts for more than the permissions listed in it. */
export type GrantorPermissions = { readonly covers: (permission: string) => boolean; readonly full: boolean }

/** The permissions that a person holds now, read from the store; none for a disabled or deleted person. */
export const findHeldPermissions = async (t: TenantDb, ctx: Pick<Deps, 'clock'>, userId: string): Promise<ReadonlySet<string>> => {
  const user = await findUser(t, userId)
  const isActive = user?.active === true && user.deletedAt === null
  return new Set(isActive ? await findLivePermissions(t, userId, ctx.clock.now()) : [])
}

/** Whether the person has the tenant's whole administrator role now. */
export const holdsFullRole = (t: TenantDb, ctx: Pick<Deps, 'clock'>, userId: string): Promise<boolean> =>
  holdsSystemRole(t, userId, administratorRole(t.tenantId), ctx.clock.now())

/**
 * What a person may grant: permissions that they hold in the store and in this session. A session too weak for `admin:access` cannot grant it, and a person
 * disabled since the request arrived grants nothing. The tenant's system role counts as every permission of its tenant except `platform:*`.
 */
export const grantorPermissions = async (t: TenantTx, ctx: Pick<Deps, 'clock'>, caller: User): Promise<GrantorPermissions> => {
  const live = await findHeldPermissions(t, ctx, caller.userId)
  const held = (permission: string): boolean => live.has(permission) && caller.permissions.has(permission as Permission)
  const full = held('admin:access') && (await holdsFullRole(t, ctx, caller.userId))
  return { full, covers: (permission) => held(permission) || (full && !permission.startsWith('platform:')) }
}

/**
 * Required for what can reach every person of the tenant, administrators included: no list of permissions covers that. `what` completes the sentence.
 * @throws AppError cannot_grant
 */
export const requireFullRole = ({ full }: GrantorPermissions, what: string): void => {
  if (!full) throw new AppError('cannot_grant', `Only a holder of the whole administrator role can ${what}.`)
}

/** @throws AppError cannot_grant */
export const requireGrantable = (grantable: GrantorPermissions, permissions: readonly string[]): void => {
  const missing = permissions.find((permission) => !grantable.covers(permission))
  if (missing !== undefined) throw new AppError('cannot_grant', `You can only grant permissions that you hold; you do not hold ${missing}.`)
}

/**
 * Required to give a role by a binding, or by membership of a group that has it.
 * @throws AppError cannot_grant
 */
export const requireRoleGrantable = async (
  t: TenantTx,
  grantable: GrantorPermissions,
  role: Pick<Role, 'id' | 'name' | 'isSystem'>,
): Promise<void> => {
  if (role.isSystem && role.name === administratorRole(t.tenantId)) requireFullRole(grantable, 'make others administrators of the tenant')
  requireGrantable(
    grantable,
    (await findRolePermissions(t, role.id)).map(({ resource, action }) => `${resource}:${action}`),
  )
}

/** Serialises access changes of the tenant and passes what the caller may grant at that moment. */
export const actAsGrantor = <T>(ctx: Deps, caller: User, work: (t: TenantTx, grantable: GrantorPermissions) => Promise<T>): Promise<T> =>
  atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    await lockPolicy(t)
    return work(t, await grantorPermissions(t, ctx, caller))
  })

const hasAny = (people: readonly Administrator[], matches: (person: Administrator) => boolean): boolean => people.some(matches)

/** Kinds of administrator that a tenant must keep once it has one: permanent, with the full system role, and both for the primary administrator. */
const PROTECTED_KINDS: readonly ((person: Administrator) => boolean)[] = [
  (person) => person.active && person.permanent,
  (person) => person.active && person.full,
  (person) => person.isPrimaryAdmin && person.permanent,
  (person) => person.isPrimaryAdmin && person.full,
]

/** Keeps the directory, by which sign-in finds an administrator's tenants, equal to the tenant's active administrators. */
const syncDirectory = async (t: TenantTx, ctx: Pick<Deps, 'hash'>, administrators: readonly Administrator[]): Promise<void> => {
  const listed = new Set(await findListedAdministrators(t))
  const now = new Set(administrators.map((person) => person.userId))
  for (const person of administrators) {
    if (!listed.has(person.userId))
      await putAdministrator(t, { emailHash: emailHash(ctx, person.email), userId: person.userId, provedAt: person.emailVerifiedAt })
  }
  for (const userId of listed) if (!now.has(userId)) await deleteAdministrator(t, userId)
}

/**
 * Runs a change that may give or remove `admin:access`, then checks that the tenant keeps its administrators; otherwise the transaction fails. Call under the
 * tenant's policy lock.
 * @throws AppError last_administrator
 */
export const guardAdministrators = async <T>(t: TenantTx, ctx: Pick<Deps, 'clock' | 'hash'>, change: () => Promise<T>): Promise<T> => {
  const [role, now] = [administratorRole(t.tenantId), ctx.clock.now()]
  const before = await findAdministrators(t, role, now)
  const result = await change()
  const after = await findAdministrators(t, role, now)
  if (PROTECTED_KINDS.some((kind) => hasAny(before, kind) && !hasAny(after, kind))) throw new AppError('last_administrator')
  await syncDirectory(
    t,
    ctx,
    after.filter(({ active }) => active),
  )
  return result
}

/**
 * Runs a change of roles, bindings, permissions or groups.
 * @throws AppError last_administrator, and what `work` throws; nothing has changed then
 */
export const changeAccess = <T>(ctx: Deps, caller: User, work: (t: TenantTx, grantable: GrantorPermissions) => Promise<T>): Promise<T> =>
  actAsGrantor(ctx, caller, (t, grantable) => guardAdministrators(t, ctx, () => work(t, grantable)))
