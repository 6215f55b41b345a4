// Rows as JSON parameters of hand-written statements, and the statements that insert them. Column names and omissions come from the table's
// declaration, so that such a statement follows it, and columns of later releases get their defaults.
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

/** The result of `jsonRecord` as row `r`. */
export const JSON_RECORD = (table: PgTable, json: string): string => `jsonb_populate_record(null::authsec.${getTableName(table)}, ${json}::jsonb) r`
/** The result of `jsonRecords` as rows `r`. */
export const JSON_RECORDS = (table: PgTable, json: string): string =>
  `jsonb_populate_recordset(null::authsec.${getTableName(table)}, ${json}::jsonb) r`
/** Inserts the named columns of the rows `r`. */
export const INSERT_FROM = (table: PgTable, from: string): string =>
  `insert into authsec.${getTableName(table)} (${namesOf(table)}) select ${namesOf(table, 'r.')} from ${from}`

const asJson = (value: unknown): unknown => (value instanceof Uint8Array ? `\\x${Buffer.from(value).toString('hex')}` : value)

const recordOf = (columns: readonly Column[], row: Readonly<Record<string, unknown>>): Record<string, unknown> => {
  const record: Record<string, unknown> = {}
  for (const [member, name, fallback] of columns) record[name] = asJson(row[member] ?? fallback)
  return record
}

/** One row as the parameter of `RECORD`. */
export const jsonRecord = <T extends PgTable>(table: T, row: T['$inferInsert']): string => JSON.stringify(recordOf(columnsOf(table), row))

/** Several rows as the parameter of `RECORDS`. */
export const jsonRecords = <T extends PgTable>(table: T, rows: readonly T['$inferInsert'][]): string =>
  JSON.stringify(rows.map((row) => recordOf(columnsOf(table), row)))
