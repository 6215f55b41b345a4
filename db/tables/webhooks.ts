// Webhooks: endpoints and their delivery state. `webhook_queue` is a directory table with only ids and times.
import { boolean, foreignKey, index, integer, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { bytesColumn, schema, tenantId, timestampColumn } from './columns.ts'
import { tenants } from './tenants.ts'

export const webhookEndpoints = schema.table(
  'webhook_endpoints',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    url: text('url').notNull(),
    description: text('description').notNull().default(''),
    /** Sealed with the tenant's key. */
    sealedSecret: bytesColumn('sealed_secret').notNull(),
    /** The secret from before the last rotation: messages have signatures with both until `previousValidUntil`. */
    previousSealedSecret: bytesColumn('previous_sealed_secret'),
    previousValidUntil: timestampColumn('previous_valid_until'),
    /** Names of audit events, or `*`. */
    events: text('events').array().notNull(),
    /** Whether messages include address and user agent. */
    includeOrigin: boolean('include_origin').notNull().default(false),
    active: boolean('active').notNull().default(true),
    /** Id of the last delivered event; events are delivered in order of their ids. */
    cursor: uuid('cursor'),
    /** Failed attempts since the last success, the time of the first, and the result of the last. */
    failures: integer('failures').notNull().default(0),
    failingSince: timestampColumn('failing_since'),
    lastFailure: text('last_failure'),
    lastStatus: integer('last_status'),
    lastDeliveredAt: timestampColumn('last_delivered_at'),
    disabledReason: text('disabled_reason'),
    createdBy: uuid('created_by'),
    createdAt: timestampColumn('created_at').notNull(),
    updatedAt: timestampColumn('updated_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    foreignKey({ name: 'webhook_endpoints_tenant', columns: [t.tenantId], foreignColumns: [tenants.tenantId] }).onDelete('cascade'),
  ],
)

/** The next delivery time of each active endpoint. */
export const webhookQueue = schema.table(
  'webhook_queue',
  {
    tenantId: tenantId(),
    endpointId: uuid('endpoint_id').notNull(),
    dueAt: timestampColumn('due_at').notNull(),
    leasedUntil: timestampColumn('leased_until'),
    /** Consecutive failures. While there are any, a new event does not bring the next attempt forward. */
    failures: integer('failures').notNull().default(0),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.endpointId] }), index('webhook_queue_due').on(t.dueAt)],
)
