// Queries on clients that registered themselves (RFC 7591) or have a metadata document, on initial access tokens, and on pending requests of clients.
import { and, asc, desc, eq, gt, isNotNull, isNull, lt, ne, or, sql } from 'drizzle-orm'
import { inOtherTenant, type JobsDb, ownRows, type TenantDb, type TenantId, type TenantTx } from '../engine/tenant.ts'
import { clientDirectory, clients } from '../tables/clients.ts'
import { registrationTokens, resourceAccessRequests, resourceFirstAccess } from '../tables/oauth.ts'
import type { Client } from './clients.ts'

export const findMetadataClient = async (t: TenantDb, metadataUrl: string): Promise<Client | undefined> => {
  const [row] = await t.db
    .select()
    .from(clients)
    .where(and(ownRows(t, clients), eq(clients.metadataUrl, metadataUrl)))
  return row
}

/** Moves an unused client from the system tenant to another. Undefined when it is not there any more. */
export const moveUnusedClient = async (from: TenantTx, clientId: string, to: TenantId): Promise<Client | undefined> => {
  const [row] = await from.db
    .delete(clients)
    .where(and(ownRows(from, clients), eq(clients.id, clientId), isNotNull(clients.unusedUntil)))
    .returning()
  if (row === undefined) return undefined
  await from.db
    .update(clientDirectory)
    .set({ tenantId: to })
    .where(and(eq(clientDirectory.clientId, clientId), eq(clientDirectory.tenantId, from.tenantId)))
  const moved = { ...row, tenantId: to }
  await inOtherTenant(from, to, async (t) => t.db.insert(clients).values(moved))
  return moved
}

/** False when it was already used. */
export const markClientUsed = async (t: TenantTx, clientId: string): Promise<boolean> => {
  const rows = await t.db
    .update(clients)
    .set({ unusedUntil: null })
    .where(and(ownRows(t, clients), eq(clients.id, clientId), isNotNull(clients.unusedUntil)))
    .returning({ id: clients.id })
  return rows.length === 1
}

/** How many clients registered themselves, and how many of them are unused. Expired ones do not count, whether or not they are removed yet. */
export const countSelfRegistered = async (t: TenantDb, now: Date): Promise<{ readonly all: number; readonly waiting: number }> => {
  const c = clients
  const [row] = await t.db
    .select({ all: sql<number>`count(*)::int`, waiting: sql<number>`(count(*) filter (where ${c.unusedUntil} is not null))::int` })
    .from(c)
    .where(and(ownRows(t, c), ne(c.registeredBy, 'administrator'), or(isNull(c.unusedUntil), gt(c.unusedUntil, now))))
  return row ?? { all: 0, waiting: 0 }
}

/** Removes registrations that were not used in time, with their directory rows. Returns how many. */
export const deleteUnusedClientsOfAllTenants = async (d: JobsDb, before: Date, limit: number): Promise<number> => {
  const rows = await d.db.execute<{ deleted: number }>(sql`
    with gone as (
      delete from ${clients} where ctid = any (array(select ctid from ${clients} where ${lt(clients.unusedUntil, before)} limit ${limit})) returning id
    ), places as (
      delete from ${clientDirectory} where client_id in (select id from gone)
    ) select count(*)::int as deleted from gone`)
  return rows[0]?.deleted ?? 0
}

type Jwks = NonNullable<Client['fetchedJwks']>
type Fetched = { readonly clientId: string; readonly url: string; readonly jwks: Jwks | undefined; readonly at: Date }
/**
 * The content of a client's `jwks_uri`: a cached copy, not audited, with the time of the read. Without `jwks` nothing could be read, and the time of the attempt
 * is stored. False, and nothing is stored, when the client's `jwks_uri` is another one.
 */
export const saveFetchedJwks = async (t: TenantDb, { clientId, url, jwks, at }: Fetched): Promise<boolean> => {
  const c = clients
  // For a copy without a time of reading, the last try counts.
  const readThen = sql`${c.fetchedJwks} || jsonb_build_object('read_at', coalesce(${c.fetchedJwks} ->> 'read_at', ${c.jwksFetchedAt}::text))`
  const rows = await t.db
    .update(c)
    .set({ jwksFetchedAt: at, fetchedJwks: jwks === undefined ? readThen : { ...jwks, read_at: at.toISOString() } })
    .where(and(ownRows(t, c), eq(c.id, clientId), eq(c.jwksUri, url)))
    .returning({ id: c.id })
  return rows.length === 1
}

export type RegistrationToken = typeof registrationTokens.$inferSelect

export const insertRegistrationToken = async (t: TenantTx, row: Omit<typeof registrationTokens.$inferInsert, 'tenantId'>): Promise<void> => {
  await t.db.insert(registrationTokens).values({ ...row, tenantId: t.tenantId })
}

export const listRegistrationTokens = (t: TenantDb, now: Date): Promise<RegistrationToken[]> =>
  t.db
    .select()
    .from(registrationTokens)
    .where(and(ownRows(t, registrationTokens), gt(registrationTokens.expiresAt, now)))
    .orderBy(desc(registrationTokens.createdAt), asc(registrationTokens.id))
    .limit(500)

export const deleteRegistrationToken = async (t: TenantTx, id: string): Promise<boolean> => {
  const rows = await t.db
    .delete(registrationTokens)
    .where(and(ownRows(t, registrationTokens), eq(registrationTokens.id, id)))
    .returning({ id: registrationTokens.id })
  return rows.length === 1
}

/** Uses one of the remaining registrations; concurrent requests never use more than there are. */
export const spendRegistrationToken = async (t: TenantTx, tokenHash: Uint8Array, now: Date): Promise<string | undefined> => {
  const r = registrationTokens
  const [row] = await t.db
    .update(r)
    .set({ usesLeft: sql`${r.usesLeft} - 1` })
    .where(and(ownRows(t, r), eq(r.tokenHash, tokenHash), gt(r.usesLeft, 0), gt(r.expiresAt, now)))
    .returning({ id: r.id })
  return row?.id
}

export type AccessRequest = typeof resourceAccessRequests.$inferSelect
type Wanted = { readonly resourceServerId: string; readonly clientId: string }
const wanted = (t: TenantDb, { resourceServerId, clientId }: Wanted) =>
  and(
    ownRows(t, resourceAccessRequests),
    eq(resourceAccessRequests.resourceServerId, resourceServerId),
    eq(resourceAccessRequests.clientId, clientId),
  )

/** The client's access request for that server: this one, or an existing pending or denied one. `isNew` tells which. */
export const putAccessRequest = async (
  t: TenantTx,
  row: Wanted & { readonly id: string; readonly at: Date; readonly expiresAt: Date },
): Promise<AccessRequest & { readonly isNew: boolean }> => {
  const { at, ...own } = row
  const [put] = await t.db
    .insert(resourceAccessRequests)
    .values({ ...own, tenantId: t.tenantId, createdAt: at, updatedAt: at })
    .onConflictDoUpdate({
      target: [resourceAccessRequests.tenantId, resourceAccessRequests.resourceServerId, resourceAccessRequests.clientId],
      set: {
        expiresAt: sql`greatest(${resourceAccessRequests.expiresAt}, excluded.expires_at)`,
        // A request that was approved and later revoked is created again.
        status: sql`case when ${resourceAccessRequests.status} = 'denied' then 'denied' else 'pending' end`,
      },
    })
    .returning()
  if (put === undefined) throw new Error('an upsert returns its row')
  return { ...put, isNew: put.id === row.id }
}

export const findAccessRequest = async (t: TenantDb, id: string): Promise<AccessRequest | undefined> => {
  const [row] = await t.db
    .select()
    .from(resourceAccessRequests)
    .where(and(ownRows(t, resourceAccessRequests), eq(resourceAccessRequests.id, id)))
  return row
}

export const decideAccessRequest = async (t: TenantTx, which: Wanted, status: 'approved' | 'denied', at: Date): Promise<boolean> => {
  const rows = await t.db
    .update(resourceAccessRequests)
    .set({ status, updatedAt: at })
    .where(wanted(t, which))
    .returning({ id: resourceAccessRequests.id })
  return rows.length === 1
}

/** Pending requests for a server, oldest first. */
export const listAccessRequests = (t: TenantDb, resourceServerId: string, now: Date): Promise<AccessRequest[]> =>
  t.db
    .select()
    .from(resourceAccessRequests)
    .where(
      and(
        ownRows(t, resourceAccessRequests),
        eq(resourceAccessRequests.resourceServerId, resourceServerId),
        eq(resourceAccessRequests.status, 'pending'),
        gt(resourceAccessRequests.expiresAt, now),
      ),
    )
    .orderBy(asc(resourceAccessRequests.createdAt))
    .limit(500)

/** False when the person received it before, whatever happened to it since. */
export const noteFirstAccess = async (t: TenantTx, resourceServerId: string, userId: string, at: Date): Promise<boolean> => {
  const rows = await t.db
    .insert(resourceFirstAccess)
    .values({ tenantId: t.tenantId, resourceServerId, userId, createdAt: at })
    .onConflictDoNothing()
    .returning({ userId: resourceFirstAccess.userId })
  return rows.length === 1
}
