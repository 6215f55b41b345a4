// The tables of a dump, read from the database's catalogue: a new table is included unless it is listed as excluded.
import type { RunStatement } from '../engine/client.ts'

export type DumpColumn = { readonly name: string; readonly type: string }
export type DumpTable = {
  readonly name: string
  /** Rows of one tenant, or of the deployment as a whole. */
  readonly part: 'tenant' | 'deployment'
  /** Whether row level security hides other tenants' rows. */
  readonly secured: boolean
  readonly columns: readonly DumpColumn[]
}

/** Excluded tables with the reason. */
export const NOT_DUMPED: Readonly<Record<string, string>> = {
  migration_log: 'Migrations of this database. The importing database has its own; the header names the schema version of the rows.',
  job_leases: 'Leases of running jobs. In another deployment a job would wait for a process that does not exist.',
  limit_counters: 'Attempts of the last minutes, counted here only while the cache is unavailable. The cache is not exported either.',
}

const TABLES = `
select c.relname::text as name, c.relrowsecurity as secured,
  json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod)) order by a.attnum) as columns
from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
where c.relnamespace = 'authsec'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
group by c.oid, c.relname, c.relrowsecurity order by c.relname collate "C"`

const REFERENCES = `
select distinct f.relname::text as "from", t.relname::text as "to"
from pg_constraint c join pg_class f on f.oid = c.conrelid join pg_class t on t.oid = c.confrelid
where c.contype = 'f' and c.connamespace = 'authsec'::regnamespace and c.conrelid <> c.confrelid`

type ReferenceRow = { readonly from: string; readonly to: string }

const rows = async <T>(run: RunStatement, text: string): Promise<readonly T[]> => (await run({ text, params: [], arrays: false })) as readonly T[]

/** Referenced tables before the tables that refer to them. */
const inReferenceOrder = (tables: readonly DumpTable[], references: readonly ReferenceRow[]): readonly DumpTable[] => {
  const ordered: DumpTable[] = []
  let waiting = [...tables]
  while (waiting.length > 0) {
    const names = new Set(waiting.map(({ name }) => name))
    const free = waiting.filter(({ name }) => !references.some(({ from, to }) => from === name && names.has(to)))
    if (free.length === 0) throw new Error(`Tables refer to each other in a cycle: ${[...names].join(', ')}`)
    ordered.push(...free)
    waiting = waiting.filter((table) => !free.includes(table))
  }
  return ordered
}

/** All tables of the schema except the excluded ones, in an order in which they can be filled. */
export const dumpTables = async (run: RunStatement): Promise<readonly DumpTable[]> => {
  const found = await rows<Omit<DumpTable, 'part'>>(run, TABLES)
  const tables = found
    .filter(({ name }) => !Object.hasOwn(NOT_DUMPED, name))
    .map((table): DumpTable => ({ ...table, part: table.columns.some(({ name }) => name === 'tenant_id') ? 'tenant' : 'deployment' }))
  return inReferenceOrder(tables, await rows<ReferenceRow>(run, REFERENCES))
}

/** A quoted SQL identifier. */
export const quotedIdentifier = (name: string): string => `"${name.replaceAll('"', '""')}"`
export const qualifiedTableName = ({ name }: DumpTable): string => `authsec.${quotedIdentifier(name)}`

const isJson = (type: string): boolean => type === 'json' || type === 'jsonb'

/**
 * A column's value in a form that JSON preserves: bytes as base64; JSON as its text, so that the value `null` differs from SQL null. PostgreSQL
 * formats the rest: timestamps as RFC 3339, arrays, numbers in full.
 */
export const encodeColumn = ({ name, type }: DumpColumn): string => {
  const column = quotedIdentifier(name)
  if (type === 'bytea') return `translate(encode(${column}, 'base64'), E'\\n', '') as ${column}`
  return isJson(type) ? `${column}::text as ${column}` : column
}

/** Reverses `encodeColumn`, on a record `r` whose columns have the types of `carrierColumn`. */
export const decodeColumn = ({ name, type }: DumpColumn): string => {
  const column = `r.${quotedIdentifier(name)}`
  if (type === 'bytea') return `decode(${column}, 'base64')`
  return isJson(type) ? `${column}::${type}` : column
}
export const carrierColumn = ({ name, type }: DumpColumn): string => `${quotedIdentifier(name)} ${type === 'bytea' || isJson(type) ? 'text' : type}`
