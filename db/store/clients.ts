// Every query on one client, its place in the directory and the service account it acts as. Lists: client-list.ts.

import { and, eq, inArray, or } from 'drizzle-orm'
import { type AnyScope, asTenantId, ownRows, type TenantDb, type TenantId, type TenantTx } from '../engine/tenant.ts'
import { permissions, roleBindings, rolePermissions, serviceAccounts } from '../tables/access.ts'
import { clientDirectory, clientGroups, clients } from '../tables/clients.ts'
import { isUnexpired } from './live-bindings.ts'

export type Client = typeof clients.$inferSelect
export type ClientEntry = { readonly clientId: string; readonly tenantId: TenantId; readonly active: boolean }

/** The tenant of a client, before any tenant is known. */
export const findClientEntry = async (d: AnyScope, clientId: string): Promise<ClientEntry | undefined> => {
  const [row] = await d.db
    .select({ clientId: clientDirectory.clientId, tenantId: clientDirectory.tenantId, active: clientDirectory.active })
    .from(clientDirectory)
    .where(eq(clientDirectory.clientId, clientId))
  return row === undefined ? undefined : { ...row, tenantId: asTenantId(row.tenantId) }
}

/** SHA-256 digests of what a client may show; the previous ones count until `previousValidUntil`. */
export type ClientSecrets = {
  readonly secretHash: Uint8Array | null
  readonly sdkSecretHash: Uint8Array | null
  readonly previousSecretHash: Uint8Array | null
  readonly previousSdkSecretHash: Uint8Array | null
  readonly previousValidUntil: Date | null
}
export type ClientCredentials = ClientEntry & ClientSecrets

/** What a client authenticates with, before any tenant is known. */
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

/** The client as it stands, and as it stays until the transaction ends. */
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

/** The client and its place in the directory. */
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

export type ClientChange = Partial<Omit<typeof clients.$inferInsert, 'tenantId' | 'id' | 'createdAt'>>

/** The client after the change. The directory and the service account follow whether it is active. */
export const updateClient = async (t: TenantTx, clientId: string, set: ClientChange): Promise<Client | undefined> => {
  const [row] = await t.db.update(clients).set(set).where(ownClient(t, clientId)).returning()
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

/** Sets whether the client may be used; ends its sessions when it may not. */
export const setClientActive = async (t: TenantTx, clientId: string, active: boolean, at: Date): Promise<boolean> => {
  const set = { active, status: active ? 'Active' : 'Development', updatedAt: at, ...(active ? {} : { validFrom: at }) }
  return (await updateClient(t, clientId, set)) !== undefined
}

/** The client, its place in the directory and its service account with all bindings. False when there is none. */
export const deleteClient = async (t: TenantTx, clientId: string): Promise<boolean> => {
  const [row] = await t.db.delete(clients).where(ownClient(t, clientId)).returning({ serviceAccountId: clients.serviceAccountId })
  if (row === undefined) return false
  await t.db.delete(clientDirectory).where(ownEntry(t, clientId))
  if (row.serviceAccountId !== null) {
    await t.db.delete(serviceAccounts).where(and(ownRows(t, serviceAccounts), eq(serviceAccounts.id, row.serviceAccountId)))
  }
  return true
}

/** The secrets as they stand, and as they stay until the transaction ends. */
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
