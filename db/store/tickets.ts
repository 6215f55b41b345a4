// Every query on tickets: single use is one conditional update, never a read and then a write.
import { and, desc, eq, gt, isNull, lt, sql } from 'drizzle-orm'
import { ownRows, type TenantDb, type TenantTx } from '../engine/tenant.ts'
import { tickets } from '../tables/sessions.ts'
import { dropWaiting, reminderKind } from './outbox.ts'

export type { TicketPurpose } from '../tables/sessions.ts'
export type Ticket = typeof tickets.$inferSelect
export type NewTicket = Omit<typeof tickets.$inferInsert, 'tenantId'>

/** A refused mint leaves the ticket until its fifth refusal. */
export const MAX_REFUSALS = 5

export const insertTicket = async (t: TenantTx, row: NewTicket): Promise<void> => {
  await t.db.insert(tickets).values({ ...row, tenantId: t.tenantId })
}

const live = (t: TenantDb, handleHash: Uint8Array, now: Date) =>
  and(ownRows(t, tickets), eq(tickets.handleHash, handleHash), isNull(tickets.usedAt), gt(tickets.expiresAt, now), lt(tickets.refusals, MAX_REFUSALS))

export const findTicket = async (t: TenantDb, handleHash: Uint8Array, now: Date): Promise<Ticket | undefined> => {
  const [row] = await t.db
    .select()
    .from(tickets)
    .where(live(t, handleHash, now))
  return row
}

/** Of many at once exactly one gets the ticket. */
export const consumeTicket = async (t: TenantTx, handleHash: Uint8Array, now: Date): Promise<Ticket | undefined> => {
  const [row] = await t.db
    .update(tickets)
    .set({ usedAt: now })
    .where(live(t, handleHash, now))
    .returning()
  return row
}

export const refuseTicket = async (t: TenantTx, handleHash: Uint8Array, now: Date): Promise<void> => {
  await t.db
    .update(tickets)
    .set({ refusals: sql`${tickets.refusals} + 1` })
    .where(live(t, handleHash, now))
}

/** Adds what this server has verified, by its RFC 8176 names. False when the ticket is over. */
export const addVerified = async (t: TenantTx, handleHash: Uint8Array, names: readonly string[], now: Date): Promise<boolean> => {
  const rows = await t.db
    .update(tickets)
    .set({
      verified: sql`array(select distinct name from unnest(${tickets.verified} || ${`{${names.join(',')}}`}::text[]) as name order by name)`,
      authTime: now,
    })
    .where(live(t, handleHash, now))
    .returning({ id: tickets.id })
  return rows.length === 1
}

/** The mailbox was proved while the ticket lives. */
export const proveTicketMailbox = async (t: TenantTx, handleHash: Uint8Array, at: Date): Promise<void> => {
  await t.db
    .update(tickets)
    .set({ mailboxProvedAt: at })
    .where(live(t, handleHash, at))
}

/** Whether a person has a live ticket of that purpose. */
export const hasTicket = async (t: TenantDb, userId: string, purpose: Ticket['purpose'], now: Date): Promise<boolean> => {
  const rows = await t.db
    .select({ id: tickets.id })
    .from(tickets)
    .where(and(ownRows(t, tickets), eq(tickets.userId, userId), eq(tickets.purpose, purpose), isNull(tickets.usedAt), gt(tickets.expiresAt, now)))
    .limit(1)
  return rows.length > 0
}

/** The newest live ticket of a purpose of which there is one at a time in a tenant. */
export const findTicketOfPurpose = async (t: TenantDb, purpose: Ticket['purpose'], now: Date): Promise<Ticket | undefined> => {
  const [row] = await t.db
    .select()
    .from(tickets)
    .where(and(ownRows(t, tickets), eq(tickets.purpose, purpose), isNull(tickets.usedAt), gt(tickets.expiresAt, now)))
    .orderBy(desc(tickets.createdAt))
    .limit(1)
  return row
}

/** Ends all tickets of a person, of one purpose or of any. With a recovery that waits the mails go that wait with it. */
export const endTickets = async (t: TenantTx, userId: string, now: Date, purpose?: Ticket['purpose']): Promise<void> => {
  await t.db
    .update(tickets)
    .set({ usedAt: now })
    .where(
      and(ownRows(t, tickets), eq(tickets.userId, userId), isNull(tickets.usedAt), purpose === undefined ? undefined : eq(tickets.purpose, purpose)),
    )
  if (purpose === undefined || purpose === 'recovery_wait') await dropWaiting(t, reminderKind(userId))
}

/** Ends all tickets of a purpose. */
export const endTicketsOfPurpose = async (t: TenantTx, purpose: Ticket['purpose'], now: Date): Promise<void> => {
  await t.db
    .update(tickets)
    .set({ usedAt: now })
    .where(and(ownRows(t, tickets), eq(tickets.purpose, purpose), isNull(tickets.usedAt)))
}
