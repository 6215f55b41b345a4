// Operational tables: the outbox, job leases, rate limit counters for cache outages, the migration log.
import { boolean, index, integer, jsonb, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { bytesColumn, schema, tenantId, timestampColumn } from './columns.ts'

export type MessageKind = 'mail' | 'deletion_reminder' | 'logout_token' | `recovery_reminder:${string}`

/** A message to deliver, sealed with the tenant's or a person's key and erased once sent. */
export const outboxMessages = schema.table(
  'outbox_messages',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    kind: text('kind').$type<MessageKind>().notNull(),
    sealed: bytesColumn('sealed'),
    /** Only ids, for messages without data to seal. */
    data: jsonb('data').$type<Readonly<Record<string, string>>>(),
    createdAt: timestampColumn('created_at').notNull(),
    sentAt: timestampColumn('sent_at'),
    failedAt: timestampColumn('failed_at'),
    lastError: text('last_error'),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.id] })],
)

/** The due time of each message. Only ids and times. */
export const outboxQueue = schema.table(
  'outbox_queue',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    dueAt: timestampColumn('due_at').notNull(),
    attempts: integer('attempts').notNull().default(0),
    /** End of a sender's lease. */
    leasedUntil: timestampColumn('leased_until'),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.id] }), index('outbox_queue_due').on(t.dueAt)],
)

export const jobLeases = schema.table('job_leases', {
  job: text('job').primaryKey(),
  holder: uuid('holder'),
  leasedUntil: timestampColumn('leased_until'),
  lastStartedAt: timestampColumn('last_started_at'),
  lastFinishedAt: timestampColumn('last_finished_at'),
  lastError: text('last_error'),
  runs: integer('runs').notNull().default(0),
  failures: integer('failures').notNull().default(0),
})

/** Attempts per keyed hash and window, counted here while the cache is unavailable. */
export const limitCounters = schema.table(
  'limit_counters',
  {
    key: bytesColumn('key').notNull(),
    windowStart: timestampColumn('window_start').notNull(),
    count: integer('count').notNull(),
    expiresAt: timestampColumn('expires_at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.key, t.windowStart] }), index('limit_counters_expires').on(t.expiresAt)],
)

export const migrationLog = schema.table('migration_log', {
  version: integer('version').primaryKey(),
  name: text('name').notNull(),
  success: boolean('success').notNull(),
  error: text('error'),
  durationMs: integer('duration_ms').notNull(),
  executedAt: timestampColumn('executed_at').notNull(),
})
