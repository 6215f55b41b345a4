// Cursors of the administration's lists. AuthSec's bodies are bare arrays, so the next page is named in the Link header (RFC 8288).

import type { KeysetCursor, Page } from '#db/store/keyset'
import { AppError } from '#shared/kernel/errors'
import { isUuid } from '#shared/kernel/ids'
import { HttpResult } from '#shared/platform/http/route'

/** A moment as this file writes it: what the calendar does not have is none. */
const isMoment = (text: string): boolean => {
  const at = new Date(text)
  return !Number.isNaN(at.getTime()) && /^(?!0000)\d{4}-/.test(text) && at.toISOString() === text
}

/** The sort is in the cursor: one of another sort would page wrongly, so it is refused. */
const written = (sort: string, after: KeysetCursor): string => Buffer.from(JSON.stringify([sort, after.key, after.id])).toString('base64url')

const read = (cursor: string, sort: string): KeysetCursor => {
  const refused = new AppError('invalid_request', 'The cursor is not of this list.', { field: 'query.cursor' })
  let parts: unknown
  try {
    parts = JSON.parse(Buffer.from(cursor, 'base64url').toString())
  } catch {
    throw refused
  }
  const [of, key, id] = Array.isArray(parts) ? (parts as unknown[]) : []
  if (of !== sort || typeof key !== 'string' || !isUuid(id)) throw refused
  if (key.includes('\0') || !key.isWellFormed() || (sort.endsWith('_at') && !isMoment(key))) throw refused
  return { key, id }
}

type Input = { readonly cursor?: string | undefined; readonly limit: number }

/** One row more than asked, to know whether there is a next page. `sort` is a column, with `-` before it for the reverse order. */
export const toPage = <Sort extends string>(query: Input, sort: Sort | `-${Sort}`): Page<Sort> => ({
  sort: sort.replace(/^-/, '') as Sort,
  descending: sort.startsWith('-'),
  limit: query.limit + 1,
  ...(query.cursor === undefined ? {} : { after: read(query.cursor, sort) }),
})

/** The rows that were asked for, and where to read on. */
export const pageReply = <Row extends { readonly id: string }, Out>(
  query: Input & Readonly<Record<string, unknown>>,
  sort: string,
  rows: readonly Row[],
  keyOf: (row: Row) => string | Date,
  show: (rows: readonly Row[]) => Out,
): HttpResult<Out> => {
  const shown = rows.slice(0, query.limit)
  const last = shown.at(-1)
  if (rows.length <= query.limit || last === undefined) return new HttpResult(show(shown))
  const key = keyOf(last)
  const cursor = written(sort, { key: typeof key === 'string' ? key : key.toISOString(), id: last.id })
  const requested = Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]))
  const next = new URLSearchParams({ ...Object.fromEntries(requested), cursor })
  return new HttpResult(show(shown), { headers: { Link: `<?${next}>; rel="next"` } })
}
