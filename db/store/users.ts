// Every query on people, the browsers they are known from, and the directory of administrators.
import { and, desc, eq, isNotNull, isNull, ne } from 'drizzle-orm'
import { column, columns, type RowOf, statement } from '../engine/statement.ts'
import { type AnyScope, asTenantId, ownRows, type TenantDb, type TenantId, type TenantTx } from '../engine/tenant.ts'
import { factors } from '../tables/factors.ts'
import { tenants } from '../tables/tenants.ts'
import { administratorDirectory, knownDevices, users } from '../tables/users.ts'
import { LIVE_PERMISSIONS } from './live-bindings.ts'
import { countUsage, type Tenant } from './tenants.ts'
import { indexPeople, indexPerson, searchTextOf } from './user-search.ts'

export type User = typeof users.$inferSelect
export type NewUser = Omit<typeof users.$inferInsert, 'tenantId' | 'searchText'>
/** Has a temporary password, or none yet, and never signed in. */
export const isInvitationPending = (user: Pick<User, 'temporaryPassword' | 'lastLoginAt'>): boolean =>
  user.temporaryPassword && user.lastLoginAt === null
export type FactorKind = 'webauthn' | 'totp' | 'sms'

export const findUser = async (t: TenantDb, userId: string): Promise<User | undefined> => {
  const [row] = await t.db
    .select()
    .from(users)
    .where(and(ownRows(t, users), eq(users.id, userId)))
  return row
}

/** The person's row, held until the transaction ends: signing in and what ends sign-ins (a reset, a new factor) take turns. */
export const lockUser = async (t: TenantTx, userId: string): Promise<User | undefined> => {
  const [row] = await t.db
    .select()
    .from(users)
    .where(and(ownRows(t, users), eq(users.id, userId)))
    .for('no key update')
  return row
}

export const findUserByEmail = async (t: TenantDb, email: string): Promise<User | undefined> => {
  const [row] = await t.db
    .select()
    .from(users)
    .where(and(ownRows(t, users), eq(users.email, email)))
  return row
}

/** The tenant, and in which language the owner of that address chose to read: one statement, whether there is such a person or not. */
export const findTenantAndLanguage = async (t: TenantDb, email: string): Promise<{ tenant: Tenant | undefined; language: User['language'] }> => {
  const [row] = await t.db
    .select({ tenant: tenants, language: users.language })
    .from(tenants)
    .leftJoin(users, and(eq(users.tenantId, tenants.tenantId), eq(users.email, email)))
    .where(ownRows(t, tenants))
  return { tenant: row?.tenant, language: row?.language ?? null }
}

/** Whether anybody of the tenant has proved an address: somebody who came in. */
export const hasVerifiedUser = async (t: TenantDb): Promise<boolean> => {
  const rows = await t.db
    .select({ id: users.id })
    .from(users)
    .where(and(ownRows(t, users), isNotNull(users.emailVerifiedAt)))
    .limit(1)
  return rows.length > 0
}

/** Disables whoever never proved an address, but the one with that address. Answers their ids. */
export const disableUnverifiedUsers = async (t: TenantTx, exceptEmail: string, at: Date): Promise<string[]> => {
  const rows = await t.db
    .update(users)
    .set({ active: false, updatedAt: at })
    .where(and(ownRows(t, users), isNull(users.emailVerifiedAt), eq(users.active, true), ne(users.email, exceptEmail)))
    .returning({ id: users.id })
  await countUsage(t, 'inactive_users', rows.length)
  return rows.map((row) => row.id)
}

/** Who began the tenant. */
export const findPrimaryAdministrator = async (t: TenantDb): Promise<User | undefined> => {
  const [row] = await t.db
    .select()
    .from(users)
    .where(and(ownRows(t, users), eq(users.isPrimaryAdmin, true)))
  return row
}

/** False when the address is taken in the tenant. Count the row first: `useQuota`. */
export const insertUser = async (t: TenantTx, row: NewUser): Promise<boolean> => {
  const added = await t.db
    .insert(users)
    .values({ ...row, searchText: searchTextOf(row), tenantId: t.tenantId })
    .onConflictDoNothing({ target: [users.tenantId, users.email] })
    .returning({ id: users.id })
  if (added.length === 1) await indexPeople(t, [row])
  return added.length === 1
}

/** Whether the person is active is changed by `setUserActive`, which counts it. */
export const updateUser = async (t: TenantTx, userId: string, set: Partial<Omit<NewUser, 'id' | 'active'>>): Promise<boolean> => {
  const changed = await t.db
    .update(users)
    .set(set)
    .where(and(ownRows(t, users), eq(users.id, userId)))
    .returning({ id: users.id })
  if (changed.length === 1 && ('email' in set || 'name' in set || 'username' in set)) await indexPerson(t, userId)
  return changed.length === 1
}

/** Marks the person as announced to the administrators; true only the first time. */
export const claimAnnouncement = async (t: TenantTx, userId: string, at: Date): Promise<boolean> => {
  const changed = await t.db
    .update(users)
    .set({ announcedAt: at })
    .where(and(ownRows(t, users), eq(users.id, userId), isNull(users.announcedAt)))
    .returning({ id: users.id })
  return changed.length === 1
}

/** Kinds of confirmed second factors, the primary one first. */
export const findFactorKinds = async (t: TenantDb, userId: string): Promise<FactorKind[]> => {
  const rows = await t.db
    .select({ kind: factors.kind })
    .from(factors)
    .where(and(ownRows(t, factors), eq(factors.userId, userId), isNotNull(factors.confirmedAt)))
    .orderBy(desc(factors.isPrimary), factors.createdAt)
  return [...new Set(rows.map((row) => row.kind))]
}

const PERMISSIONS = columns({ names: column<string[]>(LIVE_PERMISSIONS(':userId', ':now')) })
const FIND_PERMISSIONS = statement<{ userId: string; now: Date }>(`select ${PERMISSIONS.list}`).returning(PERMISSIONS)

/** The person's tenant-wide, live permissions. */
export const findLivePermissions = async (t: TenantDb, userId: string, now: Date): Promise<string[]> =>
  (await FIND_PERMISSIONS.first(t, { userId, now }))?.names ?? []

const HOLDER = columns({
  id: column<string>('u.id'),
  email: column<string>('u.email'),
  name: column<string>('u.name'),
  language: column<User['language']>('u.language'),
})
const FIND_HOLDERS = statement<{ permission: string; now: Date }>(`select ${HOLDER.list} from authsec.users u
  where u.tenant_id = :tenantId and u.active and u.deleted_at is null and :permission = any (${LIVE_PERMISSIONS('u.id', ':now')})
  order by u.created_at limit 50`).returning(HOLDER)

type Holder = RowOf<typeof HOLDER>
/** Active people who hold a permission for the whole tenant: the recipients of a notice. */
export const findPermissionHolders = async (t: TenantDb, permission: string, now: Date): Promise<Holder[]> => {
  return FIND_HOLDERS.all(t, { permission, now })
}

export type DelayRule = { readonly freeAttempts: number; readonly firstDelaySeconds: number; readonly maxDelaySeconds: number }

export type KnownDevice = typeof knownDevices.$inferSelect

/** Remembers the browser and clears its failures. */
export const rememberDevice = async (t: TenantTx, userId: string, deviceHash: Uint8Array, at: Date): Promise<void> => {
  await t.db
    .insert(knownDevices)
    .values({ tenantId: t.tenantId, userId, deviceHash, lastUsedAt: at })
    .onConflictDoUpdate({
      target: [knownDevices.tenantId, knownDevices.userId, knownDevices.deviceHash],
      set: { failedAttempts: 0, lockedUntil: null, lastUsedAt: at },
    })
}

export const forgetDevices = async (t: TenantTx, userId: string): Promise<void> => {
  await t.db.delete(knownDevices).where(and(ownRows(t, knownDevices), eq(knownDevices.userId, userId)))
}

/** Tenants where the address administers and was proved by mail, the last used first. */
export const findAdministeredTenants = async (d: AnyScope, emailHash: Uint8Array): Promise<TenantId[]> => {
  const rows = (await d.run({
    text: `select tenant_id from authsec.administrator_directory where email_hash = $1 and proved_at is not null
      order by last_used_at desc nulls last, tenant_id limit 20`,
    params: [emailHash],
    arrays: true,
  })) as [string][]
  return rows.map(([tenantId]) => asTenantId(tenantId))
}

export const putAdministrator = async (
  t: TenantTx,
  row: { readonly emailHash: Uint8Array; readonly userId: string; readonly provedAt: Date | null },
): Promise<void> => {
  await t.db
    .insert(administratorDirectory)
    .values({ ...row, tenantId: t.tenantId })
    .onConflictDoUpdate({
      target: [administratorDirectory.emailHash, administratorDirectory.tenantId],
      set: { userId: row.userId, ...(row.provedAt === null ? {} : { provedAt: row.provedAt }) },
    })
}

/** The address was proved by mail; changes nothing for who is not listed. */
export const verifyAdministrator = async (t: TenantTx, emailHash: Uint8Array, at: Date): Promise<void> => {
  await t.db
    .update(administratorDirectory)
    .set({ provedAt: at })
    .where(and(eq(administratorDirectory.emailHash, emailHash), eq(administratorDirectory.tenantId, t.tenantId)))
}

/** An administrator is found by another address from now on; whoever is not listed stays so. Which tenant was last used stays known. */
export const moveAdministrator = async (t: TenantTx, userId: string, emailHash: Uint8Array, provedAt: Date): Promise<void> => {
  const inTenant = eq(administratorDirectory.tenantId, t.tenantId)
  // The address is this person's alone in the tenant, so whoever else is listed under it has left.
  await t.db
    .delete(administratorDirectory)
    .where(and(inTenant, eq(administratorDirectory.emailHash, emailHash), ne(administratorDirectory.userId, userId)))
  await t.db
    .update(administratorDirectory)
    .set({ emailHash, provedAt })
    .where(and(inTenant, eq(administratorDirectory.userId, userId)))
}

export const deleteAdministrator = async (t: TenantTx, userId: string): Promise<void> => {
  await t.db.delete(administratorDirectory).where(and(eq(administratorDirectory.tenantId, t.tenantId), eq(administratorDirectory.userId, userId)))
}

/** Whether the person's row is unlocked for strangers: used by tests and lists. */
export const isLocked = (user: Pick<User, 'lockedUntil'>, now: Date): boolean => user.lockedUntil !== null && user.lockedUntil > now
