// Queries on messages to deliver. A message belongs to its tenant and is sealed; the queue is a directory table of ids and times, so that a sender
// finds due messages of all tenants.
import { and, asc, eq, isNull, lt, lte, or, sql } from 'drizzle-orm'
import { type AnyScope, asTenantId, type DirectoryDb, type JobsDb, ownRows, type TenantDb, type TenantId, type TenantTx } from '../engine/tenant.ts'
import { type MessageKind, outboxMessages, outboxQueue } from '../tables/operations.ts'

export type { MessageKind } from '../tables/operations.ts'

/** A message leased by this sender until `until`. `attempts` includes this one. */
export type LeasedMessage = { readonly tenantId: TenantId; readonly id: string; readonly attempts: number; readonly until: Date }

/** Inserts a message and its queue row together. */
export const insertMessage = async (
  t: TenantTx,
  {
    dueAt,
    ...message
  }: { readonly id: string; readonly kind: MessageKind; readonly sealed: Uint8Array; readonly createdAt: Date; readonly dueAt: Date },
): Promise<void> => {
  await t.db.insert(outboxMessages).values({ ...message, tenantId: t.tenantId })
  await t.db.insert(outboxQueue).values({ tenantId: t.tenantId, id: message.id, dueAt })
}

/** Waiting mails of a person's recovery. */
export const reminderKind = (userId: string) => `recovery_reminder:${userId}` as const

/** Withdraws waiting messages of a kind; a sender drops queue rows without a message. */
export const deleteWaitingMessages = async (t: TenantTx, kind: MessageKind): Promise<void> => {
  await t.db.delete(outboxMessages).where(and(ownRows(t, outboxMessages), eq(outboxMessages.kind, kind), isNull(outboxMessages.sentAt)))
}

/**
 * Leases up to `limit` due messages, longest due first, in one statement: of two senders one gets a row, the other skips it. An expired lease is due
 * again. The attempt is counted here, so that a message that crashes its sender is not retried forever.
 */
export const leaseDueMessages = async (d: DirectoryDb, now: Date, until: Date, limit: number): Promise<readonly LeasedMessage[]> => {
  const isFree = or(isNull(outboxQueue.leasedUntil), lte(outboxQueue.leasedUntil, now))
  // A common table expression runs once; a plain subquery could run again for every row and lock more than it takes.
  const due = d.db.$with('due').as(
    d.db
      .select({ tenantId: outboxQueue.tenantId, id: outboxQueue.id })
      .from(outboxQueue)
      .where(and(lte(outboxQueue.dueAt, now), isFree))
      .orderBy(asc(outboxQueue.dueAt))
      .limit(limit)
      .for('update', { skipLocked: true }),
  )
  const rows = await d.db
    .with(due)
    .update(outboxQueue)
    .set({ leasedUntil: until, attempts: sql`${outboxQueue.attempts} + 1` })
    .from(due)
    .where(and(eq(outboxQueue.tenantId, due.tenantId), eq(outboxQueue.id, due.id)))
    .returning({ tenantId: outboxQueue.tenantId, id: outboxQueue.id, attempts: outboxQueue.attempts })
  return rows.map((row) => ({ ...row, tenantId: asTenantId(row.tenantId), until }))
}

/** The next due time; undefined when no message waits. */
export const nextDueAt = async (d: DirectoryDb): Promise<Date | undefined> => {
  const wanted = sql`greatest(${outboxQueue.dueAt}, ${outboxQueue.leasedUntil})`
  const [row] = await d.db
    .select({ at: sql<string>`${wanted}` })
    .from(outboxQueue)
    .orderBy(asc(wanted))
    .limit(1)
  return row === undefined ? undefined : new Date(row.at)
}

export type WaitingMessage = Pick<typeof outboxMessages.$inferSelect, 'kind' | 'sealed' | 'data'>

/** The message; undefined when it was sent, given up, or removed with its tenant. */
export const findWaitingMessage = async (t: TenantDb, id: string): Promise<WaitingMessage | undefined> => {
  const [row] = await t.db
    .select({ kind: outboxMessages.kind, sealed: outboxMessages.sealed, data: outboxMessages.data })
    .from(outboxMessages)
    .where(and(ownRows(t, outboxMessages), eq(outboxMessages.id, id), isNull(outboxMessages.sentAt), isNull(outboxMessages.failedAt)))
  return row
}

const message = (t: TenantDb, id: string) => and(ownRows(t, outboxMessages), eq(outboxMessages.id, id))
type Entry = Pick<LeasedMessage, 'tenantId' | 'id'>
const queued = ({ tenantId, id }: Entry) => and(eq(outboxQueue.tenantId, tenantId), eq(outboxQueue.id, id))
const held = (leased: LeasedMessage) => and(queued(leased), eq(outboxQueue.leasedUntil, leased.until))

/** Erases a sent message, whether or not the lease still holds: it must not be sent again. */
export const markMessageSent = async (t: TenantTx, { tenantId, id }: Entry, at: Date): Promise<void> => {
  await t.db.delete(outboxQueue).where(queued({ tenantId, id }))
  await t.db.update(outboxMessages).set({ sealed: null, data: null, sentAt: at, lastError: null }).where(message(t, id))
}

/** Releases a message without counting the attempt. */
export const releaseMessage = async (d: DirectoryDb, leased: LeasedMessage): Promise<void> => {
  await d.db
    .update(outboxQueue)
    .set({ attempts: leased.attempts - 1, leasedUntil: null })
    .where(held(leased))
}

/** Postpones the message. False when the lease was lost: then another sender decides. */
export const postponeMessage = async (t: TenantTx, leased: LeasedMessage, dueAt: Date, lastError: string): Promise<boolean> => {
  const given = await t.db.update(outboxQueue).set({ dueAt, leasedUntil: null }).where(held(leased)).returning({ id: outboxQueue.id })
  if (given.length === 0) return false
  await t.db.update(outboxMessages).set({ lastError }).where(message(t, leased.id))
  return true
}

/** Gives the message up. Its payload stays for an operator until retention, unless it can never be opened. False when the lease was lost. */
export const abandonMessage = async (t: TenantTx, leased: LeasedMessage, at: Date, lastError: string, erase: boolean): Promise<boolean> => {
  const taken = await t.db.delete(outboxQueue).where(held(leased)).returning({ id: outboxQueue.id })
  if (taken.length === 0) return false
  await t.db
    .update(outboxMessages)
    .set({ failedAt: at, lastError, ...(erase ? { sealed: null } : {}) })
    .where(message(t, leased.id))
  return true
}

/** Deletes a queue row without a message. */
export const deleteFromQueue = async (d: AnyScope, entry: Entry): Promise<void> => {
  await d.db.delete(outboxQueue).where(queued(entry))
}

/** Removes messages sent before one time or given up before the other. Returns their number. */
export const purgeOutboxOfAllTenants = async (jobs: JobsDb, sentBefore: Date, failedBefore: Date): Promise<number> => {
  const gone = await jobs.db
    .delete(outboxMessages)
    .where(or(lt(outboxMessages.sentAt, sentBefore), lt(outboxMessages.failedAt, failedBefore)))
    .returning({ id: outboxMessages.id })
  return gone.length
}
