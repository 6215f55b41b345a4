// Lists and changes of people for administrators. Data for sign-in is in users.ts.
import { and, count, desc, eq, exists, inArray, isNotNull, isNull, ne, notExists, or, type SQL, sql } from 'drizzle-orm'
import { ownRows, type TenantDb, type TenantTx } from '../engine/tenant.ts'
import { userGroups } from '../tables/access.ts'
import { factors } from '../tables/factors.ts'
import { pendingRegistrations } from '../tables/sessions.ts'
import { users } from '../tables/users.ts'
import { afterCursor, keysetOrder, type Page } from './keyset.ts'
import { countUsage, releaseQuota } from './tenants.ts'
import { deleteGrams, hasGram, indexPeople, matchesSearchText, rarestGram, searchTextOf } from './user-search.ts'
import type { FactorKind, NewUser, User } from './users.ts'

export type PeopleFilter = {
  readonly active?: boolean | undefined
  readonly provider?: string | undefined
  readonly clientId?: string | undefined
  readonly externalId?: string | undefined
  /** Members of this group; none when the tenant has no such group. */
  readonly groupId?: string | undefined
  /** Whether they have a second factor. */
  readonly hasFactor?: boolean | undefined
  /** Substring of name, address or user name. */
  readonly search?: string | undefined
  /** Substring of the address. */
  readonly email?: string | undefined
  /** Substring of the name. */
  readonly name?: string | undefined
  /** The rarest trigram of the search, from `narrowed`. */
  readonly gram?: string | undefined
}
export type PeopleSort = 'created_at' | 'email' | 'name'

const columns = { id: users.id, by: { created_at: users.createdAt, email: users.email, name: users.name } }

const memberOf = (t: TenantDb, groupId: string): SQL =>
  exists(
    t.db
      .select({ one: sql`1` })
      .from(userGroups)
      .where(and(ownRows(t, userGroups), eq(userGroups.groupId, groupId), eq(userGroups.userId, users.id))),
  )

const withFactor = (t: TenantDb, has: boolean): SQL => {
  const own = t.db
    .select({ one: sql`1` })
    .from(factors)
    .where(and(ownRows(t, factors), eq(factors.userId, users.id), isNotNull(factors.confirmedAt)))
  return has ? exists(own) : notExists(own)
}

const filtered = (t: TenantDb, f: PeopleFilter): SQL | undefined =>
  and(
    ownRows(t, users),
    isNull(users.deletedAt),
    f.active === undefined ? undefined : eq(users.active, f.active),
    f.provider === undefined ? undefined : eq(users.provider, f.provider),
    f.clientId === undefined ? undefined : eq(users.clientId, f.clientId),
    f.externalId === undefined ? undefined : eq(users.externalId, f.externalId),
    f.groupId === undefined ? undefined : memberOf(t, f.groupId),
    f.hasFactor === undefined ? undefined : withFactor(t, f.hasFactor),
    f.gram === undefined ? undefined : hasGram(t, f.gram),
    f.search === undefined ? undefined : matchesSearchText('any', f.search),
    f.email === undefined ? undefined : matchesSearchText('email', f.email),
    f.name === undefined ? undefined : matchesSearchText('name', f.name),
  )

/** The filter with the rarest trigram of its search text, computed once for all queries with it. */
export const narrowPeopleFilter = async (t: TenantDb, f: PeopleFilter): Promise<PeopleFilter> => {
  for (const text of [f.search, f.email, f.name]) {
    const gram = text === undefined ? undefined : await rarestGram(t, text)
    if (gram !== undefined) return { ...f, gram }
  }
  return f
}

/** One page by cursor, or by number with `offset`. */
export const listPeople = (t: TenantDb, f: PeopleFilter, page: Page<PeopleSort>, offset = 0): Promise<User[]> =>
  t.db
    .select()
    .from(users)
    .where(and(filtered(t, f), afterCursor(page, columns)))
    .orderBy(...keysetOrder(page, columns))
    .limit(page.limit)
    .offset(offset)

/** The number of matches, counted up to `most`. */
export const countPeople = async (t: TenantDb, f: PeopleFilter, most: number): Promise<number> => {
  const some = t.db
    .select({ one: sql`1`.as('one') })
    .from(users)
    .where(filtered(t, f))
    .limit(most)
    .as('some')
  const [row] = await t.db.select({ found: count() }).from(some)
  return row?.found ?? 0
}

/** The people with these ids, newest first. */
export const findPeople = async (t: TenantDb, ids: readonly string[]): Promise<User[]> =>
  ids.length === 0
    ? []
    : t.db
        .select()
        .from(users)
        .where(and(ownRows(t, users), isNull(users.deletedAt), inArray(users.id, [...ids])))
        .orderBy(desc(users.createdAt), desc(users.id))

/** People with an open invitation, newest first. */
export const findPendingInvitations = (t: TenantDb, limit: number): Promise<User[]> =>
  t.db
    .select()
    .from(users)
    .where(
      and(
        ownRows(t, users),
        eq(users.temporaryPassword, true),
        isNull(users.lastLoginAt),
        isNotNull(users.invitedBy),
        isNotNull(users.temporaryPasswordExpiresAt),
        isNull(users.deletedAt),
      ),
    )
    .orderBy(desc(users.createdAt), desc(users.id))
    .limit(limit)

/** The person, locked until the transaction ends, so that checks stay valid. */
export const lockUser = async (t: TenantTx, userId: string): Promise<User | undefined> => {
  const [row] = await t.db
    .select()
    .from(users)
    .where(and(ownRows(t, users), eq(users.id, userId), isNull(users.deletedAt)))
    .for('update')
  return row
}

export const isUsernameTaken = async (t: TenantDb, username: string, except?: string): Promise<boolean> => {
  const rows = await t.db
    .select({ id: users.id })
    .from(users)
    .where(and(ownRows(t, users), eq(users.username, username), except === undefined ? undefined : ne(users.id, except)))
    .limit(1)
  return rows.length > 0
}

/** Whether another person is active. */
export const hasOtherActive = async (t: TenantDb, userId: string): Promise<boolean> => {
  const rows = await t.db
    .select({ id: users.id })
    .from(users)
    .where(and(ownRows(t, users), eq(users.active, true), isNull(users.deletedAt), ne(users.id, userId)))
    .limit(1)
  return rows.length > 0
}

/** False when the state was already so. A disabled person's earlier sessions are ended permanently. */
export const setUserActive = async (t: TenantTx, userId: string, active: boolean, at: Date): Promise<boolean> => {
  const changed = await t.db
    .update(users)
    .set({ active, updatedAt: at, ...(active ? {} : { validFrom: at }) })
    .where(and(ownRows(t, users), eq(users.id, userId), ne(users.active, active)))
    .returning({ id: users.id })
  if (changed.length === 1) await countUsage(t, 'inactive_users', active ? -1 : 1)
  return changed.length === 1
}

/** Deletes the person with the search trigrams and, by cascade, everything that refers to the person; frees the quota. */
export const deleteUser = async (t: TenantTx, userId: string): Promise<boolean> => {
  await deleteGrams(t, userId)
  const gone = await t.db
    .delete(users)
    .where(and(ownRows(t, users), eq(users.id, userId)))
    .returning({ active: users.active })
  if (gone[0] === undefined) return false
  await releaseQuota(t, 'users')
  if (!gone[0].active) await countUsage(t, 'inactive_users', -1)
  return true
}

/** Second factors of each of these people. */
export const findFactorsOf = async (t: TenantDb, ids: readonly string[]): Promise<ReadonlyMap<string, readonly FactorKind[]>> => {
  if (ids.length === 0) return new Map()
  const rows = await t.db
    .select({ userId: factors.userId, kind: factors.kind })
    .from(factors)
    .where(and(ownRows(t, factors), inArray(factors.userId, [...ids]), isNotNull(factors.confirmedAt)))
    .orderBy(desc(factors.isPrimary), factors.createdAt)
  const kinds = new Map<string, FactorKind[]>()
  for (const { userId, kind } of rows) kinds.set(userId, [...new Set([...(kinds.get(userId) ?? []), kind])])
  return kinds
}

/** The addresses among these with a pending sign-up. */
export const findWaitingAddresses = async (t: TenantDb, emails: readonly string[], now: Date): Promise<ReadonlySet<string>> => {
  if (emails.length === 0) return new Set()
  const rows = await t.db
    .selectDistinct({ email: pendingRegistrations.email })
    .from(pendingRegistrations)
    .where(
      and(
        ownRows(t, pendingRegistrations),
        inArray(pendingRegistrations.email, [...emails]),
        sql`${pendingRegistrations.expiresAt} > ${now.toISOString()}::timestamptz`,
      ),
    )
  return new Set(rows.map((row) => row.email))
}

/** People with one of these addresses or external ids, locked in id order until the transaction ends, so that two imports cannot deadlock. */
export const lockMatches = (t: TenantTx, emails: readonly string[], externalIds: readonly string[]): Promise<User[]> =>
  t.db
    .select()
    .from(users)
    .where(and(ownRows(t, users), or(inArray(users.email, [...emails, '']), inArray(users.externalId, [...externalIds, '']))))
    .orderBy(users.id)
    .for('update')

/** Ids of the added people; a person with an address or external id that was taken meanwhile is left out. Count the rows first: `useQuota`. */
export const insertUsers = async (t: TenantTx, rows: readonly NewUser[]): Promise<ReadonlySet<string>> => {
  if (rows.length === 0) return new Set()
  const added = await t.db
    .insert(users)
    .values(rows.map((row) => ({ ...row, searchText: searchTextOf(row), tenantId: t.tenantId })))
    .onConflictDoNothing()
    .returning({ id: users.id, active: users.active })
  const ids = new Set(added.map(({ id }) => id))
  await indexPeople(
    t,
    rows.filter(({ id }) => ids.has(id)),
  )
  await countUsage(t, 'inactive_users', added.filter(({ active }) => !active).length)
  return ids
}

/** People with one of these user names. */
export const findUsernames = async (t: TenantDb, usernames: readonly string[]): Promise<ReadonlyMap<string, string>> => {
  if (usernames.length === 0) return new Map()
  const rows = await t.db
    .select({ id: users.id, username: users.username })
    .from(users)
    .where(and(ownRows(t, users), inArray(users.username, [...usernames])))
  return new Map(rows.flatMap(({ id, username }) => (username === null ? [] : [[username, id] as const])))
}
