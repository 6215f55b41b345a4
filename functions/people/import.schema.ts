// Wire shapes of the import of people.
import * as z from 'zod'
import { AvatarUrl, FlexibleBoolean, PersonName, Username } from '#shared/domains/administration/people.schema'
import { Email } from '#shared/kernel/email'

export const MOST_IMPORT_BYTES = 5 * 1024 * 1024
export const MOST_IMPORT_ROWS = 10_000

/** An empty cell leaves the value unchanged. */
export const ImportRow = z.object({
  email: Email,
  name: PersonName.optional(),
  username: Username.optional(),
  external_id: z.string().trim().min(1).max(255).optional(),
  avatar_url: AvatarUrl.optional(),
  active: FlexibleBoolean.optional(),
})
export const IMPORT_COLUMNS = Object.keys(ImportRow.shape)

export const ImportBody = z
  .string()
  .min(1)
  .meta({
    id: 'PeopleCsv',
    description: `A header and up to 10,000 rows (RFC 4180). Columns: email, and any of ${IMPORT_COLUMNS.slice(1).join(', ')}.`,
  })
export const ImportQuery = z.strictObject({ dry_run: z.stringbool().default(false) })

const Result = z.enum(['created', 'updated', 'unchanged', 'refused', 'not_tried'])
export const Imported = z
  .object({
    dry_run: z.boolean(),
    counts: z.object({ created: z.int(), updated: z.int(), unchanged: z.int(), refused: z.int(), not_tried: z.int() }),
    /** One result per row, in the order of the file. Rows that were not reached in time are processed when the same file is sent again. */
    rows: z.array(
      z.object({
        /** Line where the row begins; the header is line 1. */
        line: z.int(),
        result: Result,
        user_id: z.string().optional(),
        code: z.string().optional(),
        field: z.string().optional(),
        message: z.string().optional(),
      }),
    ),
  })
  .meta({ id: 'PeopleImported' })
export type RowResult = z.output<typeof Imported>['rows'][number]
