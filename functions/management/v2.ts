// Administrators and end users of a tenant as the newer administration UI sees them. The rules are those of the other administrative paths.
import type * as z from 'zod'
import { forTenant, type TenantDb } from '#db/engine/tenant'
import { type Administrator, findAdministrators } from '#db/store/administrators'
import { type ListedBinding, listBindings } from '#db/store/bindings'
import { findGroupsOfPerson } from '#db/store/groups'
import { countConsentsOfPeople } from '#db/store/oauth-authorizations'
import { findPeople, listPeople, narrowPeopleFilter } from '#db/store/people'
import { findRoleByName } from '#db/store/roles'
import { isInvitationPending, type User as UserRow } from '#db/store/users'
import { assignRole, revokeRoleOf } from '#shared/domains/administration/bindings'
import { requirePerson } from '#shared/domains/administration/people'
import { administratorRole } from '#shared/domains/authority/access-change'
import { setActive } from '#shared/domains/authority/person-status'
import { AppError } from '#shared/kernel/errors'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import type {
  EffectiveAccess,
  EndUserQuery,
  EndUserState,
  EndUserStates,
  GroupBinding,
  Membership,
  MembershipChange,
  MembershipChanged,
  MembershipQuery,
  Memberships,
} from './v2.schema.ts'

const MOST_LISTED = 500
const iso = (at: Date | null): string | null => at?.toISOString() ?? null

const userMembers = (user: UserRow) => ({
  user_email: user.email,
  user_name: user.name,
  ...(user.username === null ? {} : { user_username: user.username }),
  user_last_login: iso(user.lastLoginAt),
  created_at: user.createdAt.toISOString(),
  updated_at: user.updatedAt.toISOString(),
})

const membershipType = ({ isPrimaryAdmin, full }: Administrator): 'owner' | 'admin' | 'member' => {
  if (isPrimaryAdmin) return 'owner'
  return full ? 'admin' : 'member'
}

const toMembership = (user: UserRow, administrator: Administrator): z.input<typeof Membership> => {
  const isInvited = isInvitationPending(user)
  return {
    id: user.id,
    tenant_id: user.tenantId,
    user_id: user.id,
    status: !user.active ? 'suspended' : isInvited ? 'invited' : 'active',
    membership_type: membershipType(administrator),
    source: user.invitedBy === null ? user.provider : 'invitation',
    external_id: user.externalId,
    invited_by: user.invitedBy,
    joined_at: isInvited ? null : user.createdAt.toISOString(),
    ...userMembers(user),
  }
}

const membershipsOf = async (ctx: Ctx, t: TenantDb): Promise<z.input<typeof Membership>[]> => {
  const administrators = new Map((await findAdministrators(t, administratorRole(t.tenantId), ctx.clock.now())).map((one) => [one.userId, one]))
  const people = await findPeople(t, [...administrators.keys()])
  return people.flatMap((user) => {
    const administrator = administrators.get(user.id)
    return administrator === undefined ? [] : [toMembership(user, administrator)]
  })
}

/** People who administer the tenant, newest first. */
export const listMemberships = async (
  ctx: Ctx,
  caller: User,
  { status, type }: z.output<typeof MembershipQuery>,
): Promise<z.input<typeof Memberships>> => {
  const all = await membershipsOf(ctx, forTenant(ctx.db, caller.tenantId))
  const items = all.filter((one) => (status === undefined || one.status === status) && (type === undefined || one.membership_type === type))
  return { items, count: items.length }
}

/** @throws AppError not_found */
const requireMembership = async (ctx: Ctx, caller: User, userId: string): Promise<z.input<typeof Membership>> => {
  const found = (await membershipsOf(ctx, forTenant(ctx.db, caller.tenantId))).find(({ user_id }) => user_id === userId)
  if (found === undefined) throw new AppError('not_found')
  return found
}

const systemRoleId = async (ctx: Ctx, caller: User): Promise<string> => {
  const t = forTenant(ctx.db, caller.tenantId)
  const role = await findRoleByName(t, administratorRole(t.tenantId))
  if (role === undefined) throw new AppError('not_found')
  return role.id
}

/** Makes a person an administrator. @throws AppError not_found, cannot_grant, conflict, quota_exceeded */
export const addMembership = async (ctx: Ctx, caller: User, userId: string): Promise<z.input<typeof Membership>> => {
  await assignRole(ctx, caller, { user_id: userId, role_id: await systemRoleId(ctx, caller) })
  return requireMembership(ctx, caller, userId)
}

/** Ends the administrator role; the person stays. @throws AppError not_found, cannot_grant, last_administrator */
export const endMembership = async (ctx: Ctx, caller: User, userId: string): Promise<undefined> => {
  await revokeRoleOf(ctx, caller, userId, await systemRoleId(ctx, caller))
  return undefined
}

/** @throws AppError not_found, cannot_grant, primary_administrator, last_administrator, last_active_user, conflict, quota_exceeded */
export const changeMembership = async (
  ctx: Ctx,
  caller: User,
  userId: string,
  { status, membership_type: type }: z.output<typeof MembershipChange>,
): Promise<z.input<typeof MembershipChanged>> => {
  await requireMembership(ctx, caller, userId)
  if (status === 'left') {
    await endMembership(ctx, caller, userId)
    return { tenant_id: caller.tenantId, user_id: userId, status }
  }
  if (status !== undefined) await setActive(ctx, caller, { tenantId: caller.tenantId, userId, active: status === 'active' })
  if (type !== undefined) await assignRole(ctx, caller, { user_id: userId, role_id: await systemRoleId(ctx, caller) })
  return requireMembership(ctx, caller, userId)
}

const toState = (user: UserRow, consents: number): z.input<typeof EndUserState> => ({
  tenant_id: user.tenantId,
  user_id: user.id,
  status: user.active ? 'active' : 'suspended',
  first_consent_at: user.createdAt.toISOString(),
  last_seen_at: iso(user.lastLoginAt),
  applications_count: consents,
  ...userMembers(user),
})

/** People of the tenant, newest first. */
export const listEndUserStates = async (
  ctx: Ctx,
  caller: User,
  { status, q }: z.output<typeof EndUserQuery>,
): Promise<z.input<typeof EndUserStates>> => {
  const t = forTenant(ctx.db, caller.tenantId)
  const filter = await narrowPeopleFilter(t, {
    ...(status === undefined ? {} : { active: status === 'active' }),
    ...(q === undefined ? {} : { search: q }),
  })
  const people = await listPeople(t, filter, { sort: 'created_at', descending: true, limit: MOST_LISTED })
  const consents = await countConsentsOfPeople(
    t,
    people.map(({ id }) => id),
  )
  return { items: people.map((user) => toState(user, consents.get(user.id) ?? 0)), count: people.length }
}

/** @throws AppError not_found */
export const readEndUserState = async (ctx: Ctx, caller: User, userId: string): Promise<z.input<typeof EndUserState>> => {
  const t = forTenant(ctx.db, caller.tenantId)
  const user = await requirePerson(t, userId)
  return toState(user, (await countConsentsOfPeople(t, [userId])).get(userId) ?? 0)
}

/** @throws AppError not_found, cannot_grant, primary_administrator, last_administrator, last_active_user */
export const setEndUserState = async (
  ctx: Ctx,
  caller: User,
  userId: string,
  status: 'active' | 'suspended',
): Promise<z.input<typeof EndUserState>> => {
  await setActive(ctx, caller, { tenantId: caller.tenantId, userId, active: status === 'active' })
  return readEndUserState(ctx, caller, userId)
}

/** @throws AppError invalid_request, not_found, cannot_grant, conflict, quota_exceeded */
export const bindGroup = (ctx: Ctx, caller: User, groupId: string, body: z.output<typeof GroupBinding>) =>
  assignRole(ctx, caller, {
    group_id: groupId,
    role_id: body.role_id,
    ...(body.scope_id === undefined ? {} : { scope: { type: body.scope_type, id: body.scope_id } }),
    ...(body.conditions === undefined ? {} : { conditions: body.conditions }),
    ...(body.expires_at === undefined ? {} : { expires_at: body.expires_at }),
  })

/** The live bindings that give a person access, directly or through a group. @throws AppError not_found */
export const showEffectiveAccess = async (ctx: Ctx, caller: User, userId: string): Promise<z.input<typeof EffectiveAccess>> => {
  const t = forTenant(ctx.db, caller.tenantId)
  await requirePerson(t, userId)
  const page = { sort: 'created_at' as const, descending: true, limit: MOST_LISTED }
  const rows = [...(await listBindings(t, { userId, page }))]
  for (const { id } of await findGroupsOfPerson(t, userId)) rows.push(...(await listBindings(t, { groupId: id, page })))
  const now = ctx.clock.now()
  const items = rows.filter(({ expiresAt }) => expiresAt === null || expiresAt > now).flatMap(toEffective)
  return { items, count: items.length }
}

const toEffective = (row: ListedBinding): z.input<typeof EffectiveAccess>['items'] => {
  const subjectId = row.userId ?? row.groupId
  if (subjectId === null) return []
  return [
    {
      binding_id: row.id,
      role_id: row.roleId,
      role_name: row.roleName,
      subject: row.userId === null ? 'group' : 'user',
      subject_id: subjectId,
      scope_type: row.scopeType,
      scope_id: row.scopeId,
      expires_at: iso(row.expiresAt),
    },
  ]
}
