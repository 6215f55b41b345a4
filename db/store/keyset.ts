// Pages by key instead of by number: the next page begins after the last row of this one, so that its cost does not grow with its number.
import { type SQL, sql } from 'drizzle-orm'
import type { PgColumn } from 'drizzle-orm/pg-core'

/** Where a page begins: the sorted value and the id of the last row of the page before. */
export type KeysetCursor = { readonly key: string; readonly id: string }
export type Page<Sort extends string> = {
  readonly sort: Sort
  readonly descending: boolean
  readonly after?: KeysetCursor
  readonly limit: number
}

type Columns<Sort extends string> = { readonly id: PgColumn; readonly by: Readonly<Record<Sort, PgColumn>> }

/** The rows after the cursor, in the page's order; undefined for a first page. */
export const afterCursor = <Sort extends string>(page: Page<Sort>, columns: Columns<Sort>): SQL | undefined => {
  if (page.after === undefined) return undefined
  const column = columns.by[page.sort]
  const key = sql`${page.after.key}::${sql.raw(column.getSQLType())}`
  const than = sql.raw(page.descending ? '<' : '>')
  return sql`(${column}, ${columns.id}) ${than} (${key}, ${page.after.id}::uuid)`
}

/** The order itself; the id settles what is equal. */
export const keysetOrder = <Sort extends string>(page: Page<Sort>, columns: Columns<Sort>): SQL[] => {
  const direction = sql.raw(page.descending ? 'desc' : 'asc')
  return [sql`${columns.by[page.sort]} ${direction}`, sql`${columns.id} ${direction}`]
}

/** Whether a text stands somewhere in a column, whatever the case: for tables of hundreds of rows a tenant. No pattern, so nothing to escape. */
export const containsText = (column: PgColumn, text: string): SQL => sql`strpos(lower(${column}), lower(${text})) > 0`
