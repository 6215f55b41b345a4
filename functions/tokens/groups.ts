// Groups in the shapes of the token service; the rules are those of group administration.
import type * as z from 'zod'
import { forTenant, type TenantId } from '#db/engine/tenant'
import { findGroup, findMembers } from '#db/store/groups'
import { changeMembers } from '#shared/domains/administration/group-members'
import { createGroups, removeGroups, renameGroup, showGroups, toGroupResponse } from '#shared/domains/administration/groups'
import type { GroupObject } from '#shared/domains/administration/groups.schema'
import { MAX_ROWS } from '#shared/domains/administration/people'
import { AppError } from '#shared/kernel/errors'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import type { ChangeGroup, CreatedTokenGroups, GroupDeleted, ListedGroups, UsersAdded, UsersOfGroup, UsersRemoved } from './groups.schema.ts'

/** Creates groups. Existing ones are skipped, and returned like the new ones. */
export const createTokenGroups = async (
  ctx: Ctx,
  caller: User,
  tenantId: TenantId,
  names: readonly string[],
): Promise<z.input<typeof CreatedTokenGroups>> => {
  const { groups } = await createGroups(ctx, caller, tenantId, { tenant_id: tenantId, groups: [...names] })
  return { message: 'groups created', groups, count: groups.length }
}

export const showTokenGroups = async (ctx: Ctx, tenantId: TenantId): Promise<z.input<typeof ListedGroups>> => {
  const { groups } = await showGroups(ctx, tenantId)
  return { groups, count: groups.length }
}

/** @throws AppError not_found */
export const showTokenGroup = async (ctx: Ctx, tenantId: TenantId, groupId: string): Promise<z.input<typeof GroupObject>> => {
  const group = await findGroup(forTenant(ctx.db, tenantId), groupId)
  if (group === undefined) throw new AppError('not_found', 'group not found')
  return toGroupResponse(group)
}

/** @throws AppError not_found, group_exists */
export const changeTokenGroup = async (
  ctx: Ctx,
  caller: User,
  tenantId: TenantId,
  groupId: string,
  { name, description }: z.output<typeof ChangeGroup>,
): Promise<z.input<typeof GroupObject>> => {
  const group = await showTokenGroup(ctx, tenantId, groupId)
  const body = { tenant_id: tenantId, name: name ?? group.name, ...(description === undefined ? {} : { description }) }
  await renameGroup(ctx, caller, tenantId, groupId, body)
  return showTokenGroup(ctx, tenantId, groupId)
}

/** @throws AppError not_found, last_administrator */
export const deleteTokenGroup = async (ctx: Ctx, caller: User, tenantId: TenantId, groupId: string): Promise<z.input<typeof GroupDeleted>> => {
  await removeGroups(ctx, caller, tenantId, [groupId])
  return { message: 'group deleted' }
}

/** @throws AppError not_found, cannot_grant, last_administrator */
export const addUsers = async (
  ctx: Ctx,
  caller: User,
  tenantId: TenantId,
  groupId: string,
  ids: readonly string[],
): Promise<z.input<typeof UsersAdded>> => {
  const { results } = await changeMembers(ctx, caller, tenantId, groupId, ids, true)
  const added = results.filter(({ result }) => result === 'added').length
  return { message: 'users added', group_id: groupId, users_added: added, users_total: results.length }
}

/** @throws AppError not_found, last_administrator */
export const removeUsers = async (
  ctx: Ctx,
  caller: User,
  tenantId: TenantId,
  groupId: string,
  ids: readonly string[],
): Promise<z.input<typeof UsersRemoved>> => {
  const { results } = await changeMembers(ctx, caller, tenantId, groupId, ids, false)
  const removed = results.filter(({ result }) => result === 'removed').length
  return { message: 'users removed', group_id: groupId, users_removed: removed, users_total: results.length }
}

/** @throws AppError not_found */
export const usersOfGroup = async (ctx: Ctx, tenantId: TenantId, groupId: string): Promise<z.input<typeof UsersOfGroup>> => {
  const group = await showTokenGroup(ctx, tenantId, groupId)
  const members = await findMembers(forTenant(ctx.db, tenantId), [groupId], MAX_ROWS)
  const users = members.map(({ user }) => ({ id: user.id, email: user.email, name: user.name, active: user.active }))
  return { group_id: groupId, group_name: group.name, users, count: users.length }
}
