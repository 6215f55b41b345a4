// Every query on domains: what a tenant claims, and the directory that says which tenant a proved name belongs to.
import { and, count, desc, eq, gt, lt, notInArray, or, sql } from 'drizzle-orm'
import { type AnyScope, asTenantId, type JobsDb, ownRows, type TenantDb, type TenantId, type TenantTx } from '../engine/tenant.ts'
import { domainDirectory, tenantDomains } from '../tables/tenants.ts'

export type Domain = typeof tenantDomains.$inferSelect
export type NewDomain = Omit<typeof tenantDomains.$inferInsert, 'tenantId'>

/** The tenant that holds a verified domain, platform sub-domain or custom. */
export const findTenantByDomain = async (d: AnyScope, domain: string): Promise<TenantId | undefined> => {
  const [row] = await d.db
    .select({ tenantId: domainDirectory.tenantId })
    .from(domainDirectory)
    .where(and(eq(domainDirectory.domain, domain), eq(domainDirectory.isVerified, true)))
  return row === undefined ? undefined : asTenantId(row.tenantId)
}

/** Whose a verified domain is, and whether the platform gave it. */
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

/** A tenant's own verified names, in the directory's words, the oldest first. */
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

/** How long nobody else gets a name that a tenant gave up: links and bookmarks to it must not lead to a stranger. */
const RETIRED_DAYS = 90
const DAY_MS = 86_400_000
/** So that nobody collects names by being renamed again and again. */
const MOST_RETIRED = 5
const isRetired = and(eq(domainDirectory.kind, 'platform_subdomain'), eq(domainDirectory.isVerified, false))

/** False when the name is taken. A name that a tenant gave up is that tenant's to take back, and free for others when its time is over. */
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

/** The tenant's sub-domain is another one: what it shows, and what the directory says of the old name, which leads nowhere from now on. Claim the new one first. */
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

/** The name is free again. */
export const releaseDomain = async (t: TenantTx, domain: string): Promise<void> => {
  await t.db.delete(domainDirectory).where(and(eq(domainDirectory.domain, domain), eq(domainDirectory.tenantId, t.tenantId)))
}

/** A claim without proof counts while it is younger than this moment. */
const counts = (since: Date) => or(eq(tenantDomains.isVerified, true), gt(tenantDomains.createdAt, since))

/** The primary one first, then the newest. */
export const listDomains = (t: TenantDb, since: Date): Promise<Domain[]> =>
  t.db
    .select()
    .from(tenantDomains)
    .where(and(ownRows(t, tenantDomains), counts(since)))
    .orderBy(desc(tenantDomains.isPrimary), desc(tenantDomains.createdAt), desc(tenantDomains.id))
    .limit(1000)

/** The tenant's own domain, proved; the primary one first. */
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

/** False when the tenant has the name already. A claim that lapsed makes way. */
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

/** All domains of the tenant stay as they are until the transaction ends. */
export const lockDomains = async (t: TenantTx): Promise<Domain[]> =>
  t.db.select().from(tenantDomains).where(ownRows(t, tenantDomains)).orderBy(tenantDomains.id).for('update')

export const recordDomainFailure = async (t: TenantTx, id: string, reason: string, at: Date): Promise<void> => {
  await t.db
    .update(tenantDomains)
    .set({ lastCheckedAt: at, failureReason: reason, updatedAt: at })
    .where(and(ownRows(t, tenantDomains), eq(tenantDomains.id, id), eq(tenantDomains.isVerified, false)))
}

/** The domain as it is once proved; undefined when it is proved already, or gone. */
export const markDomainVerified = async (t: TenantTx, id: string, by: string, at: Date): Promise<Domain | undefined> => {
  const [row] = await t.db
    .update(tenantDomains)
    .set({ isVerified: true, verifiedAt: at, lastCheckedAt: at, failureReason: null, updatedBy: by, updatedAt: at })
    .where(and(ownRows(t, tenantDomains), eq(tenantDomains.id, id), eq(tenantDomains.isVerified, false)))
    .returning()
  return row
}

/** Custom domains that are proved, of all tenants, a page at a time in their own order. */
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

/** Whether the proof of a proved domain was there, and if not why. False when it is proved no more, or gone. */
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

/** What was proved is a claim again, as if it was made now, and the name is free. The platform's own name takes the place of a primary one. Call under `lockDomains`. */
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

/** Clears the primary one, then sets this: the unique index allows one at a time. Call under `lockDomains`. */
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

/** The domain, and what the directory says of it. */
export const deleteDomain = async (t: TenantTx, { id, domain }: Pick<Domain, 'id' | 'domain'>): Promise<void> => {
  await t.db.delete(tenantDomains).where(and(ownRows(t, tenantDomains), eq(tenantDomains.id, id)))
  await releaseDomain(t, domain)
}

/** Deletes at most `limit` claims that were not proved in time. Row level security shows the jobs role no others. */
export const deleteLapsedDomainsOfAllTenants = async (d: JobsDb, before: Date, limit: number): Promise<number> => {
  const lapsed = and(eq(tenantDomains.isVerified, false), lt(tenantDomains.createdAt, before))
  const rows = await d.db.execute<{ deleted: number }>(sql`
    with gone as (
      delete from ${tenantDomains} where ctid = any (array(select ctid from ${tenantDomains} where ${lapsed} limit ${limit})) returning 1
    ) select count(*)::int as deleted from gone`)
  return rows[0]?.deleted ?? 0
}
