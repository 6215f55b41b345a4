// What happened. Written in the transaction of the change, never changed afterwards. Personal data is sealed under the key of the person it speaks of.
import { index, integer, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { bytesColumn, schema, tenantId, timestampColumn } from './columns.ts'

export const auditEvents = schema.table(
  'audit_events',
  {
    tenantId: tenantId(),
    /** UUIDv7: the order of ids is the order of time. */
    id: uuid('id').notNull(),
    at: timestampColumn('at').notNull(),
    event: text('event').notNull(),
    outcome: text('outcome').$type<'success' | 'refused'>().notNull(),
    /** Error code of a refusal. */
    reason: text('reason'),
    actorType: text('actor_type').$type<'user' | 'client' | 'agent' | 'system' | 'anonymous'>().notNull(),
    actorId: uuid('actor_id'),
    onBehalfOf: uuid('on_behalf_of'),
    clientId: uuid('client_id'),
    sessionId: uuid('session_id'),
    targetType: text('target_type'),
    targetId: text('target_id'),
    requestId: text('request_id'),
    route: text('route'),
    /** How many alike were folded into this row (refusals of anonymous callers). */
    count: integer('count').notNull().default(1),
    /** Whose data key seals `sealed`: a person, or the tenant. */
    subjectId: uuid('subject_id').notNull(),
    /** Address, user agent, before and after. */
    sealed: bytesColumn('sealed'),
    /** Room for a hash chain: digest over the previous row's digest and this row. */
    chainHash: bytesColumn('chain_hash'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    index('audit_events_event').on(t.tenantId, t.event, t.id),
    index('audit_events_actor').on(t.tenantId, t.actorId, t.id),
    index('audit_events_target').on(t.tenantId, t.targetId, t.id),
  ],
)
