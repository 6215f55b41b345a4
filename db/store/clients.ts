// Queries on one client, its directory row and its service account. Lists: client-list.ts.

import { and, eq, inArray, or, sql } from 'drizzle-orm'
import { column, columns, type RowOf, statement } from '../engine/statement.ts'
import { type AnyScope, asTenantId, ownRows, type TenantDb, type TenantId, type TenantTx } from '../engine/tenant.ts'
import { permissions, roleBindings, rolePermissions, serviceAccounts } from '../tables/access.ts'
import { clientDirectory, clientGroups, clients } from '../tables/clients.ts'
import { AGENT_AUTHORIZED, JOIN_AGENT } from './agent-state.ts'
import { isUnexpired } from './live-bindings.ts'

export type Client = typeof clients.$inferSelect
export type ClientEntry = { readonly clientId: string; readonly tenantId: TenantId; readonly active: boolean }

/** The tenant of a client, before the tenant is known. */
export const findClientEntry = async (d: AnyScope, clientId: string): Promise<ClientEntry | undefined> => {
  const [row] = await d.db
    .select({ clientId: clientDirectory.clientId, tenantId: clientDirectory.tenantId, active: clientDirectory.active })
    .from(clientDirectory)
    .where(eq(clientDirectory.clientId, clientId))
  return row === undefined ? undefined : { ...row, tenantId: asTenantId(row.tenantId) }
}

/** SHA-256 digests of a client's secrets; the previous ones are valid until `previousValidUntil`. */
export type ClientSecrets = {
  readonly secretHash: Uint8Array | null
  readonly sdkSecretHash: Uint8Array | null
  readonly previousSecretHash: Uint8Array | null
  readonly previousSdkSecretHash: Uint8Array | null
  readonly previousValidUntil: Date | null
}
export type ClientCredentials = ClientEntry & ClientSecrets

/** The client's authentication data, before the tenant is known. */
export const findClientCredentials = async (d: AnyScope, clientId: string): Promise<ClientCredentials | undefined> => {
  const [row] = await d.db.select().from(clientDirectory).where(eq(clientDirectory.clientId, clientId))
  return row === undefined ? undefined : { ...row, tenantId: asTenantId(row.tenantId) }
}

const ownClient = (t: TenantDb, clientId: string) => and(ownRows(t, clients), eq(clients.id, clientId))
const ownEntry = (t: TenantDb, clientId: string) => and(eq(clientDirectory.clientId, clientId), eq(clientDirectory.tenantId, t.tenantId))

export const findClient = async (t: TenantDb, clientId: string): Promise<Client | undefined> => {
  const [row] = await t.db.select().from(clients).where(ownClient(t, clientId))
  return row
}

const AUTHORIZED = columns({
  isPublic: column<boolean>('c.is_public'),
  tokenEndpointAuthMethod: column<Client['tokenEndpointAuthMethod']>('c.token_endpoint_auth_method'),
})
const FIND_AUTHORIZED = statement<{ clientId: string; now: Date }>(`select ${AUTHORIZED.list} from authsec.clients c ${JOIN_AGENT}
  where c.tenant_id = :tenantId and c.id = :clientId and c.registered_by = 'administrator' and (c.unused_until is null or c.unused_until > :now::timestamptz)
  and ${AGENT_AUTHORIZED(':now::timestamptz')}`).returning(AUTHORIZED)

/** How a client authenticates that an administrator registered, unless it is an agent that may not act. */
export const findAuthorizedClient = (t: TenantDb, clientId: string, now: Date): Promise<RowOf<typeof AUTHORIZED> | undefined> =>
  FIND_AUTHORIZED.first(t, { clientId, now })

/** The client, locked until the transaction ends. */
export const lockClient = async (t: TenantTx, clientId: string): Promise<Client | undefined> => {
  const [row] = await t.db.select().from(clients).where(ownClient(t, clientId)).for('update')
  return row
}

export const findDefaultClient = async (t: TenantDb): Promise<Client | undefined> => {
  const [row] = await t.db
    .select()
    .from(clients)
    .where(and(ownRows(t, clients), eq(clients.isDefault, true)))
  return row
}

export type NewClient = Omit<typeof clients.$inferInsert, 'tenantId'> & { readonly secretHash?: Uint8Array; readonly sdkSecretHash?: Uint8Array }

/** Inserts the client and its directory row. */
export const insertClient = async (t: TenantTx, { secretHash, sdkSecretHash, ...row }: NewClient): Promise<void> => {
  await t.db.insert(clients).values({ ...row, tenantId: t.tenantId })
  await t.db.insert(clientDirectory).values({
    clientId: row.id,
    tenantId: t.tenantId,
    active: row.active ?? true,
    secretHash: secretHash ?? null,
    sdkSecretHash: sdkSecretHash ?? null,
    createdAt: row.createdAt,
  })
}

type AnyClientChange = Partial<Omit<typeof clients.$inferInsert, 'tenantId' | 'id' | 'createdAt'>>
/** Columns that decide who can act as the client. Keys may only be removed without changing them. */
type Identity = 'redirectUris' | 'isPublic' | 'tokenEndpointAuthMethod' | 'jwks' | 'jwksUri'
/** A change that leaves open who can act as the client; the others are made by `changeClientIdentity`. */
export type ClientChange = Omit<AnyClientChange, Identity> & { readonly [K in Exclude<Identity, 'jwks'>]?: never } & { readonly jwks?: null }
export type ClientIdentityChange = AnyClientChange

/** Keys that were fetched from another `jwks_uri` go with it. */
const fetchedKeysOf = ({ jwksUri }: ClientIdentityChange) => {
  if (jwksUri === undefined) return {}
  const isSame = sql`${clients.jwksUri} is not distinct from ${jwksUri}`
  return {
    fetchedJwks: sql`case when ${isSame} then ${clients.fetchedJwks} end`,
    jwksFetchedAt: sql`case when ${isSame} then ${clients.jwksFetchedAt} end`,
  }
}

/** The client after the change. The directory row and the service account follow its active state. */
export const updateClient = (t: TenantTx, clientId: string, set: ClientChange): Promise<Client | undefined> => updateClientIdentity(t, clientId, set)

/** As `updateClient`, for every column. Only `changeClientIdentity` calls it, which also ends what people allowed the client. */
export const updateClientIdentity = async (t: TenantTx, clientId: string, set: ClientIdentityChange): Promise<Client | undefined> => {
  const [row] = await t.db
    .update(clients)
    .set({ ...fetchedKeysOf(set), ...set })
    .where(ownClient(t, clientId))
    .returning()
  if (row === undefined || set.active === undefined) return row
  await t.db.update(clientDirectory).set({ active: row.active }).where(ownEntry(t, clientId))
  if (row.serviceAccountId !== null) {
    await t.db
      .update(serviceAccounts)
      .set({ active: row.active, updatedAt: row.updatedAt })
      .where(and(ownRows(t, serviceAccounts), eq(serviceAccounts.id, row.serviceAccountId)))
  }
  return row
}

/** Activates or deactivates the client; deactivation ends its sessions. */
export const setClientActive = async (t: TenantTx, clientId: string, active: boolean, at: Date): Promise<boolean> => {
  const set = { active, status: active ? 'Active' : 'Development', updatedAt: at, ...(active ? {} : { validFrom: at }) }
  return (await updateClient(t, clientId, set)) !== undefined
}

/** Deletes the client, its directory row and its service account with all bindings. False when it does not exist. */
export const deleteClient = async (t: TenantTx, clientId: string): Promise<boolean> => {
  const [row] = await t.db.delete(clients).where(ownClient(t, clientId)).returning({ serviceAccountId: clients.serviceAccountId })
  if (row === undefined) return false
  await t.db.delete(clientDirectory).where(ownEntry(t, clientId))
  if (row.serviceAccountId !== null) {
    await t.db.delete(serviceAccounts).where(and(ownRows(t, serviceAccounts), eq(serviceAccounts.id, row.serviceAccountId)))
  }
  return true
}

/** The secrets, locked until the transaction ends. */
export const lockClientSecrets = async (t: TenantTx, clientId: string): Promise<ClientSecrets | undefined> => {
  const [row] = await t.db.select().from(clientDirectory).where(ownEntry(t, clientId)).for('update')
  return row
}

export const updateClientSecrets = async (t: TenantTx, clientId: string, set: ClientSecrets): Promise<void> => {
  await t.db.update(clientDirectory).set(set).where(ownEntry(t, clientId))
}

export const insertServiceAccount = async (
  t: TenantTx,
  row: { readonly id: string; readonly name: string; readonly description: string; readonly at: Date },
): Promise<void> => {
  const { at, ...own } = row
  await t.db.insert(serviceAccounts).values({ ...own, tenantId: t.tenantId, createdAt: at, updatedAt: at })
}

/** Every permission that unexpired bindings of the client or its groups could give it, of any scope and with any condition. */
export const findPermissionsOfClient = async (t: TenantDb, { id, serviceAccountId }: Client, now: Date): Promise<string[]> => {
  const rows = await t.db
    .selectDistinct({ resource: permissions.resource, action: permissions.action })
    .from(roleBindings)
    .innerJoin(rolePermissions, and(eq(rolePermissions.tenantId, roleBindings.tenantId), eq(rolePermissions.roleId, roleBindings.roleId)))
    .innerJoin(permissions, and(eq(permissions.tenantId, rolePermissions.tenantId), eq(permissions.id, rolePermissions.permissionId)))
    .where(
      and(
        ownRows(t, roleBindings),
        or(
          serviceAccountId === null ? undefined : eq(roleBindings.serviceAccountId, serviceAccountId),
          inArray(
            roleBindings.groupId,
            t.db
              .select({ groupId: clientGroups.groupId })
              .from(clientGroups)
              .where(and(ownRows(t, clientGroups), eq(clientGroups.clientId, id))),
          ),
        ),
        isUnexpired(now),
      ),
    )
  return rows.map(({ resource, action }) => `${resource}:${action}`)
}
