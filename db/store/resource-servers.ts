// Queries on resource servers, their scopes and their registered clients.
import { and, asc, desc, eq, inArray, isNull, ne, or, sql } from 'drizzle-orm'
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
    keyHash = null,
    ...row
  }: Omit<typeof resourceServers.$inferInsert, 'tenantId'> & {
    readonly resourceHash: Uint8Array
    readonly identifierHash: Uint8Array
    readonly keyHash?: Uint8Array | null
  },
): Promise<void> => {
  await t.db.insert(resourceServers).values({ ...row, tenantId: t.tenantId })
  await t.db
    .insert(resourceDirectory)
    .values({ resourceHash, identifierHash, keyHash, resourceServerId: row.id, tenantId: t.tenantId, createdAt: row.createdAt })
}

/**
 * Whether another tenant has a resource of one of these spellings. Serialises registrations at the first of them, the origin, until the transaction ends.
 */
export const lockLookAlikes = async (t: TenantTx, keyHashes: readonly Uint8Array[]): Promise<boolean> => {
  const [origin] = keyHashes
  if (origin === undefined) return false
  await t.db.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`resource ${Buffer.from(origin).toString('hex')}`}, 0))`)
  const d = resourceDirectory
  const rows = await t.db
    .select({ tenantId: d.tenantId })
    .from(d)
    .where(
      and(
        ne(d.tenantId, t.tenantId),
        or(
          inArray(d.keyHash, [...keyHashes]),
          and(isNull(d.keyHash), eq(d.resourceHash, d.identifierHash), inArray(d.identifierHash, [...keyHashes])),
        ),
      ),
    )
    .limit(1)
  return rows.length > 0
}

/** The tenants of an identifier: one, except on the loopback interface. */
export const findTenantsOfResource = async (d: AnyScope, identifierHash: Uint8Array, limit: number): Promise<TenantId[]> => {
  const rows = await d.db
    .select({ tenantId: resourceDirectory.tenantId })
    .from(resourceDirectory)
    .where(eq(resourceDirectory.identifierHash, identifierHash))
    .limit(limit)
  return rows.map(({ tenantId }) => asTenantId(tenantId))
}

export const isResourceOfTenant = async (d: AnyScope, identifierHash: Uint8Array, tenantId: TenantId): Promise<boolean> => {
  const rows = await d.db
    .select({ id: resourceDirectory.resourceServerId })
    .from(resourceDirectory)
    .where(and(eq(resourceDirectory.identifierHash, identifierHash), eq(resourceDirectory.tenantId, tenantId)))
  return rows.length > 0
}

/** The tenant of an identifier; none for a loopback one that several tenants have. */
export const findTenantOfResource = async (d: AnyScope, identifierHash: Uint8Array): Promise<TenantId | undefined> => {
  const [only, ...more] = await findTenantsOfResource(d, identifierHash, 2)
  return more.length === 0 ? only : undefined
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
