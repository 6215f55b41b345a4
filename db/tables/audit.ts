// The audit log. Rows are written in the transaction of the change and never changed. Personal data is sealed with the key of the person concerned.
import { index, integer, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { bytesColumn, schema, tenantId, timestampColumn } from './columns.ts'

export const auditEvents = schema.table(
  'audit_events',
  {
    tenantId: tenantId(),
    /** UUIDv7, so that ids are ordered by time. */
    id: uuid('id').notNull(),
    at: timestampColumn('at').notNull(),
    event: text('event').notNull(),
    outcome: text('outcome').$type<'success' | 'refused'>().notNull(),
    /** Error code of a refusal. */
    reason: text('reason'),
    actorType: text('actor_type').$type<'user' | 'client' | 'agent' | 'workload' | 'system' | 'anonymous'>().notNull(),
    actorId: uuid('actor_id'),
    onBehalfOf: uuid('on_behalf_of'),
    clientId: uuid('client_id'),
    sessionId: uuid('session_id'),
    targetType: text('target_type'),
    targetId: text('target_id'),
    requestId: text('request_id'),
    route: text('route'),
    /** Number of equal events in this row (refusals of anonymous callers). */
    count: integer('count').notNull().default(1),
    /** The person or tenant with whose data key `sealed` is encrypted. */
    subjectId: uuid('subject_id').notNull(),
    /** Address, user agent, and values before and after the change. */
    sealed: bytesColumn('sealed'),
    /** Salted digest of the details. */
    detailsCommit: bytesColumn('details_commit'),
    /** Keyed hash of the row's leaf; rows of releases before it have none. */
    mac: bytesColumn('mac'),
    /** Unused; the next release drops it. */
    chainHash: bytesColumn('chain_hash'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    index('audit_events_event').on(t.tenantId, t.event, t.id),
    index('audit_events_actor').on(t.tenantId, t.actorId, t.id),
    index('audit_events_target').on(t.tenantId, t.targetId, t.id),
  ],
)
