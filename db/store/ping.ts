// Checks that the database responds.
import { sql } from 'drizzle-orm'
import type { DirectoryDb } from '../engine/tenant.ts'

/**
 * One round trip as the application role, on one of our tables.
 * @throws DatabaseUnavailable, or the driver's error when the database was never migrated
 */
export const pingDatabase = async (d: DirectoryDb): Promise<void> => void (await d.db.execute(sql`select 1 from authsec.migration_log limit 1`))
