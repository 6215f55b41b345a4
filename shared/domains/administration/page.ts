// Cursors of the administration's lists. AuthSec's bodies are plain arrays, so the next page is in the Link header (RFC 8288).

import type { KeysetCursor, Page } from '#db/store/keyset'
import { AppError } from '#shared/kernel/errors'
import { isUuid } from '#shared/kernel/ids'
import { HttpResult } from '#shared/platform/http/route'

/** Whether the text is a valid time in the form that cursors use. */
const isTimestamp = (text: string): boolean => {
  const at = new Date(text)
  return !Number.isNaN(at.getTime()) && /^(?!0000)\d{4}-/.test(text) && at.toISOString() === text
}

/** Encodes the sort in the cursor, because a cursor of another sort would skip rows. */
const encodeCursor = (sort: string, after: KeysetCursor): string => Buffer.from(JSON.stringify([sort, after.key, after.id])).toString('base64url')

const decodeCursor = (cursor: string, sort: string): KeysetCursor => {
  const refused = new AppError('invalid_request', 'The cursor does not belong to this list.', { field: 'query.cursor' })
  let parts: unknown
  try {
    parts = JSON.parse(Buffer.from(cursor, 'base64url').toString())
  } catch {
    throw refused
  }
  const [of, key, id] = Array.isArray(parts) ? (parts as unknown[]) : []
  if (of !== sort || typeof key !== 'string' || !isUuid(id)) throw refused
  if (key.includes('\0') || !key.isWellFormed() || (sort.endsWith('_at') && !isTimestamp(key))) throw refused
  return { key, id }
}

type Input = { readonly cursor?: string | undefined; readonly limit: number }

/** Requests one row more than the limit, to know whether a next page exists. `sort` is a column, with `-` before it for descending order. */
export const toPage = <Sort extends string>(query: Input, sort: Sort | `-${Sort}`): Page<Sort> => ({
  sort: sort.replace(/^-/, '') as Sort,
  descending: sort.startsWith('-'),
  limit: query.limit + 1,
  ...(query.cursor === undefined ? {} : { after: decodeCursor(query.cursor, sort) }),
})

/** The requested rows, with a Link to the next page if there is one. */
export const pageReply = <Row extends { readonly id: string }, Out>(
  query: Input & Readonly<Record<string, unknown>>,
  sort: string,
  rows: readonly Row[],
  keyOf: (row: Row) => string | Date,
  toResponse: (rows: readonly Row[]) => Out,
): HttpResult<Out> => {
  const page = rows.slice(0, query.limit)
  const last = page.at(-1)
  if (rows.length <= query.limit || last === undefined) return new HttpResult(toResponse(page))
  const key = keyOf(last)
  const cursor = encodeCursor(sort, { key: typeof key === 'string' ? key : key.toISOString(), id: last.id })
  const requested = Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]))
  const next = new URLSearchParams({ ...Object.fromEntries(requested), cursor })
  return new HttpResult(toResponse(page), { headers: { Link: `<?${next}>; rel="next"` } })
}
