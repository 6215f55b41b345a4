// Parses a CSV of people and decides what each row changes. Pure: it neither reads nor writes the database.
import type * as z from 'zod'
import type { User as UserRow } from '#db/store/users'
import { differences, type ProfileChange } from '#shared/domains/administration/profile'
import { AppError } from '#shared/kernel/errors'
import { parseCsv } from './csv.ts'
import { IMPORT_COLUMNS, ImportRow, MOST_IMPORT_ROWS, type RowResult } from './import.schema.ts'

export type ImportedRow = z.output<typeof ImportRow> & { readonly line: number }
export type RefusedRow = { readonly line: number; readonly refused: RowResult }
export type Row = ImportedRow | RefusedRow

const refused = (line: number, code: string, field: string | undefined, message: string): RefusedRow => ({
  line,
  refused: { line, result: 'refused', code, message, ...(field === undefined ? {} : { field }) },
})
export const isRefused = (row: Row): row is RefusedRow => 'refused' in row

const malformed = (message: string): never => {
  throw new AppError('invalid_request', message, { field: 'body' })
}

/** @throws AppError invalid_request */
const columnsOf = (header: readonly string[]): readonly string[] => {
  const columns = header.map((name) => name.trim().toLowerCase())
  const unknown = columns.find((name) => !IMPORT_COLUMNS.includes(name))
  if (unknown !== undefined) malformed(`The column ${unknown.slice(0, 40)} is unknown; use ${IMPORT_COLUMNS.join(', ')}.`)
  if (new Set(columns).size !== columns.length) malformed('A column appears twice.')
  if (!columns.includes('email')) malformed('The column email is missing.')
  return columns
}

const parseRow = (columns: readonly string[], cells: readonly string[], line: number): Row => {
  if (cells.length !== columns.length)
    return refused(line, 'invalid_request', undefined, `The row has ${cells.length} cells; the header has ${columns.length}.`)
  const parsed = ImportRow.safeParse(Object.fromEntries(columns.flatMap((name, at) => (cells[at]?.trim() ? [[name, cells[at]]] : []))))
  if (parsed.success) return { ...parsed.data, line }
  const [issue] = parsed.error.issues
  const field = String(issue?.path[0] ?? '')
  return refused(line, 'invalid_request', field, `${field}: ${issue?.message ?? 'malformed'}`)
}

/** Returns the rows in the order of the file. If several rows name the same person, only the first is applied. @throws AppError invalid_request */
export const readRows = (text: string): readonly Row[] => {
  const { records, openQuoteAt } = parseCsv(text, MOST_IMPORT_ROWS + 2)
  if (openQuoteAt !== undefined) malformed(`The quote on line ${openQuoteAt} never ends.`)
  const [header, ...rest] = records
  if (header === undefined) return malformed('The header is missing.')
  if (rest.length > MOST_IMPORT_ROWS) malformed(`At most ${MOST_IMPORT_ROWS} rows are allowed in one file.`)
  const columns = columnsOf(header.cells)
  const seen = new Map<string, number>()
  return rest.map(({ cells, line }) => {
    const row = parseRow(columns, cells, line)
    if (isRefused(row)) return row
    const names = [`email ${row.email}`, `external_id ${row.external_id ?? ''}`, `username ${row.username ?? ''}`].filter(
      (name) => !name.endsWith(' '),
    )
    const earlier = names.find((name) => seen.has(name))
    if (earlier !== undefined)
      return refused(line, 'conflict', earlier.split(' ')[0], `Line ${seen.get(earlier)} has the same ${earlier.split(' ')[0]}.`)
    for (const name of names) seen.set(name, line)
    return row
  })
}

export type RowEffect =
  | { readonly does: 'create' }
  | { readonly does: 'nothing'; readonly user: UserRow }
  | { readonly does: 'update'; readonly user: UserRow; readonly change: ProfileChange; readonly active: boolean | undefined }
  | { readonly does: 'refuse'; readonly refusal: RefusedRow }

/** Finds the person by external id, otherwise by address. A row that matches two people is refused. */
export const rowEffect = (row: ImportedRow, people: readonly UserRow[]): RowEffect => {
  const say = (code: string, field: string, message: string): RowEffect => ({ does: 'refuse', refusal: refused(row.line, code, field, message) })
  const byId = row.external_id === undefined ? [] : people.filter(({ externalId }) => externalId === row.external_id)
  const byEmail = people.find(({ email }) => email === row.email)
  if (byId.length > 1) return say('conflict', 'external_id', 'More than one person has this external id.')
  const user = byId[0] ?? byEmail
  if (user === undefined) return { does: 'create' }
  if (byEmail !== undefined && byEmail.id !== user.id) return say('email_taken', 'email', 'Another person has this address.')
  if (user.deletedAt !== null) return say('conflict', 'email', 'This person was deleted.')
  if (row.external_id !== undefined && user.externalId !== null && user.externalId !== row.external_id)
    return say('conflict', 'external_id', 'The person with this address has another external id.')
  const { name, username, email, external_id: externalId, avatar_url: avatarUrl } = row
  const change: ProfileChange = { name, username, email, externalId, avatarUrl }
  const active = row.active === undefined || row.active === user.active ? undefined : row.active
  if (active === undefined && Object.keys(differences(user, change)).length === 0) return { does: 'nothing', user }
  return { does: 'update', user, change, active }
}
