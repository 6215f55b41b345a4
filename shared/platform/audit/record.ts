// Writes what happened: a change inside the caller's transaction, a refusal in one of its own after the rollback.

import type { TenantDb, TenantTx } from '#db/engine/tenant'
import { type EventsAtHand, insertAuditEvent, insertAuditEvents, type NewAuditRow, WRITTEN_WITHIN_SECONDS } from '#db/store/audit-events'
import { secondsAfter, systemClock } from '#shared/kernel/clock'
import type { RequestInfo } from '#shared/kernel/context'
import type { PlatformCtx } from '#shared/platform/context'
import type { Caller, User } from '#shared/platform/principals/principal'
import type { AuditEvent } from './events.ts'

export type AuditCtx = Pick<PlatformCtx, 'clock' | 'random' | 'keyring'> & { readonly request?: RequestInfo }

export type Actor = {
  readonly type: 'user' | 'client' | 'agent' | 'system' | 'anonymous'
  readonly id?: string
  readonly sessionId?: string
  readonly clientId?: string
  /** The person for whom an agent or a client acts. */
  readonly onBehalfOf?: string
}

export const byUser = (user: User): Actor => ({
  type: 'user',
  id: user.userId,
  sessionId: user.sessionId,
  ...(user.clientId === undefined ? {} : { clientId: user.clientId }),
})
/** A client in its own name, or for the person who let it. */
export const byClient = (clientId: string, onBehalfOf?: string): Actor => ({
  type: 'client',
  id: clientId,
  clientId,
  ...(onBehalfOf === undefined ? {} : { onBehalfOf }),
})
/** An agent, through its client and for its person where it has them. */
export const byAgent = (agentId: string, by: { readonly onBehalfOf?: string; readonly clientId?: string } = {}): Actor => ({
  type: 'agent',
  id: agentId,
  ...by,
})
/** A person, or a backend as its service account. */
export const byCaller = (caller: Caller): Actor =>
  caller.kind === 'user' ? byUser(caller) : { type: 'client', id: caller.serviceAccountId, clientId: caller.clientId }
export const bySystem: Actor = { type: 'system' }
export const byAnonymous: Actor = { type: 'anonymous' }

export type Occurrence = {
  readonly event: AuditEvent
  readonly actor: Actor
  readonly target?: { readonly type: string; readonly id: string }
  /**
   * The person whose data `before` and `after` hold; unless told, the person it was done to, else the one who did it or for whom it was done, else the
   * tenant. Erasing that person makes them unreadable.
   */
  readonly subjectId?: string
  /** True values of what changed. Never a secret: no password, hash, code, ticket or token. */
  readonly before?: Readonly<Record<string, unknown>>
  readonly after?: Readonly<Record<string, unknown>>
  readonly outcome?: 'success' | 'refused'
  readonly reason?: string
  readonly count?: number
}

/** What the sealed part of an event holds; details.ts reads it. */
export type SealedDetails = {
  readonly address?: string | undefined
  readonly user_agent?: string | undefined
  readonly before?: Readonly<Record<string, unknown>> | undefined
  readonly after?: Readonly<Record<string, unknown>> | undefined
}

export const auditContext = (eventId: string): string => `audit_events:${eventId}`

const detailsOf = (request: RequestInfo | undefined, o: Occurrence): SealedDetails => ({
  ...(request ? { address: request.address, user_agent: request.userAgent.slice(0, 300) } : {}),
  ...(o.before ? { before: o.before } : {}),
  ...(o.after ? { after: o.after } : {}),
})

const subjectOf = ({ subjectId, target, actor }: Occurrence): string | undefined =>
  subjectId ?? (target?.type === 'user' ? target.id : undefined) ?? (actor.type === 'user' ? actor.id : actor.onBehalfOf)

/** What any route's surroundings write. */
const BY_MOUNT: ReadonlySet<AuditEvent> = new Set(['request.refused', 'tenant.accessed'])

/** An event that the route did not declare in `emits` is a defect of ours, and stops the change. */
const declared = (request: RequestInfo | undefined, event: AuditEvent): void => {
  if (request === undefined || BY_MOUNT.has(event)) return
  if (request.emits === 'nothing' || !request.emits.includes(event)) throw new Error(`${request.route} writes ${event} without declaring it`)
}

/** The row of an event, but for what is sealed of it. */
const rowOf = (t: TenantDb, ctx: AuditCtx, o: Occurrence) => {
  if (o.outcome !== 'refused') declared(ctx.request, o.event)
  const id = ctx.random.id()
  return {
    id,
    at: ctx.clock.now(),
    event: o.event,
    outcome: o.outcome ?? ('success' as const),
    reason: o.reason ?? null,
    actorType: o.actor.type,
    actorId: o.actor.id ?? null,
    onBehalfOf: o.actor.onBehalfOf ?? null,
    clientId: o.actor.clientId ?? null,
    sessionId: o.actor.sessionId ?? null,
    targetType: o.target?.type ?? null,
    targetId: o.target?.id ?? null,
    requestId: ctx.request?.id ?? null,
    route: ctx.request?.route ?? null,
    count: o.count ?? 1,
    subjectId: subjectOf(o) ?? t.tenantId,
  }
}

/** The row of an event, sealed, for a statement that writes it beside the change. Whoever asks for it writes it, or nothing of the change. */
export const eventRow = async (t: TenantTx, ctx: AuditCtx, o: Occurrence): Promise<NewAuditRow> => {
  const row = rowOf(t, ctx, o)
  const details = detailsOf(ctx.request, o)
  if (Object.keys(details).length === 0) return { ...row, sealed: null }
  return { ...row, sealed: await ctx.keyring.seal(t, row.subjectId, JSON.stringify(details), auditContext(row.id)) }
}

const rowAtHand = async (t: TenantDb, ctx: AuditCtx, o: Occurrence): Promise<NewAuditRow | undefined> => {
  const row = rowOf(t, ctx, o)
  const sealed = await ctx.keyring.sealAtHand(t, row.subjectId, JSON.stringify(detailsOf(ctx.request, o)), auditContext(row.id))
  return sealed === undefined ? undefined : { ...row, sealed }
}

/** For events whose ids are made next. By the true time also in tests, whose clock stands still: the database knows no other. */
const writtenUntil = (): Date => secondsAfter(systemClock.now(), WRITTEN_WITHIN_SECONDS)

/** As `eventRow`, before there is a transaction: undefined where the key of a subject is not at hand, and so has to be read or made in one. */
export const eventsAtHand = async (t: TenantDb, ctx: AuditCtx, ...occurrences: readonly Occurrence[]): Promise<EventsAtHand | undefined> => {
  const until = writtenUntil()
  const made = await Promise.all(occurrences.map((o) => rowAtHand(t, ctx, o)))
  const rows = made.filter((row) => row !== undefined)
  return rows.length < made.length ? undefined : { rows, until }
}

/** Writes one event. It commits with the change it speaks of, or not at all. */
export const record = async (t: TenantTx, ctx: AuditCtx, o: Occurrence): Promise<void> => insertAuditEvent(t, await eventRow(t, ctx, o))

/** Writes the events of a bulk change, in one statement. */
export const recordAll = async (t: TenantTx, ctx: AuditCtx, occurrences: readonly Occurrence[]): Promise<void> => {
  const rows: NewAuditRow[] = []
  for (const o of occurrences) rows.push(await eventRow(t, ctx, o))
  await insertAuditEvents(t, rows)
}
