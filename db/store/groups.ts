// Queries on groups, their members and their clients.
import { and, asc, eq, inArray } from 'drizzle-orm'
import { ownRows, type TenantDb, type TenantTx } from '../engine/tenant.ts'
import { groups, userGroups } from '../tables/access.ts'
import { clientGroups, clients } from '../tables/clients.ts'
import { users } from '../tables/users.ts'
import type { User } from './users.ts'

export type Group = typeof groups.$inferSelect

export const findGroup = async (t: TenantDb, groupId: string): Promise<Group | undefined> => {
  const [row] = await t.db
    .select()
    .from(groups)
    .where(and(ownRows(t, groups), eq(groups.id, groupId)))
  return row
}

export const findGroupsById = async (t: TenantDb, ids: readonly string[]): Promise<Group[]> =>
  ids.length === 0
    ? []
    : t.db
        .select()
        .from(groups)
        .where(and(ownRows(t, groups), inArray(groups.id, [...ids])))

export const findGroupsByName = async (t: TenantDb, names: readonly string[]): Promise<Group[]> =>
  names.length === 0
    ? []
    : t.db
        .select()
        .from(groups)
        .where(and(ownRows(t, groups), inArray(groups.name, [...names])))

/** Ordered by name. */
export const listGroups = (t: TenantDb, limit: number): Promise<Group[]> =>
  t.db.select().from(groups).where(ownRows(t, groups)).orderBy(asc(groups.name)).limit(limit)

/** Groups of a person, ordered by name. */
export const findGroupsOfPerson = async (t: TenantDb, userId: string): Promise<Group[]> => {
  const rows = await t.db
    .select({ group: groups })
    .from(userGroups)
    .innerJoin(groups, and(eq(groups.tenantId, userGroups.tenantId), eq(groups.id, userGroups.groupId)))
    .where(and(ownRows(t, userGroups), eq(userGroups.userId, userId)))
    .orderBy(asc(groups.name))
    .limit(1000)
  return rows.map(({ group }) => group)
}

/** Adds the groups with a free name and returns them. */
export const insertGroups = async (t: TenantTx, rows: readonly { readonly id: string; readonly name: string }[], at: Date): Promise<Group[]> =>
  rows.length === 0
    ? []
    : t.db
        .insert(groups)
        .values(rows.map((row) => ({ ...row, tenantId: t.tenantId, createdAt: at, updatedAt: at })))
        .onConflictDoNothing()
        .returning()

/** @throws unique_violation when another group has the name */
export const updateGroup = async (
  t: TenantTx,
  groupId: string,
  set: { readonly name: string; readonly description?: string | null; readonly updatedAt: Date },
): Promise<boolean> => {
  const changed = await t.db
    .update(groups)
    .set(set)
    .where(and(ownRows(t, groups), eq(groups.id, groupId)))
    .returning({ id: groups.id })
  return changed.length === 1
}

/** Deletes groups with their memberships and bindings. */
export const deleteGroups = async (t: TenantTx, ids: readonly string[]): Promise<Group[]> =>
  t.db
    .delete(groups)
    .where(and(ownRows(t, groups), inArray(groups.id, [...ids])))
    .returning()

/** People of each group, at most `limit` in total, newest members last. */
export const findMembers = async (t: TenantDb, groupIds: readonly string[], limit: number): Promise<{ groupId: string; user: User }[]> =>
  groupIds.length === 0
    ? []
    : t.db
        .select({ groupId: userGroups.groupId, user: users })
        .from(userGroups)
        .innerJoin(users, and(eq(users.tenantId, userGroups.tenantId), eq(users.id, userGroups.userId)))
        .where(and(ownRows(t, userGroups), inArray(userGroups.groupId, [...groupIds])))
        .orderBy(asc(userGroups.createdAt), asc(users.id))
        .limit(limit)

type Membership = { readonly userId: string; readonly groupId: string }

/** Adds members and returns the new ones. */
export const addMembers = async (t: TenantTx, rows: readonly Membership[], at: Date): Promise<Membership[]> =>
  rows.length === 0
    ? []
    : t.db
        .insert(userGroups)
        .values(rows.map((row) => ({ ...row, tenantId: t.tenantId, createdAt: at })))
        .onConflictDoNothing()
        .returning({ userId: userGroups.userId, groupId: userGroups.groupId })

/** Removes members and returns the removed ones. */
export const removeMembers = async (t: TenantTx, userIds: readonly string[], groupIds: readonly string[]): Promise<Membership[]> =>
  t.db
    .delete(userGroups)
    .where(and(ownRows(t, userGroups), inArray(userGroups.userId, [...userIds]), inArray(userGroups.groupId, [...groupIds])))
    .returning({ userId: userGroups.userId, groupId: userGroups.groupId })

export const hasClient = async (t: TenantDb, clientId: string): Promise<boolean> => {
  const rows = await t.db
    .select({ id: clients.id })
    .from(clients)
    .where(and(ownRows(t, clients), eq(clients.id, clientId)))
  return rows.length === 1
}

/** Adds the client and returns the ids of the groups in which it was new. */
export const addClientToGroups = async (t: TenantTx, clientId: string, groupIds: readonly string[], at: Date): Promise<string[]> => {
  const rows = await t.db
    .insert(clientGroups)
    .values(groupIds.map((groupId) => ({ tenantId: t.tenantId, clientId, groupId, createdAt: at })))
    .onConflictDoNothing()
    .returning({ groupId: clientGroups.groupId })
  return rows.map((row) => row.groupId)
}

/** Removes the client and returns the ids of the groups that it left. */
export const removeClientFromGroups = async (t: TenantTx, clientId: string, groupIds: readonly string[]): Promise<string[]> => {
  const rows = await t.db
    .delete(clientGroups)
    .where(and(ownRows(t, clientGroups), eq(clientGroups.clientId, clientId), inArray(clientGroups.groupId, [...groupIds])))
    .returning({ groupId: clientGroups.groupId })
  return rows.map((row) => row.groupId)
}
