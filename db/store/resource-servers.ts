// Queries on resource servers, their scopes and their registered clients.
import { and, asc, desc, eq, inArray, isNull, ne, notInArray, or, type SQL, sql } from 'drizzle-orm'
import { type AnyScope, asTenantId, ownRows, type TenantDb, type TenantId, type TenantTx } from '../engine/tenant.ts'
import { roles } from '../tables/access.ts'
import { clients } from '../tables/clients.ts'
import { resourceAccessRequests, resourceClients, resourceDirectory, resourceScopes, resourceServers } from '../tables/oauth.ts'
import { resourceSetups, resourceTools } from '../tables/resource-tools.ts'

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
    keyHash,
    host,
    ...row
  }: Omit<typeof resourceServers.$inferInsert, 'tenantId'> & {
    readonly resourceHash: Uint8Array
    readonly identifierHash: Uint8Array
    readonly keyHash: Uint8Array | null
    readonly host: string
  },
): Promise<void> => {
  await t.db.insert(resourceServers).values({ ...row, tenantId: t.tenantId })
  await insertIdentifier(t, { resourceHash, identifierHash, keyHash, host, resourceServerId: row.id, createdAt: row.createdAt })
}

type Identifier = Omit<typeof resourceDirectory.$inferInsert, 'tenantId'>
/** @throws unique_violation when the identifier is taken by any tenant */
const insertIdentifier = async (t: TenantTx, row: Identifier): Promise<void> => {
  await t.db.insert(resourceDirectory).values({ ...row, tenantId: t.tenantId })
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

/**
 * Identifiers of other tenants that have one of these spellings, or this identifier. Serialises registrations at the first spelling, the origin, until the
 * transaction ends.
 */
export const lockLookAlikes = async (t: TenantTx, keyHashes: readonly Uint8Array[], resourceHash: Uint8Array): Promise<TakenIdentifier[]> => {
  const origin = Buffer.from(keyHashes[0] ?? resourceHash).toString('hex')
  await t.db.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`resource ${origin}`}, 0))`)
  const d = resourceDirectory
  const isLookAlike = or(
    eq(d.resourceHash, resourceHash),
    inArray(d.keyHash, [...keyHashes]),
    and(isNull(d.keyHash), eq(d.resourceHash, d.identifierHash), inArray(d.identifierHash, [...keyHashes])),
  )
  const rows = await t.db
    .select(TAKEN)
    .from(d)
    .where(and(ne(d.tenantId, t.tenantId), isLookAlike))
  return rows.map((row) => ({ ...row, tenantId: asTenantId(row.tenantId) }))
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

export type ServerSummary = {
  readonly clients: number
  readonly roleName: string | null
  readonly setup: typeof resourceSetups.$inferSelect | null
  readonly tools: number
}

export type RequestableServer = {
  readonly id: string
  readonly resource: string
  readonly openToClients: boolean
  readonly registrationModes: readonly string[]
  readonly registered: boolean
  readonly request: { readonly id: string; readonly status: 'pending' | 'approved' | 'denied'; readonly expiresAt: Date } | null
  readonly scopes: readonly string[]
}

/** The active servers of the tenant, or the one with that identifier, with how the client stands to each of them. */
export const findRequestableServers = async (
  t: TenantDb,
  clientId: string,
  resource: string | undefined,
  limit: number,
): Promise<RequestableServer[]> => {
  const [r, c, a] = [resourceServers, resourceClients, resourceAccessRequests]
  const scopes = sql<
    string[]
  >`array(select s.name from ${resourceScopes} s where s.tenant_id = ${r.tenantId} and s.resource_server_id = ${r.id} order by s.name)`
  return t.db
    .select({
      id: r.id,
      resource: r.resource,
      openToClients: r.openToClients,
      registrationModes: r.registrationModes,
      registered: sql<boolean>`${c.clientId} is not null`,
      request: { id: a.id, status: a.status, expiresAt: a.expiresAt },
      scopes,
    })
    .from(r)
    .leftJoin(c, and(eq(c.tenantId, r.tenantId), eq(c.resourceServerId, r.id), eq(c.clientId, clientId)))
    .leftJoin(a, and(eq(a.tenantId, r.tenantId), eq(a.resourceServerId, r.id), eq(a.clientId, clientId)))
    .where(and(ownRows(t, r), eq(r.active, true), resource === undefined ? undefined : eq(r.resource, resource)))
    .orderBy(asc(r.resource))
    .limit(limit)
}

/** What lists show of each server beside its row. */
export const findServerSummaries = async (t: TenantDb, ids: readonly string[]): Promise<Map<string, ServerSummary>> => {
  if (ids.length === 0) return new Map()
  const r = resourceServers
  const count = (of: SQL) => sql<number>`(select count(*)::int from ${of})`
  const rows = await t.db
    .select({
      id: r.id,
      clients: count(sql`${resourceClients} c where c.tenant_id = ${r.tenantId} and c.resource_server_id = ${r.id}`),
      tools: count(sql`${resourceTools} o where o.tenant_id = ${r.tenantId} and o.resource_server_id = ${r.id} and o.present`),
      roleName: roles.name,
      setup: resourceSetups,
    })
    .from(r)
    .leftJoin(roles, and(eq(roles.tenantId, r.tenantId), eq(roles.id, r.accessPolicyRoleId)))
    .leftJoin(resourceSetups, and(eq(resourceSetups.tenantId, r.tenantId), eq(resourceSetups.resourceServerId, r.id)))
    .where(and(ownRows(t, r), inArray(r.id, [...ids])))
  return new Map(rows.map(({ id, ...summary }) => [id, summary]))
}

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

/** Replaces the scopes by exactly these. Those that stay keep their ids; those that go are no longer enough for any tool. */
export const putServerScopes = async (t: TenantTx, serverId: string, scopes: readonly NewServerScope[]): Promise<void> => {
  const names = scopes.map(({ name }) => name)
  const others = names.length === 0 ? undefined : notInArray(resourceScopes.name, names)
  await t.db.delete(resourceScopes).where(and(ownRows(t, resourceScopes), eq(resourceScopes.resourceServerId, serverId), others))
  await keepToolScopes(t, serverId, names)
  if (scopes.length === 0) return
  await t.db
    .insert(resourceScopes)
    .values(scopes.map((scope) => ({ ...scope, tenantId: t.tenantId, resourceServerId: serverId })))
    .onConflictDoUpdate({
      target: [resourceScopes.tenantId, resourceScopes.resourceServerId, resourceScopes.name],
      set: { description: sql`excluded.description`, permission: sql`excluded.permission` },
    })
}

/** A scope that is created later under the name of a deleted one gives access to no tool. */
const keepToolScopes = async (t: TenantTx, serverId: string, names: readonly string[]): Promise<void> => {
  const among = sql`(select jsonb_array_elements_text(${JSON.stringify(names)}::jsonb))`
  await t.db
    .update(resourceTools)
    .set({ scopes: sql`array(select s from unnest(${resourceTools.scopes}) s where s in ${among} order by s)` })
    .where(
      and(
        ownRows(t, resourceTools),
        eq(resourceTools.resourceServerId, serverId),
        sql`exists (select from unnest(${resourceTools.scopes}) s where s not in ${among})`,
      ),
    )
}

export type RegisteredScope = typeof resourceScopes.$inferSelect

/** With all members, by name. */
export const listRegisteredScopes = (t: TenantDb, serverId: string): Promise<RegisteredScope[]> =>
  t.db
    .select()
    .from(resourceScopes)
    .where(and(ownRows(t, resourceScopes), eq(resourceScopes.resourceServerId, serverId)))
    .orderBy(asc(resourceScopes.name))

export const findRegisteredScope = async (t: TenantDb, id: string): Promise<RegisteredScope | undefined> => {
  const [row] = await t.db
    .select()
    .from(resourceScopes)
    .where(and(ownRows(t, resourceScopes), eq(resourceScopes.id, id)))
  return row
}

/** False when the server has a scope of that name. */
export const insertServerScope = async (t: TenantTx, row: Omit<typeof resourceScopes.$inferInsert, 'tenantId'>): Promise<boolean> => {
  const rows = await t.db
    .insert(resourceScopes)
    .values({ ...row, tenantId: t.tenantId })
    .onConflictDoNothing()
    .returning({ id: resourceScopes.id })
  return rows.length === 1
}

export const updateServerScope = async (
  t: TenantTx,
  id: string,
  set: Partial<Pick<RegisteredScope, 'description' | 'permission' | 'displayName' | 'riskLevel'>>,
): Promise<RegisteredScope | undefined> => {
  const [row] = await t.db
    .update(resourceScopes)
    .set(set)
    .where(and(ownRows(t, resourceScopes), eq(resourceScopes.id, id)))
    .returning()
  return row
}

export type RegisteredClient = { readonly clientId: string; readonly name: string; readonly registeredBy: string; readonly createdAt: Date }

export const listResourceClients = (t: TenantDb, serverId: string, limit: number): Promise<RegisteredClient[]> =>
  t.db
    .select({
      clientId: resourceClients.clientId,
      name: clients.name,
      registeredBy: clients.registeredBy,
      createdAt: resourceClients.createdAt,
    })
    .from(resourceClients)
    .innerJoin(clients, and(eq(clients.tenantId, resourceClients.tenantId), eq(clients.id, resourceClients.clientId)))
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
