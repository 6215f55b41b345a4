// Who is in which group. Joining grants what the group carries and leaving takes it, so both need it; the last administrator stays.

import { forTenant, type TenantId, type TenantTx } from '#db/engine/tenant'
import { addMembers, findGroup, findGroupsOfPerson, findMembers, removeMembers } from '#db/store/groups'
import { findPeople } from '#db/store/people'
import { acting, requireRightsOfGroups } from '#shared/domains/authority/acting'
import { guardAdministrators } from '#shared/domains/authority/change'
import type { RequestCtx } from '#shared/domains/context'
import { AppError } from '#shared/kernel/errors'
import { byUser, record } from '#shared/platform/audit/record'
import { holds, type User } from '#shared/platform/principals/principal'
import { groupById, groupsByName, shownGroup } from './groups.ts'
import { administratorIds, MOST_ROWS, showUsers } from './people.ts'

type Change = { readonly groupIds: readonly string[]; readonly userIds: readonly string[]; readonly add: boolean }

/** All of them are people of the tenant. @throws AppError not_found */
const requirePeople = async (t: TenantTx, ids: readonly string[]): Promise<void> => {
  if ((await findPeople(t, ids)).length !== ids.length) throw new AppError('not_found', 'There is no such person.')
}

/** Under the policy lock; answers who really joined or left. @throws AppError not_found, last_administrator */
const change = async (t: TenantTx, ctx: RequestCtx, caller: User, { groupIds, userIds, add }: Change): Promise<ReadonlySet<string>> => {
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
    await record(t, ctx, {
      event: add ? 'group.members_added' : 'group.members_removed',
      actor: byUser(caller),
      target: { type: 'group', id: groupId },
      after: { user_ids: members },
    })
  }
  return new Set(changed.map(({ userId }) => userId))
}

/**
 * Many people join or leave one group: all of them, or nobody. Says of each what happened.
 * @throws AppError not_found, cannot_grant, last_administrator
 */
export const changeMembers = async (ctx: RequestCtx, caller: User, tenantId: TenantId, groupId: string, sent: readonly string[], add: boolean) => {
  const userIds = [...new Set(sent)]
  const changed = await acting(ctx, caller, tenantId, async (t, grants) => {
    await groupById(t, groupId)
    await requireRightsOfGroups(t, ctx, grants, [groupId])
    return change(t, ctx, caller, { groupIds: [groupId], userIds, add })
  })
  const [done, not] = add ? (['added', 'already_member'] as const) : (['removed', 'not_member'] as const)
  return {
    message: add ? 'Users added to the group' : 'Users removed from the group',
    group_id: groupId,
    user_count: sent.length,
    results: userIds.map((userId) => ({ user_id: userId, result: changed.has(userId) ? done : not })),
  }
}

/**
 * One person joins or leaves groups by name: all of them, or none.
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
  await acting(ctx, caller, tenantId, async (t, grants) => {
    const groupIds = (await groupsByName(t, names)).map(({ id }) => id)
    await requireRightsOfGroups(t, ctx, grants, groupIds)
    await change(t, ctx, caller, { groupIds, userIds: [userId], add })
  })
  return { message: add ? 'User added to the groups' : 'User removed from the groups' }
}

/** The caller's own groups; who else is in them is for those who may see people, and who administers for administrators. */
export const showMyGroups = async (ctx: RequestCtx, caller: User) => {
  const t = forTenant(ctx.db, caller.tenantId)
  const groups = await findGroupsOfPerson(t, caller.userId)
  const ids = groups.map(({ id }) => id)
  const members = holds(caller, 'users:read') ? (await findMembers(t, ids, MOST_ROWS)).map(({ user }) => user) : await findPeople(t, [caller.userId])
  const people = [...new Map(members.map((user) => [user.id, user])).values()]
  const shown = people.map((user) => ({
    id: user.id,
    email: user.email,
    name: user.name,
    provider: user.provider,
    ...(user.clientId === null ? {} : { client_id: user.clientId }),
    active: user.active,
  }))
  if (!holds(caller, 'admin:access')) return { groups: groups.map(shownGroup), users: shown }
  const administrators = new Set(await administratorIds(ctx, t))
  return { groups: groups.map(shownGroup), users: shown, admins: shown.filter(({ id }) => administrators.has(id)) }
}

/** @throws AppError not_found */
export const showMembers = async (ctx: RequestCtx, tenantId: TenantId, groupId: string) => {
  const t = forTenant(ctx.db, tenantId)
  if ((await findGroup(t, groupId)) === undefined) throw new AppError('not_found')
  return {
    users: await showUsers(
      ctx,
      t,
      (await findMembers(t, [groupId], MOST_ROWS)).map(({ user }) => user),
    ),
  }
}
