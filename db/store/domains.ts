// Queries on domains: a tenant's claims, and the directory of verified names.
import { and, count, desc, eq, gt, inArray, lt, notInArray, or, sql } from 'drizzle-orm'
import { type AnyScope, asTenantId, type JobsDb, ownRows, type TenantDb, type TenantId, type TenantTx } from '../engine/tenant.ts'
import { domainDirectory, tenantDomains } from '../tables/tenants.ts'

export type Domain = typeof tenantDomains.$inferSelect
export type NewDomain = Omit<typeof tenantDomains.$inferInsert, 'tenantId'>

/** The tenant of a verified domain, platform sub-domain or custom. */
export const findTenantByDomain = async (d: AnyScope, domain: string): Promise<TenantId | undefined> => {
  const [row] = await d.db
    .select({ tenantId: domainDirectory.tenantId })
    .from(domainDirectory)
    .where(and(eq(domainDirectory.domain, domain), eq(domainDirectory.isVerified, true)))
  return row === undefined ? undefined : asTenantId(row.tenantId)
}

/** The tenant that proved the host, or the closest domain above it. A host may be spelled with the dot of the root. */
export const findTenantOfHost = async (d: AnyScope, host: string): Promise<TenantId | undefined> => {
  const labels = host.replace(/\.$/, '').split('.')
  const names = labels.slice(0, -1).map((_, at) => labels.slice(at).join('.'))
  if (names.length === 0) return undefined
  const [row] = await d.db
    .select({ tenantId: domainDirectory.tenantId })
    .from(domainDirectory)
    .where(and(inArray(domainDirectory.domain, names), eq(domainDirectory.isVerified, true)))
    .orderBy(desc(sql`length(${domainDirectory.domain})`))
    .limit(1)
  return row === undefined ? undefined : asTenantId(row.tenantId)
}

/** The tenant of a verified domain, and whether the platform assigned it. */
export const findVerifiedDomain = async (
  d: AnyScope,
  domain: string,
): Promise<{ readonly tenantId: TenantId; readonly kind: 'platform_subdomain' | 'custom' } | undefined> => {
  const [row] = await d.db
    .select({ tenantId: domainDirectory.tenantId, kind: domainDirectory.kind })
    .from(domainDirectory)
    .where(and(eq(domainDirectory.domain, domain), eq(domainDirectory.isVerified, true)))
  return row === undefined ? undefined : { tenantId: asTenantId(row.tenantId), kind: row.kind }
}

/** A tenant's verified names in the directory, oldest first. */
export const findCustomDomains = async (d: AnyScope, tenantId: TenantId): Promise<string[]> => {
  const rows = await d.db
    .select({ domain: domainDirectory.domain })
    .from(domainDirectory)
    .where(and(eq(domainDirectory.tenantId, tenantId), eq(domainDirectory.isVerified, true), eq(domainDirectory.kind, 'custom')))
    .orderBy(domainDirectory.createdAt, domainDirectory.domain)
    .limit(100)
  return rows.map((row) => row.domain)
}

/** The tenant that a name is reserved for, verified or not. */
export const findDomainOwner = async (d: AnyScope, domain: string): Promise<TenantId | undefined> => {
  const [row] = await d.db.select({ tenantId: domainDirectory.tenantId }).from(domainDirectory).where(eq(domainDirectory.domain, domain))
  return row === undefined ? undefined : asTenantId(row.tenantId)
}

/** How long a released name stays reserved for its tenant: links and bookmarks to it must not lead to another company. */
const RETIRED_DAYS = 90
const DAY_MS = 86_400_000
/** Limits the reserved names of a tenant, so that renaming cannot be used to collect names. */
const MOST_RETIRED = 5
const isRetired = and(eq(domainDirectory.kind, 'platform_subdomain'), eq(domainDirectory.isVerified, false))

/** False when the name is taken. A tenant may reclaim a name that it released; others may take it when its reservation has ended. */
export const claimDomain = async (
  t: TenantTx,
  row: { readonly domain: string; readonly kind: 'platform_subdomain' | 'custom'; readonly isVerified: boolean; readonly createdAt: Date },
): Promise<boolean> => {
  const over = new Date(row.createdAt.getTime() - RETIRED_DAYS * DAY_MS)
  const added = await t.db
    .insert(domainDirectory)
    .values({ ...row, tenantId: t.tenantId })
    .onConflictDoUpdate({
      target: domainDirectory.domain,
      set: { ...row, tenantId: t.tenantId },
      setWhere: sql`${isRetired} and (${domainDirectory.tenantId} = ${t.tenantId}::uuid or ${domainDirectory.createdAt} < ${over.toISOString()}::timestamptz)`,
    })
    .returning({ domain: domainDirectory.domain })
  return added.length === 1
}

/**
 * Changes the tenant's sub-domain: the displayed domain, and the directory row of the old name, which no longer resolves. Claim the new one first.
 */
export const moveSubDomain = async (t: TenantTx, { id, from, to, at }: { id: string; from: string; to: string; at: Date }): Promise<void> => {
  const moved = await t.db
    .update(tenantDomains)
    .set({ domain: to, updatedAt: at })
    .where(and(ownRows(t, tenantDomains), eq(tenantDomains.domain, from), eq(tenantDomains.kind, 'platform_subdomain')))
    .returning({ id: tenantDomains.id })
  const row = {
    id,
    domain: to,
    kind: 'platform_subdomain' as const,
    isVerified: true,
    verificationToken: '',
    verifiedAt: at,
    createdAt: at,
    updatedAt: at,
  }
  if (moved.length === 0) await insertDomain(t, row, at)
  const own = eq(domainDirectory.tenantId, t.tenantId)
  await t.db
    .update(domainDirectory)
    .set({ isVerified: false, createdAt: at })
    .where(and(own, eq(domainDirectory.domain, from), eq(domainDirectory.kind, 'platform_subdomain')))
  const kept = t.db
    .select({ domain: domainDirectory.domain })
    .from(domainDirectory)
    .where(and(own, isRetired))
    .orderBy(desc(domainDirectory.createdAt), domainDirectory.domain)
    .limit(MOST_RETIRED)
  await t.db.delete(domainDirectory).where(and(own, isRetired, notInArray(domainDirectory.domain, kept)))
}

/** Releases the name. */
export const releaseDomain = async (t: TenantTx, domain: string): Promise<void> => {
  await t.db.delete(domainDirectory).where(and(eq(domainDirectory.domain, domain), eq(domainDirectory.tenantId, t.tenantId)))
}

/** An unverified claim is valid while it is younger than this time. */
const counts = (since: Date) => or(eq(tenantDomains.isVerified, true), gt(tenantDomains.createdAt, since))

/** Primary first, then newest first. */
export const listDomains = (t: TenantDb, since: Date): Promise<Domain[]> =>
  t.db
    .select()
    .from(tenantDomains)
    .where(and(ownRows(t, tenantDomains), counts(since)))
    .orderBy(desc(tenantDomains.isPrimary), desc(tenantDomains.createdAt), desc(tenantDomains.id))
    .limit(1000)

/** The tenant's verified domains, primary first. */
export const findVerifiedCustomDomain = async (t: TenantDb): Promise<string | undefined> => {
  const [row] = await t.db
    .select({ domain: tenantDomains.domain })
    .from(tenantDomains)
    .where(and(ownRows(t, tenantDomains), eq(tenantDomains.kind, 'custom'), eq(tenantDomains.isVerified, true)))
    .orderBy(desc(tenantDomains.isPrimary), desc(tenantDomains.createdAt))
    .limit(1)
  return row?.domain
}

export const findDomain = async (t: TenantDb, id: string, since: Date): Promise<Domain | undefined> => {
  const [row] = await t.db
    .select()
    .from(tenantDomains)
    .where(and(ownRows(t, tenantDomains), eq(tenantDomains.id, id), counts(since)))
  return row
}

export const countDomains = async (t: TenantDb): Promise<number> => {
  const [row] = await t.db.select({ total: count() }).from(tenantDomains).where(ownRows(t, tenantDomains))
  return row?.total ?? 0
}

/** False when the tenant already has the name. An expired claim is replaced. */
export const insertDomain = async (t: TenantTx, row: NewDomain, since: Date): Promise<boolean> => {
  await t.db
    .delete(tenantDomains)
    .where(
      and(
        ownRows(t, tenantDomains),
        eq(tenantDomains.domain, row.domain),
        eq(tenantDomains.isVerified, false),
        sql`${tenantDomains.createdAt} <= ${since.toISOString()}::timestamptz`,
      ),
    )
  const added = await t.db
    .insert(tenantDomains)
    .values({ ...row, tenantId: t.tenantId })
    .onConflictDoNothing({ target: [tenantDomains.tenantId, tenantDomains.domain] })
    .returning({ id: tenantDomains.id })
  return added.length === 1
}

/** Locks all domains of the tenant until the transaction ends. */
export const lockDomains = async (t: TenantTx): Promise<Domain[]> =>
  t.db.select().from(tenantDomains).where(ownRows(t, tenantDomains)).orderBy(tenantDomains.id).for('update')

export const recordDomainFailure = async (t: TenantTx, id: string, reason: string, at: Date): Promise<void> => {
  await t.db
    .update(tenantDomains)
    .set({ lastCheckedAt: at, failureReason: reason, updatedAt: at })
    .where(and(ownRows(t, tenantDomains), eq(tenantDomains.id, id), eq(tenantDomains.isVerified, false)))
}

/** Marks the domain as verified and returns it; undefined when it already is, or does not exist. */
export const markDomainVerified = async (t: TenantTx, id: string, by: string, at: Date): Promise<Domain | undefined> => {
  const [row] = await t.db
    .update(tenantDomains)
    .set({ isVerified: true, verifiedAt: at, lastCheckedAt: at, failureReason: null, updatedBy: by, updatedAt: at })
    .where(and(ownRows(t, tenantDomains), eq(tenantDomains.id, id), eq(tenantDomains.isVerified, false)))
    .returning()
  return row
}

/** Verified custom domains of all tenants, a page at a time. */
export const listProvedDomains = async (
  d: AnyScope,
  after: string,
  limit: number,
): Promise<{ readonly domain: string; readonly tenantId: TenantId }[]> => {
  const rows = await d.db
    .select({ domain: domainDirectory.domain, tenantId: domainDirectory.tenantId })
    .from(domainDirectory)
    .where(and(eq(domainDirectory.isVerified, true), eq(domainDirectory.kind, 'custom'), gt(domainDirectory.domain, after)))
    .orderBy(domainDirectory.domain)
    .limit(limit)
  return rows.map((row) => ({ domain: row.domain, tenantId: asTenantId(row.tenantId) }))
}

export const findProvedDomain = async (t: TenantDb, domain: string): Promise<Domain | undefined> => {
  const [row] = await t.db
    .select()
    .from(tenantDomains)
    .where(and(ownRows(t, tenantDomains), eq(tenantDomains.domain, domain), eq(tenantDomains.isVerified, true)))
  return row
}

/** Stores whether the DNS record of a verified domain was found, and if not why. False when the domain is no longer verified or does not exist. */
export const recordDomainProof = async (
  t: TenantTx,
  id: string,
  missing: { readonly since: Date; readonly reason: string } | undefined,
  at: Date,
): Promise<boolean> => {
  const rows = await t.db
    .update(tenantDomains)
    .set({ lastCheckedAt: at, proofMissingSince: missing?.since ?? null, failureReason: missing?.reason ?? null })
    .where(and(ownRows(t, tenantDomains), eq(tenantDomains.id, id), eq(tenantDomains.isVerified, true)))
    .returning({ id: tenantDomains.id })
  return rows.length === 1
}

/**
 * Turns a verified domain back into a new claim and releases the name. The platform's sub-domain replaces a primary one. Call it under `lockDomains`.
 */
export const withdrawDomainProof = async (t: TenantTx, { id, domain, isPrimary }: Domain, reason: string, at: Date): Promise<void> => {
  const own = ownRows(t, tenantDomains)
  const claimed = { isVerified: false, isPrimary: false, verifiedAt: null, proofMissingSince: null, createdAt: at }
  await t.db
    .update(tenantDomains)
    .set({ ...claimed, lastCheckedAt: at, failureReason: reason, updatedAt: at })
    .where(and(own, eq(tenantDomains.id, id)))
  if (isPrimary)
    await t.db
      .update(tenantDomains)
      .set({ isPrimary: true, updatedAt: at })
      .where(and(own, eq(tenantDomains.kind, 'platform_subdomain')))
  await releaseDomain(t, domain)
}

/** Clears the primary domain, then sets this one, because the unique index allows one at a time. Call it under `lockDomains`. */
export const setPrimaryDomain = async (t: TenantTx, id: string, by: string, at: Date): Promise<Domain | undefined> => {
  const set = { updatedBy: by, updatedAt: at }
  await t.db
    .update(tenantDomains)
    .set({ ...set, isPrimary: false })
    .where(and(ownRows(t, tenantDomains), eq(tenantDomains.isPrimary, true)))
  const [row] = await t.db
    .update(tenantDomains)
    .set({ ...set, isPrimary: true })
    .where(and(ownRows(t, tenantDomains), eq(tenantDomains.id, id), eq(tenantDomains.isVerified, true)))
    .returning()
  return row
}

/** Deletes the domain and its directory row. */
export const deleteDomain = async (t: TenantTx, { id, domain }: Pick<Domain, 'id' | 'domain'>): Promise<void> => {
  await t.db.delete(tenantDomains).where(and(ownRows(t, tenantDomains), eq(tenantDomains.id, id)))
  await releaseDomain(t, domain)
}

/** Deletes at most `limit` expired claims. Row level security hides all others from the jobs role. */
export const deleteLapsedDomainsOfAllTenants = async (d: JobsDb, before: Date, limit: number): Promise<number> => {
  const lapsed = and(eq(tenantDomains.isVerified, false), lt(tenantDomains.createdAt, before))
  const rows = await d.db.execute<{ deleted: number }>(sql`
    with gone as (
      delete from ${tenantDomains} where ctid = any (array(select ctid from ${tenantDomains} where ${lapsed} limit ${limit})) returning 1
    ) select count(*)::int as deleted from gone`)
  return rows[0]?.deleted ?? 0
}
