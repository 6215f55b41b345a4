// Queries on webhook endpoints and their delivery queue.
import { and, asc, eq, isNull, lte, or, sql } from 'drizzle-orm'
import { type AnyScope, asTenantId, type DirectoryDb, ownRows, type TenantDb, type TenantId, type TenantTx } from '../engine/tenant.ts'
import { webhookEndpoints, webhookQueue } from '../tables/webhooks.ts'

export type WebhookEndpoint = typeof webhookEndpoints.$inferSelect
export type NewWebhookEndpoint = Omit<typeof webhookEndpoints.$inferInsert, 'tenantId'>
type Changes = Partial<Omit<NewWebhookEndpoint, 'id'>>

const endpoint = (t: TenantDb, id: string) => and(ownRows(t, webhookEndpoints), eq(webhookEndpoints.id, id))

export const findWebhooks = (t: TenantDb): Promise<WebhookEndpoint[]> =>
  t.db.select().from(webhookEndpoints).where(ownRows(t, webhookEndpoints)).orderBy(asc(webhookEndpoints.createdAt), asc(webhookEndpoints.id))

export const findWebhook = async (t: TenantDb, id: string): Promise<WebhookEndpoint | undefined> => {
  const [row] = await t.db.select().from(webhookEndpoints).where(endpoint(t, id))
  return row
}

/** The row, locked until the transaction ends. */
export const lockWebhook = async (t: TenantTx, id: string): Promise<WebhookEndpoint | undefined> => {
  const [row] = await t.db.select().from(webhookEndpoints).where(endpoint(t, id)).for('update')
  return row
}

export const insertWebhook = async (t: TenantTx, row: NewWebhookEndpoint): Promise<void> => {
  await t.db.insert(webhookEndpoints).values({ ...row, tenantId: t.tenantId })
}

export const updateWebhook = async (t: TenantTx, id: string, set: Changes): Promise<WebhookEndpoint | undefined> => {
  const [row] = await t.db.update(webhookEndpoints).set(set).where(endpoint(t, id)).returning()
  return row
}

export const deleteWebhook = async (t: TenantTx, id: string): Promise<boolean> => {
  const gone = await t.db.delete(webhookEndpoints).where(endpoint(t, id)).returning({ id: webhookEndpoints.id })
  return gone.length === 1
}

/**
 * Stores a successful delivery. False when the endpoint was changed, replayed, disabled, deleted or leased by another sender meanwhile, which then
 * decides.
 */
export const advanceWebhook = async (t: TenantTx, from: Pick<WebhookEndpoint, 'id' | 'cursor' | 'updatedAt'>, set: Changes): Promise<boolean> => {
  const isThere = from.cursor === null ? isNull(webhookEndpoints.cursor) : eq(webhookEndpoints.cursor, from.cursor)
  const changed = await t.db
    .update(webhookEndpoints)
    .set(set)
    .where(and(endpoint(t, from.id), eq(webhookEndpoints.active, true), eq(webhookEndpoints.updatedAt, from.updatedAt), isThere))
    .returning({ id: webhookEndpoints.id })
  return changed.length === 1
}

/** An endpoint leased by this sender until `until`. */
export type LeasedWebhook = { readonly tenantId: TenantId; readonly endpointId: string; readonly until: Date }
type Entry = Pick<LeasedWebhook, 'tenantId' | 'endpointId'>

const queued = ({ tenantId, endpointId }: Entry) => and(eq(webhookQueue.tenantId, tenantId), eq(webhookQueue.endpointId, endpointId))
const held = (leased: LeasedWebhook) => and(queued(leased), eq(webhookQueue.leasedUntil, leased.until))

/** Schedules an endpoint at `dueAt`, whatever was planned, and resets its failures. */
export const queueWebhook = async (d: AnyScope, entry: Entry, dueAt: Date): Promise<void> => {
  await d.db
    .insert(webhookQueue)
    .values({ tenantId: entry.tenantId, endpointId: entry.endpointId, dueAt })
    .onConflictDoUpdate({ target: [webhookQueue.tenantId, webhookQueue.endpointId], set: { dueAt, failures: 0 } })
}

export const deleteWebhookFromQueue = async (d: AnyScope, entry: Entry): Promise<void> => {
  await d.db.delete(webhookQueue).where(queued(entry))
}

/** After an event: schedules the tenant's endpoints by `dueAt`, except failing ones that wait. Returns their number. */
export const expediteWebhooks = async (d: DirectoryDb, tenantId: TenantId, dueAt: Date): Promise<number> => {
  const hastened = await d.db
    .update(webhookQueue)
    .set({ dueAt: sql`least(${webhookQueue.dueAt}, ${dueAt.toISOString()}::timestamptz)` })
    .where(and(eq(webhookQueue.tenantId, tenantId), eq(webhookQueue.failures, 0)))
    .returning({ id: webhookQueue.endpointId })
  return hastened.length
}

/**
 * Leases up to `limit` due endpoints, longest due first, in one statement: of two senders one gets a row, the other skips it. An expired lease is due
 * again. An endpoint expedited during its lease has a due time before the lease's end.
 */
export const leaseDueWebhooks = async (d: DirectoryDb, now: Date, until: Date, limit: number): Promise<readonly LeasedWebhook[]> => {
  const isFree = or(isNull(webhookQueue.leasedUntil), lte(webhookQueue.leasedUntil, now))
  const due = d.db.$with('due').as(
    d.db
      .select({ tenantId: webhookQueue.tenantId, endpointId: webhookQueue.endpointId })
      .from(webhookQueue)
      .where(and(lte(webhookQueue.dueAt, now), isFree))
      .orderBy(asc(webhookQueue.dueAt))
      .limit(limit)
      .for('update', { skipLocked: true }),
  )
  const rows = await d.db
    .with(due)
    .update(webhookQueue)
    .set({ leasedUntil: until, dueAt: until })
    .from(due)
    .where(and(eq(webhookQueue.tenantId, due.tenantId), eq(webhookQueue.endpointId, due.endpointId)))
    .returning({ tenantId: webhookQueue.tenantId, endpointId: webhookQueue.endpointId })
  return rows.map((row) => ({ ...row, tenantId: asTenantId(row.tenantId), until }))
}

/** Releases an endpoint with the due time `dueAt`, or an earlier one if it was expedited meanwhile. */
export const releaseWebhook = async (d: AnyScope, leased: LeasedWebhook, dueAt: Date): Promise<void> => {
  const dueBy = sql`case when ${webhookQueue.dueAt} < ${webhookQueue.leasedUntil} then least(${webhookQueue.dueAt}, ${dueAt.toISOString()}::timestamptz)
    else ${dueAt.toISOString()}::timestamptz end`
  await d.db.update(webhookQueue).set({ dueAt: dueBy, leasedUntil: null, failures: 0 }).where(held(leased))
}

/** Releases an endpoint after a failure. False when the lease was lost: then another sender decides. */
export const postponeWebhook = async (t: TenantTx, leased: LeasedWebhook, dueAt: Date, failures: number): Promise<boolean> => {
  const given = await t.db
    .update(webhookQueue)
    .set({ dueAt, leasedUntil: null, failures })
    .where(held(leased))
    .returning({ id: webhookQueue.endpointId })
  return given.length === 1
}

/** The next due time; undefined when there is none. */
export const nextWebhookDueAt = async (d: DirectoryDb): Promise<Date | undefined> => {
  const wanted = sql`greatest(${webhookQueue.dueAt}, ${webhookQueue.leasedUntil})`
  const [row] = await d.db
    .select({ at: sql<string>`${wanted}` })
    .from(webhookQueue)
    .orderBy(asc(wanted))
    .limit(1)
  return row === undefined ? undefined : new Date(row.at)
}
