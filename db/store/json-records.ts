// Rows as JSON for statements written by hand, and the statements that write them. The names, and what is left out, come from the declaration of the table, so
// that such a statement follows it by itself, and leaves columns that a later release adds to their defaults.
import { getTableColumns, getTableName } from 'drizzle-orm'
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

const namesOf = (table: PgTable, of = ''): string =>
  columnsOf(table)
    .map(([, name]) => of + name)
    .join(', ')

/** What `jsonRecord` made, as row `r`. */
export const JSON_RECORD = (table: PgTable, json: string): string => `jsonb_populate_record(null::authsec.${getTableName(table)}, ${json}::jsonb) r`
/** What `jsonRecords` made, as rows `r`. */
export const JSON_RECORDS = (table: PgTable, json: string): string =>
  `jsonb_populate_recordset(null::authsec.${getTableName(table)}, ${json}::jsonb) r`
/** Writes the rows `r` of what is named. */
export const INSERT_FROM = (table: PgTable, from: string): string =>
  `insert into authsec.${getTableName(table)} (${namesOf(table)}) select ${namesOf(table, 'r.')} from ${from}`

const asJson = (value: unknown): unknown => (value instanceof Uint8Array ? `\\x${Buffer.from(value).toString('hex')}` : value)

const recordOf = (columns: readonly Column[], row: Readonly<Record<string, unknown>>): Record<string, unknown> => {
  const record: Record<string, unknown> = {}
  for (const [member, name, fallback] of columns) record[name] = asJson(row[member] ?? fallback)
  return record
}

/** One row, for `RECORD`. */
export const jsonRecord = <T extends PgTable>(table: T, row: T['$inferInsert']): string => JSON.stringify(recordOf(columnsOf(table), row))

/** Several, for `RECORDS`. */
export const jsonRecords = <T extends PgTable>(table: T, rows: readonly T['$inferInsert'][]): string =>
  JSON.stringify(rows.map((row) => recordOf(columnsOf(table), row)))
