// Keyset pagination: the next page starts after the last row of this one, so that its cost does not grow with its number.
import { type SQL, sql } from 'drizzle-orm'
import type { PgColumn } from 'drizzle-orm/pg-core'

/** The start of a page: the sort value and the id of the previous page's last row. */
export type KeysetCursor = { readonly key: string; readonly id: string }
export type Page<Sort extends string> = {
  readonly sort: Sort
  readonly descending: boolean
  readonly after?: KeysetCursor
  readonly limit: number
}

type Columns<Sort extends string> = { readonly id: PgColumn; readonly by: Readonly<Record<Sort, PgColumn>> }

/** The rows after the cursor in the page's order; undefined for the first page. */
export const afterCursor = <Sort extends string>(page: Page<Sort>, columns: Columns<Sort>): SQL | undefined => {
  if (page.after === undefined) return undefined
  const column = columns.by[page.sort]
  const key = sql`${page.after.key}::${sql.raw(column.getSQLType())}`
  const than = sql.raw(page.descending ? '<' : '>')
  return sql`(${column}, ${columns.id}) ${than} (${key}, ${page.after.id}::uuid)`
}

/** The sort order; the id breaks ties. */
export const keysetOrder = <Sort extends string>(page: Page<Sort>, columns: Columns<Sort>): SQL[] => {
  const direction = sql.raw(page.descending ? 'desc' : 'asc')
  return [sql`${columns.by[page.sort]} ${direction}`, sql`${columns.id} ${direction}`]
}

/** Whether a column contains a text, ignoring case: for tables with some hundreds of rows per tenant. No pattern, so nothing has to be escaped. */
export const containsText = (column: PgColumn, text: string): SQL => sql`strpos(lower(${column}), lower(${text})) > 0`
