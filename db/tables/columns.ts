// What every table shares: the schema, and the columns that mean the same everywhere.
import { customType, pgSchema, timestamp, uuid } from 'drizzle-orm/pg-core'

export const schema = pgSchema('authsec')

/** The tenant that owns the row. First column of every key, and what row level security compares. */
export const tenantId = () => uuid('tenant_id').notNull()

/** A moment, with zone, as a `Date`. */
export const timestampColumn = (name: string) => timestamp(name, { withTimezone: true, mode: 'date', precision: 3 })

/** Bytes that nobody reads without a key, or a digest. */
export const bytesColumn = customType<{ data: Uint8Array; driverData: Uint8Array }>({ dataType: () => 'bytea' })
