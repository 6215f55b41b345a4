// Whether the database answers.
import { sql } from 'drizzle-orm'
import type { DirectoryDb } from '../engine/tenant.ts'

/** One round trip as the application role, on a table of ours. Throws DatabaseAway, or the driver's error where nothing was ever migrated. */
export const pingDatabase = async (d: DirectoryDb): Promise<void> => void (await d.db.execute(sql`select 1 from authsec.migration_log limit 1`))
