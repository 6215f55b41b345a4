// Queries on role bindings.
import { and, desc, eq, inArray, isNull, type SQL } from 'drizzle-orm'
import type { PgColumn } from 'drizzle-orm/pg-core'
import { column, columns, statement } from '../engine/statement.ts'
import { ownRows, type TenantDb, type TenantTx } from '../engine/tenant.ts'
import { groups, roleBindings, roles, serviceAccounts } from '../tables/access.ts'
import { users } from '../tables/users.ts'
import { afterCursor, keysetOrder, type Page } from './keyset.ts'
import { LIVE_ROLE_NAMES } from './live-bindings.ts'

export type Binding = typeof roleBindings.$inferSelect
export type BindingTarget = Pick<Binding, 'roleId' | 'userId' | 'serviceAccountId' | 'groupId' | 'scopeType' | 'scopeId'>
export type NewBinding = Omit<Binding, 'tenantId'>

/** Binds a role to a person for the whole tenant. False when it is already bound. */
export const bindRole = async (
  t: TenantTx,
  row: { readonly id: string; readonly roleId: string; readonly userId: string; readonly createdBy?: string; readonly at: Date },
): Promise<boolean> => {
  const added = await t.db
    .insert(roleBindings)
    .values({ tenantId: t.tenantId, id: row.id, roleId: row.roleId, userId: row.userId, createdBy: row.createdBy ?? null, createdAt: row.at })
    .onConflictDoNothing()
    .returning({ id: roleBindings.id })
  return added.length === 1
}

/** False when the same principal already has the role for the same scope. */
export const insertBinding = async (t: TenantTx, row: NewBinding): Promise<boolean> => {
  const added = await t.db
    .insert(roleBindings)
    .values({ ...row, tenantId: t.tenantId })
    .onConflictDoNothing()
    .returning({ id: roleBindings.id })
  return added.length === 1
}

const same = (column: PgColumn, value: string | null): SQL => (value === null ? isNull(column) : eq(column, value))

/** The binding of the same principal, role and scope. */
export const findSameBinding = async (t: TenantDb, target: BindingTarget): Promise<Binding | undefined> => {
  const [row] = await t.db
    .select()
    .from(roleBindings)
    .where(
      and(
        ownRows(t, roleBindings),
        eq(roleBindings.roleId, target.roleId),
        same(roleBindings.userId, target.userId),
        same(roleBindings.serviceAccountId, target.serviceAccountId),
        same(roleBindings.groupId, target.groupId),
        same(roleBindings.scopeType, target.scopeType),
        same(roleBindings.scopeId, target.scopeId),
      ),
    )
  return row
}

export const findBinding = async (t: TenantDb, id: string): Promise<Binding | undefined> => {
  const [row] = await t.db
    .select()
    .from(roleBindings)
    .where(and(ownRows(t, roleBindings), eq(roleBindings.id, id)))
  return row
}

/** Bindings of the person, without those of the person's groups. */
export const findBindingsOfPerson = async (t: TenantDb, userId: string, roleId: string): Promise<Binding[]> =>
  t.db
    .select()
    .from(roleBindings)
    .where(and(ownRows(t, roleBindings), eq(roleBindings.userId, userId), eq(roleBindings.roleId, roleId)))

export const deleteBinding = async (t: TenantTx, id: string): Promise<boolean> => {
  const gone = await t.db
    .delete(roleBindings)
    .where(and(ownRows(t, roleBindings), eq(roleBindings.id, id)))
    .returning({ id: roleBindings.id })
  return gone.length === 1
}

/** Bindings of a role, oldest first. */
export const findBindingsOfRole = async (t: TenantDb, roleId: string, limit: number): Promise<Binding[]> =>
  t.db
    .select()
    .from(roleBindings)
    .where(and(ownRows(t, roleBindings), eq(roleBindings.roleId, roleId)))
    .orderBy(roleBindings.createdAt, roleBindings.id)
    .limit(limit)

export type BindingFilter = {
  readonly userId?: string
  readonly serviceAccountId?: string
  readonly groupId?: string
  readonly roleId?: string
  readonly scopeType?: string
  readonly page: Page<'created_at'>
}
export type ListedBinding = Binding & { readonly roleName: string; readonly username: string | null; readonly email: string | null }
const KEYSET = { id: roleBindings.id, by: { created_at: roleBindings.createdAt } }

export const listBindings = async (t: TenantDb, f: BindingFilter): Promise<ListedBinding[]> => {
  const conditions: (SQL | undefined)[] = [
    ownRows(t, roleBindings),
    f.userId === undefined ? undefined : eq(roleBindings.userId, f.userId),
    f.serviceAccountId === undefined ? undefined : eq(roleBindings.serviceAccountId, f.serviceAccountId),
    f.groupId === undefined ? undefined : eq(roleBindings.groupId, f.groupId),
    f.roleId === undefined ? undefined : eq(roleBindings.roleId, f.roleId),
    f.scopeType === undefined ? undefined : eq(roleBindings.scopeType, f.scopeType),
    afterCursor(f.page, KEYSET),
  ]
  const rows = await t.db
    .select({ binding: roleBindings, roleName: roles.name, username: users.username, email: users.email })
    .from(roleBindings)
    .innerJoin(roles, and(eq(roles.tenantId, roleBindings.tenantId), eq(roles.id, roleBindings.roleId)))
    .leftJoin(users, and(eq(users.tenantId, roleBindings.tenantId), eq(users.id, roleBindings.userId)))
    .where(and(...conditions))
    .orderBy(...keysetOrder(f.page, KEYSET))
    .limit(f.page.limit)
  return rows.map(({ binding, ...names }) => ({ ...binding, ...names }))
}

/** Bindings of any of these roles, newest first. */
export const listBindingsOfRoles = async (t: TenantDb, roleIds: readonly string[], limit: number): Promise<ListedBinding[]> => {
  if (roleIds.length === 0) return []
  const rows = await t.db
    .select({ binding: roleBindings, roleName: roles.name, username: users.username, email: users.email })
    .from(roleBindings)
    .innerJoin(roles, and(eq(roles.tenantId, roleBindings.tenantId), eq(roles.id, roleBindings.roleId)))
    .leftJoin(users, and(eq(users.tenantId, roleBindings.tenantId), eq(users.id, roleBindings.userId)))
    .where(and(ownRows(t, roleBindings), inArray(roleBindings.roleId, [...roleIds])))
    .orderBy(desc(roleBindings.createdAt), desc(roleBindings.id))
    .limit(limit)
  return rows.map(({ binding, ...names }) => ({ ...binding, ...names }))
}

export type AssignedPeople = { readonly count: number; readonly userIds: readonly string[]; readonly usernames: readonly string[] }

/**
 * The number of people directly bound to each of these roles (not through a group), and the first hundred of them, in one grouped statement. Roles
 * without people are absent. The count only reads the unique index.
 */
export const findAssignedPeople = async (t: TenantDb, roleIds: readonly string[], userId?: string): Promise<Map<string, AssignedPeople>> => {
  if (roleIds.length === 0) return new Map()
  const rows = (await t.run({
    text: `with assigned as (
        select b.role_id, b.user_id, row_number() over (partition by b.role_id order by b.user_id) as place
        from (select distinct role_id, user_id from authsec.role_bindings
              where tenant_id = $1 and role_id = any ($2::uuid[]) and user_id is not null and ($3::uuid is null or user_id = $3)) b)
      select a.role_id, count(*)::int,
        coalesce(array_agg(a.user_id::text order by a.place) filter (where a.place <= 100), '{}'),
        coalesce(array_agg(coalesce(u.username, u.email) order by a.place) filter (where a.place <= 100), '{}')
      from assigned a left join authsec.users u on a.place <= 100 and u.tenant_id = $1 and u.id = a.user_id
      group by a.role_id`,
    params: [t.tenantId, `{${roleIds.join(',')}}`, userId ?? null],
    arrays: true,
  })) as [string, number, string[], string[]][]
  return new Map(rows.map(([roleId, count, userIds, usernames]) => [roleId, { count, userIds, usernames }]))
}

/** Names of service accounts and groups, the other principals to which a role may be bound. (People: `findUser`.) */
export const findServiceAccountName = async (t: TenantDb, id: string): Promise<string | undefined> => {
  const [row] = await t.db
    .select({ name: serviceAccounts.name })
    .from(serviceAccounts)
    .where(and(ownRows(t, serviceAccounts), eq(serviceAccounts.id, id)))
  return row?.name
}

export const findGroupName = async (t: TenantDb, id: string): Promise<string | undefined> => {
  const [row] = await t.db
    .select({ name: groups.name })
    .from(groups)
    .where(and(ownRows(t, groups), eq(groups.id, id)))
  return row?.name
}

const ROLE_NAMES = columns({ names: column<string[]>(LIVE_ROLE_NAMES(':userId', ':now')) })
const FIND_ROLE_NAMES = statement<{ userId: string; now: Date }>(`select ${ROLE_NAMES.list}`).returning(ROLE_NAMES)

/** Names of the roles that a person holds for the whole tenant now, directly or through a group: the same bindings as `LIVE_PERMISSIONS`. */
export const findLiveRoleNames = async (t: TenantDb, userId: string, now: Date): Promise<string[]> =>
  (await FIND_ROLE_NAMES.first(t, { userId, now }))?.names ?? []
