// The schema, and the column definitions shared by all tables.
import { customType, pgSchema, timestamp, uuid } from 'drizzle-orm/pg-core'

export const schema = pgSchema('authsec')

/** The tenant that owns the row: the first column of every key, compared by row level security. */
export const tenantId = () => uuid('tenant_id').notNull()

/** A timestamp with time zone as a `Date`. */
export const timestampColumn = (name: string) => timestamp(name, { withTimezone: true, mode: 'date', precision: 3 })

/** Encrypted bytes, or a digest. */
export const bytesColumn = customType<{ data: Uint8Array; driverData: Uint8Array }>({ dataType: () => 'bytea' })
