// The dump format, in JSON lines: a header; sections of one tenant or of the deployment with their rows; a last line with counts and a digest of
// everything before it.
import { createHash } from 'node:crypto'
import * as z from 'zod'

export const FORMAT_VERSION = 1

export type DumpRefusal =
  | 'damaged'
  | 'newer_schema'
  | 'other_columns'
  | 'master_keys_missing'
  | 'other_hash_key'
  | 'tenant_unknown'
  | 'tenant_exists'
  | 'deployment_exists'
  | 'conflict'

/** A dump was not written or not accepted. The message is for the operator. */
export class DumpError extends Error {
  readonly reason: DumpRefusal
  constructor(reason: DumpRefusal, message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'DumpError'
    this.reason = reason
  }
}

const DumpHeader = z.strictObject({
  format: z.literal('authsec-dump'),
  format_version: z.int(),
  schema_version: z.int(),
  exported_at: z.iso.datetime(),
  scope: z.enum(['whole', 'tenant']),
  /** Master keys that are needed to open the dump's sealed values. */
  master_key_ids: z.array(z.string()),
  /** A keyed hash of a constant, equal for equal HASH_KEYs. Keyed hashes in the rows are useless with another HASH_KEY. */
  hash_key_check: z.string(),
  tables: z.array(
    z.strictObject({
      name: z.string(),
      part: z.enum(['tenant', 'deployment']),
      columns: z.array(z.strictObject({ name: z.string(), type: z.string() })),
    }),
  ),
})
export type DumpHeader = z.output<typeof DumpHeader>

const Counts = z.record(z.string(), z.int())
const End = z.strictObject({ end: z.strictObject({ sections: z.int(), rows: Counts, sha256: z.string() }) })

/** `''` is the deployment's section. */
export type DumpEntry =
  | { readonly kind: 'section'; readonly tenantId: string }
  | { readonly kind: 'row'; readonly table: string /** Unparsed JSON: only PostgreSQL reads it, which keeps every digit. */; readonly row: string }

export const headerLine = (header: DumpHeader): string => `${JSON.stringify(header)}\n`
export const sectionLine = (tenantId: string): string => `${JSON.stringify({ section: tenantId })}\n`
export const rowLine = (table: string, row: string): string => `{"table":${JSON.stringify(table)},"row":${row}}\n`

const damaged = (why: string): DumpError => new DumpError('damaged', `The dump is damaged or was altered: ${why}. Nothing was written.`)

const parsed = (line: string): unknown => {
  try {
    return JSON.parse(line)
  } catch {
    throw damaged('a line is not JSON')
  }
}

const SECTION = /^\{"section":"([0-9a-f-]{36}|)"\}$/
const ROW = /^\{"table":"([a-z_0-9]+)","row":(\{.*\})\}$/s
const entryOf = (line: string): DumpEntry | undefined => {
  const section = SECTION.exec(line)
  if (section) return { kind: 'section', tenantId: section[1] ?? '' }
  const row = ROW.exec(line)
  return row ? { kind: 'row', table: row[1] ?? '', row: row[2] ?? '' } : undefined
}

const parseHeader = (line: string): DumpHeader => {
  const shape = z.object({ format: z.literal('authsec-dump'), format_version: z.int() }).safeParse(parsed(line))
  if (!shape.success) throw new DumpError('damaged', 'This file is not a dump.')
  if (shape.data.format_version > FORMAT_VERSION)
    throw new DumpError(
      'newer_schema',
      `The dump has format ${shape.data.format_version}; this release reads up to ${FORMAT_VERSION}. Import it with a newer release.`,
    )
  const header = DumpHeader.safeParse(parsed(line))
  if (!header.success) throw damaged('its header is malformed')
  return header.data
}

export type DumpTally = { readonly sections: number; readonly rows: Readonly<Record<string, number>> }

/** Counts and digests lines: the writer creates the last line from it, and the reader compares it. */
export const createDumpTally = () => {
  const digest = createHash('sha256')
  const rows: Record<string, number> = {}
  let sections = 0
  return {
    bytes: (text: string) => void digest.update(text),
    section: () => {
      sections += 1
    },
    row: (table: string) => {
      rows[table] = (rows[table] ?? 0) + 1
    },
    end: () => ({ sections, rows: { ...rows }, sha256: digest.digest('hex') }),
  }
}
export const endLine = (end: DumpTally & { readonly sha256: string }): string => `${JSON.stringify({ end })}\n`

const sameCounts = (a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): boolean =>
  [...new Set([...Object.keys(a), ...Object.keys(b)])].every((name) => a[name] === b[name])

/**
 * Reads a dump line by line: passes the header to `onHeader`, yields the entries, and compares the last line with everything before it.
 * @throws DumpError damaged, newer_schema
 */
export async function* readEntries(lines: AsyncIterable<string>, onHeader: (header: DumpHeader) => void): AsyncGenerator<DumpEntry> {
  const seen = createDumpTally()
  let part: 'header' | 'entries' | 'over' = 'header'
  for await (const line of lines) {
    if (part === 'over') throw damaged('it continues after its last line')
    const entry = entryOf(line)
    if (part === 'header') {
      onHeader(parseHeader(line))
      part = 'entries'
    } else if (entry === undefined) {
      const end = End.safeParse(parsed(line))
      if (!end.success) throw damaged('a line has an unknown format')
      const { sections, rows, sha256 } = seen.end()
      if (end.data.end.sha256 !== sha256 || end.data.end.sections !== sections || !sameCounts(end.data.end.rows, rows))
        throw damaged('its rows do not match the counts and digest in its last line')
      part = 'over'
      continue
    } else {
      if (entry.kind === 'row') seen.row(entry.table)
      else seen.section()
      yield entry
    }
    seen.bytes(`${line}\n`)
  }
  if (part !== 'over') throw damaged('it is incomplete')
}
