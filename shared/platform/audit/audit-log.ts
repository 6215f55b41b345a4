// Writes audit events: of a change in the caller's transaction, of a refusal in a separate transaction after the rollback.

import { atomically, type TenantDb, type TenantTx } from '#db/engine/tenant'
import { AUDIT_WRITE_SECONDS, insertAuditEvent, insertAuditEvents, type NewAuditRow, type PreparedAuditEvents } from '#db/store/audit-events'
import { secondsAfter, systemClock } from '#shared/kernel/clock'
import type { RequestInfo } from '#shared/kernel/context'
import type { PlatformCtx } from '#shared/platform/context'
import type { Caller, User } from '#shared/platform/principals/principal'
import { commitDetails, type EntryColumns, entryMac, entryText, leafHash, SALT_BYTES, sealContext } from './entry.ts'
import type { AuditEvent } from './events.ts'

export type AuditCtx = Pick<PlatformCtx, 'clock' | 'random' | 'keyring' | 'hash'> & { readonly request?: RequestInfo }

export type Actor = {
  readonly type: 'user' | 'client' | 'agent' | 'workload' | 'system' | 'anonymous'
  readonly id?: string
  readonly sessionId?: string
  readonly clientId?: string
  /** The person on whose behalf an agent or a client acts. */
  readonly onBehalfOf?: string
}

export const byUser = (user: User): Actor => ({
  type: 'user',
  id: user.userId,
  sessionId: user.sessionId,
  ...(user.clientId === undefined ? {} : { clientId: user.clientId }),
})
/** A client on its own behalf, or on behalf of a person. */
export const byClient = (clientId: string, onBehalfOf?: string): Actor => ({
  type: 'client',
  id: clientId,
  clientId,
  ...(onBehalfOf === undefined ? {} : { onBehalfOf }),
})
/** An agent, with its client and its person where it has them. */
export const byAgent = (agentId: string, by: { readonly onBehalfOf?: string; readonly clientId?: string } = {}): Actor => ({
  type: 'agent',
  id: agentId,
  ...by,
})
/** A workload, by its registration entry. */
export const byWorkload = (entryId: string): Actor => ({ type: 'workload', id: entryId })
/** A person, a client as its service account, or a workload. */
export const byCaller = (caller: Caller): Actor => {
  if (caller.kind === 'workload') return byWorkload(caller.entryId)
  return caller.kind === 'user' ? byUser(caller) : { type: 'client', id: caller.serviceAccountId, clientId: caller.clientId }
}
export const bySystem: Actor = { type: 'system' }
export const byAnonymous: Actor = { type: 'anonymous' }

export type AuditEntry = {
  readonly event: AuditEvent
  readonly actor: Actor
  readonly target?: { readonly type: string; readonly id: string }
  /**
   * The person whose data `before` and `after` contain. By default the target if it is a person, else the acting person or the person acted for, else
   * the tenant. Erasing that person makes these values unreadable.
   */
  readonly subjectId?: string
  /** The actual values of the change. Never a secret: no password, hash, code, ticket or token. */
  readonly before?: Readonly<Record<string, unknown>>
  readonly after?: Readonly<Record<string, unknown>>
  readonly outcome?: 'success' | 'refused'
  readonly reason?: string
  readonly count?: number
}

/** The sealed part of an event; details.ts reads it. */
export type SealedDetails = {
  readonly address?: string | undefined
  readonly user_agent?: string | undefined
  readonly before?: Readonly<Record<string, unknown>> | undefined
  readonly after?: Readonly<Record<string, unknown>> | undefined
}

const detailsOf = (request: RequestInfo | undefined, o: AuditEntry): SealedDetails => ({
  ...(request ? { address: request.address, user_agent: request.userAgent.slice(0, 300) } : {}),
  ...(o.before ? { before: o.before } : {}),
  ...(o.after ? { after: o.after } : {}),
})

const subjectOf = ({ subjectId, target, actor }: AuditEntry): string | undefined =>
  subjectId ?? (target?.type === 'user' ? target.id : undefined) ?? (actor.type === 'user' ? actor.id : actor.onBehalfOf)

/** Events that the request frame writes for any route. */
const BY_MOUNT: ReadonlySet<AuditEvent> = new Set(['request.refused', 'tenant.accessed'])

/** An event that the route does not declare in `emits` is a defect and aborts the change. */
const declared = (request: RequestInfo | undefined, event: AuditEvent): void => {
  if (request === undefined || BY_MOUNT.has(event)) return
  if (request.emits === 'nothing' || !request.emits.includes(event)) throw new Error(`${request.route} writes ${event} without declaring it`)
}

const lower = (id: string | undefined): string | null => id?.toLowerCase() ?? null

/** A row with its commitment and MAC, and the text that is sealed into it. */
type Committed = { readonly row: NewAuditRow & { readonly subjectId: string }; readonly text: string | undefined; readonly context: string }

const committed = (t: TenantDb, ctx: AuditCtx, o: AuditEntry): Committed => {
  if (o.outcome !== 'refused') declared(ctx.request, o.event)
  const details = detailsOf(ctx.request, o)
  const sealed = Object.keys(details).length === 0 ? undefined : commitDetails(details, ctx.random.bytes(SALT_BYTES))
  const columns: EntryColumns = {
    id: ctx.random.id(),
    at: ctx.clock.now(),
    event: o.event,
    outcome: o.outcome ?? 'success',
    reason: o.reason ?? null,
    actorType: o.actor.type,
    actorId: lower(o.actor.id),
    onBehalfOf: lower(o.actor.onBehalfOf),
    clientId: lower(o.actor.clientId),
    sessionId: lower(o.actor.sessionId),
    targetType: o.target?.type ?? null,
    targetId: o.target?.id ?? null,
    requestId: ctx.request?.id ?? null,
    route: ctx.request?.route ?? null,
    count: o.count ?? 1,
    subjectId: lower(subjectOf(o)) ?? t.tenantId,
    detailsCommit: sealed?.commit ?? null,
  }
  const leaf = leafHash(entryText(t.tenantId, columns, 1))
  return { row: { ...columns, mac: entryMac(ctx.hash, t.tenantId, leaf) }, text: sealed?.text, context: sealContext(columns.id, leaf) }
}

/** The complete row of an event, for a statement that writes it together with the change. The caller must write it or abandon the change. */
export const auditRow = async (t: TenantTx, ctx: AuditCtx, o: AuditEntry): Promise<NewAuditRow> => {
  const { row, text, context } = committed(t, ctx, o)
  return { ...row, sealed: text === undefined ? null : await ctx.keyring.seal(t, row.subjectId, text, context) }
}

const rowAtHand = async (t: TenantDb, ctx: AuditCtx, o: AuditEntry): Promise<NewAuditRow | undefined> => {
  const { row, text, context } = committed(t, ctx, o)
  if (text === undefined) return { ...row, sealed: null }
  const sealed = await ctx.keyring.sealAtHand(t, row.subjectId, text, context)
  return sealed === undefined ? undefined : { ...row, sealed }
}

/** Latest time at which rows of newly created ids may be written. Uses the real time even in tests, because the database has no other clock. */
const writtenUntil = (): Date => secondsAfter(systemClock.now(), AUDIT_WRITE_SECONDS)

/**
 * Events for a statement that writes them together with the change, outside or inside a transaction. Outside, it has a second to write them; if this process does not have
 * the key of a subject, it is read or created in a transaction before.
 */
export const prepareAuditEvents = async (t: TenantDb, ctx: AuditCtx, ...occurrences: readonly AuditEntry[]): Promise<PreparedAuditEvents> => {
  const until = writtenUntil()
  const rows: NewAuditRow[] = []
  for (const o of occurrences) rows.push((await rowAtHand(t, ctx, o)) ?? (await atomically(t, (tx) => auditRow(tx, ctx, o))))
  return 'inTransaction' in t ? { rows } : { rows, until }
}

/** Writes one event, which commits or rolls back together with the change. */
export const recordEvent = async (t: TenantTx, ctx: AuditCtx, o: AuditEntry): Promise<void> => insertAuditEvent(t, await auditRow(t, ctx, o))

/** Writes the events of a bulk change in one statement. */
export const recordEvents = async (t: TenantTx, ctx: AuditCtx, occurrences: readonly AuditEntry[]): Promise<void> => {
  const rows: NewAuditRow[] = []
  for (const o of occurrences) rows.push(await auditRow(t, ctx, o))
  await insertAuditEvents(t, rows)
}
