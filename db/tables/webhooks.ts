// A tenant's own systems listening: endpoints, and what is still owed to each. `webhook_queue` is a directory table: ids and times alone.
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
    /** Sealed under the tenant's key. */
    sealedSecret: bytesColumn('sealed_secret').notNull(),
    /** The secret before the last rotation: messages bear a signature of both until `previousValidUntil`. */
    previousSealedSecret: bytesColumn('previous_sealed_secret'),
    previousValidUntil: timestampColumn('previous_valid_until'),
    /** Names of audit events, or `*`. */
    events: text('events').array().notNull(),
    /** Whether messages tell address and user agent. */
    includeOrigin: boolean('include_origin').notNull().default(false),
    active: boolean('active').notNull().default(true),
    /** Id of the last event that was delivered: events go out in the order of their ids. */
    cursor: uuid('cursor'),
    /** Tries that failed since the last success, since when, and how the last one did. */
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

/** When to look at which endpoint next: one row for each that is active. */
export const webhookQueue = schema.table(
  'webhook_queue',
  {
    tenantId: tenantId(),
    endpointId: uuid('endpoint_id').notNull(),
    dueAt: timestampColumn('due_at').notNull(),
    leasedUntil: timestampColumn('leased_until'),
    /** Failures in a row. With any, a new event does not bring the next try forward. */
    failures: integer('failures').notNull().default(0),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.endpointId] }), index('webhook_queue_due').on(t.dueAt)],
)
