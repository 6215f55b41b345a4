// Rows as JSON for statements written by hand: `jsonb_populate_record(null::table, $n)` reads them back. The names, and what is left out, come from the
// declaration of the table, so that such a statement follows it by itself.
import { getTableColumns } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'

type Column = readonly [member: string, name: string, fallback: unknown]
const declared = new WeakMap<PgTable, readonly Column[]>()

const columnsOf = (table: PgTable): readonly Column[] => {
  const known = declared.get(table)
  if (known !== undefined) return known
  const columns = Object.entries(getTableColumns(table)).map(([member, column]): Column => [member, column.name, column.default ?? null])
  declared.set(table, columns)
  return columns
}

/** Its columns by name, for a statement that is to leave those that come later to their defaults. */
export const columnNames = (table: PgTable): string =>
  columnsOf(table)
    .map(([, name]) => name)
    .join(', ')

const asJson = (value: unknown): unknown => (value instanceof Uint8Array ? `\\x${Buffer.from(value).toString('hex')}` : value)

const recordOf = (columns: readonly Column[], row: Readonly<Record<string, unknown>>): Record<string, unknown> => {
  const record: Record<string, unknown> = {}
  for (const [member, name, fallback] of columns) record[name] = asJson(row[member] ?? fallback)
  return record
}

/** One row, for `jsonb_populate_record`. */
export const jsonRecord = <T extends PgTable>(table: T, row: T['$inferInsert']): string => JSON.stringify(recordOf(columnsOf(table), row))

/** Several, for `jsonb_populate_recordset`. */
export const jsonRecords = <T extends PgTable>(table: T, rows: readonly T['$inferInsert'][]): string =>
  JSON.stringify(rows.map((row) => recordOf(columnsOf(table), row)))
