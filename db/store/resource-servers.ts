// Queries on resource servers, their scopes and their registered clients.
import { and, asc, desc, eq, inArray, ne, or, sql } from 'drizzle-orm'
import { type AnyScope, asTenantId, ownRows, type TenantDb, type TenantId, type TenantTx } from '../engine/tenant.ts'
import { resourceClients, resourceDirectory, resourceScopes, resourceServers } from '../tables/oauth.ts'

export type ResourceServer = typeof resourceServers.$inferSelect
export type ResourceServerChange = Partial<
  Pick<
    ResourceServer,
    'name' | 'active' | 'tokenSeconds' | 'openToClients' | 'introspectionHash' | 'registrationModes' | 'accessPolicyEnabled' | 'accessPolicyRoleId'
  >
> & {
  readonly updatedAt: Date
}
export type NewServerScope = { readonly name: string; readonly description: string; readonly permission: string | null }

const own = (t: TenantDb, id: string) => and(ownRows(t, resourceServers), eq(resourceServers.id, id))

/**
 * Inserts a resource server with its directory row.
 * @throws unique_violation when the identifier is taken by any tenant
 */
export const insertResourceServer = async (
  t: TenantTx,
  {
    resourceHash,
    identifierHash,
    ...row
  }: Omit<typeof resourceServers.$inferInsert, 'tenantId'> & { readonly resourceHash: Uint8Array; readonly identifierHash: Uint8Array },
): Promise<void> => {
  await t.db.insert(resourceServers).values({ ...row, tenantId: t.tenantId })
  await insertIdentifier(t, { resourceHash, identifierHash, resourceServerId: row.id, resource: row.resource, createdAt: row.createdAt })
}

type Identifier = Omit<typeof resourceDirectory.$inferInsert, 'tenantId' | 'host'> & { readonly resource: string }
/** @throws unique_violation when the identifier is taken by any tenant */
const insertIdentifier = async (t: TenantTx, { resource, ...row }: Identifier): Promise<void> => {
  await t.db.insert(resourceDirectory).values({ ...row, tenantId: t.tenantId, host: new URL(resource).hostname.replace(/\.$/, '') })
}

/**
 * Takes the identifier again for a server that lost it. False when the server has it.
 * @throws unique_violation when the identifier is taken by another tenant
 */
export const takeIdentifierAgain = async (t: TenantTx, row: Identifier): Promise<boolean> => {
  const own = and(eq(resourceDirectory.resourceServerId, row.resourceServerId), eq(resourceDirectory.tenantId, t.tenantId))
  const [known] = await t.db.select({ id: resourceDirectory.resourceServerId }).from(resourceDirectory).where(own)
  if (known !== undefined) return false
  await insertIdentifier(t, row)
  return true
}

/** Waits for others that take identifiers or prove domains, so that of two at the same time one sees what the other did. */
export const lockIdentifiers = async (t: TenantTx, how: 'to take one' | 'to prove a domain'): Promise<void> => {
  const key = sql`hashtextextended('resource identifiers', 0)`
  await t.db.execute(how === 'to take one' ? sql`select pg_advisory_xact_lock_shared(${key})` : sql`select pg_advisory_xact_lock(${key})`)
}

export type TakenIdentifier = { readonly tenantId: TenantId; readonly resourceServerId: string; readonly host: string | null }
const TAKEN = { tenantId: resourceDirectory.tenantId, resourceServerId: resourceDirectory.resourceServerId, host: resourceDirectory.host }

/** Identifiers at this domain and below it that other tenants have. */
export const findIdentifiersOfOthers = async (t: TenantTx, domain: string): Promise<TakenIdentifier[]> => {
  const { host, tenantId } = resourceDirectory
  const isBelow = sql`right(${host}, ${domain.length + 1}) = ${`.${domain}`}`
  const rows = await t.db
    .select(TAKEN)
    .from(resourceDirectory)
    .where(and(ne(tenantId, t.tenantId), or(eq(host, domain), isBelow)))
  return rows.map((row) => ({ ...row, tenantId: asTenantId(row.tenantId) }))
}

/** The identifier, where another tenant has it. */
export const findIdentifierOfOther = async (t: TenantTx, resourceHash: Uint8Array): Promise<TakenIdentifier[]> => {
  const rows = await t.db
    .select(TAKEN)
    .from(resourceDirectory)
    .where(and(ne(resourceDirectory.tenantId, t.tenantId), eq(resourceDirectory.resourceHash, resourceHash)))
  return rows.map((row) => ({ ...row, tenantId: asTenantId(row.tenantId) }))
}

/** Deactivates resource servers of the tenant and gives up their identifiers, which are returned. */
export const releaseIdentifiers = async (t: TenantTx, ids: readonly string[], at: Date): Promise<string[]> => {
  const rows = await t.db
    .update(resourceServers)
    .set({ active: false, updatedAt: at })
    .where(and(ownRows(t, resourceServers), inArray(resourceServers.id, [...ids])))
    .returning({ resource: resourceServers.resource })
  await t.db.delete(resourceDirectory).where(and(eq(resourceDirectory.tenantId, t.tenantId), inArray(resourceDirectory.resourceServerId, [...ids])))
  return rows.map(({ resource }) => resource).sort()
}

/** The tenant of an identifier; none for a loopback one that several tenants have. */
export const findTenantOfResource = async (d: AnyScope, identifierHash: Uint8Array): Promise<TenantId | undefined> => {
  const rows = await d.db
    .select({ tenantId: resourceDirectory.tenantId })
    .from(resourceDirectory)
    .where(eq(resourceDirectory.identifierHash, identifierHash))
    .limit(2)
  return rows.length === 1 && rows[0] !== undefined ? asTenantId(rows[0].tenantId) : undefined
}

export const findServerByIdentifier = async (t: TenantDb, resource: string): Promise<ResourceServer | undefined> => {
  const [row] = await t.db
    .select()
    .from(resourceServers)
    .where(and(ownRows(t, resourceServers), eq(resourceServers.resource, resource)))
  return row
}

export const findResourceServer = async (t: TenantDb, id: string): Promise<ResourceServer | undefined> => {
  const [row] = await t.db.select().from(resourceServers).where(own(t, id))
  return row
}

/** Newest first. */
export const listResourceServers = (t: TenantDb, limit: number): Promise<ResourceServer[]> =>
  t.db
    .select()
    .from(resourceServers)
    .where(ownRows(t, resourceServers))
    .orderBy(desc(resourceServers.createdAt), asc(resourceServers.id))
    .limit(limit)

export const updateResourceServer = async (t: TenantTx, id: string, set: ResourceServerChange): Promise<ResourceServer | undefined> => {
  const [row] = await t.db.update(resourceServers).set(set).where(own(t, id)).returning()
  return row
}

/** Deletes a resource server with its scopes, registrations and consents. */
export const deleteResourceServer = async (t: TenantTx, id: string): Promise<boolean> => {
  const rows = await t.db.delete(resourceServers).where(own(t, id)).returning({ id: resourceServers.id })
  await t.db.delete(resourceDirectory).where(and(eq(resourceDirectory.resourceServerId, id), eq(resourceDirectory.tenantId, t.tenantId)))
  return rows.length === 1
}

export const listServerScopes = (t: TenantDb, serverId: string): Promise<NewServerScope[]> =>
  t.db
    .select({ name: resourceScopes.name, description: resourceScopes.description, permission: resourceScopes.permission })
    .from(resourceScopes)
    .where(and(ownRows(t, resourceScopes), eq(resourceScopes.resourceServerId, serverId)))
    .orderBy(asc(resourceScopes.name))

/** Replaces the scopes by exactly these. */
export const putServerScopes = async (t: TenantTx, serverId: string, scopes: readonly NewServerScope[]): Promise<void> => {
  await t.db.delete(resourceScopes).where(and(ownRows(t, resourceScopes), eq(resourceScopes.resourceServerId, serverId)))
  if (scopes.length === 0) return
  await t.db.insert(resourceScopes).values(scopes.map((scope) => ({ ...scope, tenantId: t.tenantId, resourceServerId: serverId })))
}

export type RegisteredClient = { readonly clientId: string; readonly createdAt: Date }

export const listResourceClients = (t: TenantDb, serverId: string, limit: number): Promise<RegisteredClient[]> =>
  t.db
    .select({ clientId: resourceClients.clientId, createdAt: resourceClients.createdAt })
    .from(resourceClients)
    .where(and(ownRows(t, resourceClients), eq(resourceClients.resourceServerId, serverId)))
    .orderBy(desc(resourceClients.createdAt))
    .limit(limit)

/**
 * False when the client is already registered.
 * @throws foreign_key_violation when the tenant has no such client
 */
export const registerClient = async (t: TenantTx, serverId: string, clientId: string, at: Date): Promise<boolean> => {
  const rows = await t.db
    .insert(resourceClients)
    .values({ tenantId: t.tenantId, resourceServerId: serverId, clientId, validFrom: at, createdAt: at })
    .onConflictDoNothing()
    .returning({ clientId: resourceClients.clientId })
  return rows.length === 1
}

/** Invalidates the client's tokens for this server, also if it is registered again. */
export const removeClientFrom = async (t: TenantTx, serverId: string, clientId: string): Promise<boolean> => {
  const rows = await t.db
    .delete(resourceClients)
    .where(and(ownRows(t, resourceClients), eq(resourceClients.resourceServerId, serverId), eq(resourceClients.clientId, clientId)))
    .returning({ clientId: resourceClients.clientId })
  return rows.length === 1
}

export const isRegisteredAt = async (t: TenantDb, serverId: string, clientId: string): Promise<boolean> => {
  const rows = await t.db
    .select({ clientId: resourceClients.clientId })
    .from(resourceClients)
    .where(and(ownRows(t, resourceClients), eq(resourceClients.resourceServerId, serverId), eq(resourceClients.clientId, clientId)))
  return rows.length === 1
}
