// Groups of people: create, rename, delete. Membership is in group-members.ts.
import type * as z from 'zod'
import { isUniqueViolation } from '#db/engine/client'
import { forTenant, type TenantId, type TenantTx } from '#db/engine/tenant'
import {
  addClientToGroups,
  deleteGroups,
  findGroup,
  findGroupsById,
  findGroupsByName,
  findGroupsOfPerson,
  findMembers,
  type Group,
  hasClient,
  insertGroups,
  listGroups,
  removeClientFromGroups,
  updateGroup,
} from '#db/store/groups'
import { guardAdministrators } from '#shared/domains/authority/access-change'
import { actInTenant, requireRightsOfGroups } from '#shared/domains/authority/acting-tenant'
import type { RequestCtx } from '#shared/domains/context'
import { requireQuotaRoom } from '#shared/domains/tenancy/quotas'
import { AppError } from '#shared/kernel/errors'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import type { User } from '#shared/platform/principals/principal'
import { Id } from './fields.schema.ts'
import type { CreateGroups, GroupObject, MapGroups, UpdateGroup } from './groups.schema.ts'
import { MAX_ROWS, requirePerson, toUserResponses } from './people.ts'

export const toGroupResponse = (group: Group): z.input<typeof GroupObject> => ({
  id: group.id,
  name: group.name,
  description: group.description,
  tenant_id: group.tenantId,
  created_at: group.createdAt.toISOString(),
  updated_at: group.updatedAt.toISOString(),
})

/** Creates missing groups and returns all of them in the order of the names. @throws AppError quota_exceeded */
export const createGroups = async (ctx: RequestCtx, caller: User, tenantId: TenantId, body: z.output<typeof CreateGroups>) => {
  const names = [...new Set(body.groups.map((group) => (typeof group === 'string' ? group : group.name)))]
  const groups = await actInTenant(ctx, caller, tenantId, async (t) => {
    const known = await findGroupsByName(t, names)
    await requireQuotaRoom(t, 'groups', names.length - known.length)
    const added = await insertGroups(
      t,
      names.map((name) => ({ id: ctx.random.id(), name })),
      ctx.clock.now(),
    )
    for (const group of added)
      await recordEvent(t, ctx, {
        event: 'group.created',
        actor: byUser(caller),
        target: { type: 'group', id: group.id },
        after: { name: group.name },
      })
    return findGroupsByName(t, names)
  })
  const byName = new Map(groups.map((group) => [group.name, group]))
  return { message: 'Groups created', groups: names.flatMap((name) => byName.get(name) ?? []).map(toGroupResponse) }
}

export const showGroups = async (ctx: RequestCtx, tenantId: TenantId) => ({
  groups: (await listGroups(forTenant(ctx.db, tenantId), MAX_ROWS)).map(toGroupResponse),
})

/** Groups with their members: all, or those of one person. @throws AppError not_found */
export const showGroupsWithMembers = async (ctx: RequestCtx, tenantId: TenantId, userId: string | undefined) => {
  const t = forTenant(ctx.db, tenantId)
  const groups = userId === undefined ? await listGroups(t, MAX_ROWS) : await findGroupsOfPerson(t, (await requirePerson(t, userId)).id)
  const members = await findMembers(
    t,
    groups.map(({ id }) => id),
    MAX_ROWS,
  )
  const people = new Map(members.map(({ user }) => [user.id, user]))
  const users = new Map((await toUserResponses(ctx, t, [...people.values()])).map((user) => [user.id, user]))
  return {
    groups: groups.map((group) => ({
      group: toGroupResponse(group),
      users: members.filter(({ groupId }) => groupId === group.id).flatMap(({ user }) => users.get(user.id) ?? []),
    })),
  }
}

/** @throws AppError not_found, group_exists */
export const renameGroup = async (ctx: RequestCtx, caller: User, tenantId: TenantId, groupId: string, body: z.output<typeof UpdateGroup>) => {
  await actInTenant(ctx, caller, tenantId, async (t) => {
    const group = await findGroup(t, groupId)
    if (group === undefined) throw new AppError('not_found')
    const set = { name: body.name, ...(body.description === undefined ? {} : { description: body.description }) }
    await updateGroup(t, groupId, { ...set, updatedAt: ctx.clock.now() })
    await recordEvent(t, ctx, {
      event: 'group.updated',
      actor: byUser(caller),
      target: { type: 'group', id: groupId },
      before: { name: group.name, description: group.description },
      after: set,
    })
  }).catch((error: unknown) => {
    throw isUniqueViolation(error) ? new AppError('group_exists', undefined, { field: 'body.name' }) : error
  })
  return { message: 'Group updated' }
}

/** Validates the ids of the body and the query. @throws AppError invalid_request */
export const requireGroupNames = (texts: readonly string[]): string[] => {
  if (texts.length === 0) throw new AppError('invalid_request', 'Name at least one group by its id.', { field: 'body.groups' })
  if (texts.length > MAX_ROWS) throw new AppError('invalid_request', `At most ${MAX_ROWS} groups.`, { field: 'body.groups' })
  return [
    ...new Set(
      texts.map((text) => {
        const id = Id.safeParse(text)
        if (!id.success) throw new AppError('invalid_request', 'Each group must be given by its id.', { field: 'body.groups' })
        return id.data
      }),
    ),
  ]
}

/**
 * Deletes groups with their memberships and bindings, all or none. Requires every right that they carry.
 * @throws AppError not_found, cannot_grant, last_administrator
 */
export const removeGroups = async (ctx: RequestCtx, caller: User, tenantId: TenantId, ids: readonly string[]) => {
  await actInTenant(ctx, caller, tenantId, (t, grantable) =>
    guardAdministrators(t, ctx, async () => {
      await requireRightsOfGroups(t, ctx, grantable, ids)
      const gone = await deleteGroups(t, ids)
      if (gone.length !== ids.length) throw new AppError('not_found')
      for (const group of gone)
        await recordEvent(t, ctx, {
          event: 'group.deleted',
          actor: byUser(caller),
          target: { type: 'group', id: group.id },
          before: { name: group.name, description: group.description },
        })
    }),
  )
  return { message: 'Groups deleted' }
}

/** @throws AppError not_found */
export const groupsByName = async (t: TenantTx, names: readonly string[]): Promise<Group[]> => {
  const distinct = [...new Set(names)]
  const groups = await findGroupsByName(t, distinct)
  if (groups.length !== distinct.length) throw new AppError('not_found', 'The group does not exist.')
  return groups
}

/** @throws AppError not_found */
export const groupById = async (t: TenantTx, groupId: string): Promise<Group> => {
  const [group] = await findGroupsById(t, [groupId])
  if (group === undefined) throw new AppError('not_found')
  return group
}

/**
 * Adds a client to groups or removes it. The client acts with the groups' rights, so both take those rights.
 * @throws AppError not_found, cannot_grant
 */
export const mapGroups = async (ctx: RequestCtx, caller: User, tenantId: TenantId, body: z.output<typeof MapGroups>, add: boolean) => {
  await actInTenant(ctx, caller, tenantId, async (t, grantable) => {
    if (!(await hasClient(t, body.client_id))) throw new AppError('not_found', 'The client does not exist.')
    const ids = (await groupsByName(t, body.groups)).map(({ id }) => id)
    await requireRightsOfGroups(t, ctx, grantable, ids)
    const changed = add ? await addClientToGroups(t, body.client_id, ids, ctx.clock.now()) : await removeClientFromGroups(t, body.client_id, ids)
    if (changed.length === 0) return
    await recordEvent(t, ctx, {
      event: add ? 'group.mapped_to_client' : 'group.unmapped_from_client',
      actor: byUser(caller),
      target: { type: 'client', id: body.client_id },
      after: { groups: changed },
    })
  })
  return { message: add ? 'Groups mapped to the client' : 'Groups unmapped from the client' }
}
