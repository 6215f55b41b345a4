// Members of groups. Joining grants the group's rights and leaving removes them, so both take those rights. The last administrator stays.

import { forTenant, type TenantId, type TenantTx } from '#db/engine/tenant'
import { addMembers, findGroup, findGroupsOfPerson, findMembers, removeMembers } from '#db/store/groups'
import { findPeople } from '#db/store/people'
import { guardAdministrators } from '#shared/domains/authority/access-change'
import { actInTenant, requireRightsOfGroups } from '#shared/domains/authority/acting-tenant'
import type { RequestCtx } from '#shared/domains/context'
import { AppError } from '#shared/kernel/errors'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import { hasPermission, type User } from '#shared/platform/principals/principal'
import { groupById, groupsByName, toGroupResponse } from './groups.ts'
import { administratorIds, MAX_ROWS, toUserResponses } from './people.ts'

type Change = { readonly groupIds: readonly string[]; readonly userIds: readonly string[]; readonly add: boolean }

/** Requires all to be people of the tenant. @throws AppError not_found */
const requirePeople = async (t: TenantTx, ids: readonly string[]): Promise<void> => {
  if ((await findPeople(t, ids)).length !== ids.length) throw new AppError('not_found', 'The person does not exist.')
}

/** Call under the policy lock. Returns who actually joined or left. @throws AppError not_found, last_administrator */
const changeMemberships = async (t: TenantTx, ctx: RequestCtx, caller: User, { groupIds, userIds, add }: Change): Promise<ReadonlySet<string>> => {
  await requirePeople(t, userIds)
  const changed = await guardAdministrators(t, ctx, () =>
    add
      ? addMembers(
          t,
          groupIds.flatMap((groupId) => userIds.map((userId) => ({ userId, groupId }))),
          ctx.clock.now(),
        )
      : removeMembers(t, userIds, groupIds),
  )
  for (const groupId of groupIds) {
    const members = changed.filter((row) => row.groupId === groupId).map(({ userId }) => userId)
    if (members.length === 0) continue
    await recordEvent(t, ctx, {
      event: add ? 'group.members_added' : 'group.members_removed',
      actor: byUser(caller),
      target: { type: 'group', id: groupId },
      after: { user_ids: members },
    })
  }
  return new Set(changed.map(({ userId }) => userId))
}

/**
 * Adds people to a group or removes them, all or none. The answer names the result for each.
 * @throws AppError not_found, cannot_grant, last_administrator
 */
export const changeMembers = async (ctx: RequestCtx, caller: User, tenantId: TenantId, groupId: string, ids: readonly string[], add: boolean) => {
  const userIds = [...new Set(ids)]
  const changed = await actInTenant(ctx, caller, tenantId, async (t, grantable) => {
    await groupById(t, groupId)
    await requireRightsOfGroups(t, ctx, grantable, [groupId])
    return changeMemberships(t, ctx, caller, { groupIds: [groupId], userIds, add })
  })
  const [done, not] = add ? (['added', 'already_member'] as const) : (['removed', 'not_member'] as const)
  return {
    message: add ? 'Users added to the group' : 'Users removed from the group',
    group_id: groupId,
    user_count: ids.length,
    results: userIds.map((userId) => ({ user_id: userId, result: changed.has(userId) ? done : not })),
  }
}

/**
 * Adds one person to groups or removes them, by name, all or none.
 * @throws AppError not_found, cannot_grant, last_administrator
 */
export const changeGroupsOfPerson = async (
  ctx: RequestCtx,
  caller: User,
  tenantId: TenantId,
  userId: string,
  names: readonly string[],
  add: boolean,
) => {
  await actInTenant(ctx, caller, tenantId, async (t, grantable) => {
    const groupIds = (await groupsByName(t, names)).map(({ id }) => id)
    await requireRightsOfGroups(t, ctx, grantable, groupIds)
    await changeMemberships(t, ctx, caller, { groupIds, userIds: [userId], add })
  })
  return { message: add ? 'User added to the groups' : 'User removed from the groups' }
}

/** The caller's own groups. Other members need `users:read`, and the administrators `admin:access`. */
export const showMyGroups = async (ctx: RequestCtx, caller: User) => {
  const t = forTenant(ctx.db, caller.tenantId)
  const groups = await findGroupsOfPerson(t, caller.userId)
  const ids = groups.map(({ id }) => id)
  const members = hasPermission(caller, 'users:read')
    ? (await findMembers(t, ids, MAX_ROWS)).map(({ user }) => user)
    : await findPeople(t, [caller.userId])
  const people = [...new Map(members.map((user) => [user.id, user])).values()]
  const users = people.map((user) => ({
    id: user.id,
    email: user.email,
    name: user.name,
    provider: user.provider,
    ...(user.clientId === null ? {} : { client_id: user.clientId }),
    active: user.active,
  }))
  if (!hasPermission(caller, 'admin:access')) return { groups: groups.map(toGroupResponse), users }
  const administrators = new Set(await administratorIds(ctx, t))
  return { groups: groups.map(toGroupResponse), users, admins: users.filter(({ id }) => administrators.has(id)) }
}

/** @throws AppError not_found */
export const showMembers = async (ctx: RequestCtx, tenantId: TenantId, groupId: string) => {
  const t = forTenant(ctx.db, tenantId)
  if ((await findGroup(t, groupId)) === undefined) throw new AppError('not_found')
  return {
    users: await toUserResponses(
      ctx,
      t,
      (await findMembers(t, [groupId], MAX_ROWS)).map(({ user }) => user),
    ),
  }
}
