// Imports a dump. All checks run before the first row is written; then each section is one transaction.
import { type Db, type RunStatement, sqlState } from '../engine/client.ts'
import { asOwner, asTenantId, SYSTEM_TENANT } from '../engine/tenant.ts'
import { migrationState } from '../migrations/migrate.ts'
import { carrierColumn, type DumpTable, decodeColumn, dumpTables, qualifiedTableName, quotedIdentifier } from './catalogue.ts'
import { type DumpEntry, DumpError, type DumpHeader, readEntries } from './format.ts'

export type ImportOptions = {
  /** The dump's lines from the first on; read twice, to check and then to write. */
  readonly read: () => AsyncIterable<string>
  /** Ids of this deployment's master keys. */
  readonly masterKeyIds: readonly string[]
  readonly hashKeyCheck: string
  /** Runs all checks without writing. */
  readonly dryRun?: boolean
}
export type ImportedDump = { readonly header: DumpHeader; readonly tenants: readonly string[]; readonly rows: Readonly<Record<string, number>> }

type Survey = ImportedDump & { readonly hasDeployment: boolean }

const noHeader = (): never => {
  throw new DumpError('damaged', 'This file is not a dump: it is empty.')
}

/** Reads the whole dump once: checks the digest and that rows belong to sections. */
const survey = async (read: ImportOptions['read'], check: (header: DumpHeader) => void): Promise<Survey> => {
  let header: DumpHeader | undefined
  const sections: string[] = []
  const rows: Record<string, number> = {}
  const entries = readEntries(read(), (found) => {
    check(found)
    header = found
  })
  for await (const entry of entries) {
    if (entry.kind === 'section') sections.push(entry.tenantId)
    else if (sections.length === 0) throw new DumpError('damaged', 'The dump is damaged: a row is outside all sections. Nothing was written.')
    else rows[entry.table] = (rows[entry.table] ?? 0) + 1
  }
  return { header: header ?? noHeader(), tenants: sections.filter((id) => id !== ''), rows, hasDeployment: sections.includes('') }
}

const checkSchema = (header: DumpHeader, ours: number): void => {
  if (header.schema_version > ours) {
    const why = `The dump is of schema version ${header.schema_version}, this release has ${ours}`
    throw new DumpError('newer_schema', `${why}. Import it with the release that wrote it, or a later one. Nothing was written.`)
  }
}

const checkKeys = (header: DumpHeader, options: ImportOptions): void => {
  const missing = header.master_key_ids.filter((id) => !options.masterKeyIds.includes(id))
  if (missing.length > 0) {
    const why = `Sealed values in the dump use master keys that this deployment does not have: ${missing.join(', ')}`
    throw new DumpError('master_keys_missing', `${why}. Add them after the first key of MASTER_KEYS. Nothing was written.`)
  }
  if (header.hash_key_check !== options.hashKeyCheck)
    throw new DumpError(
      'other_hash_key',
      'The dump was written with another HASH_KEY: look-ups by address would find nothing. Use the same one. Nothing was written.',
    )
}

/** The dump's columns as this database declares them. */
const matchColumns = (header: DumpHeader, ours: readonly DumpTable[]): readonly DumpTable[] => {
  const dumped = new Map(header.tables.map((table) => [table.name, table]))
  for (const { name } of header.tables) {
    if (!ours.some((table) => table.name === name))
      throw new DumpError('other_columns', `The dump has a table ${name} that this release does not know. Nothing was written.`)
  }
  return ours.flatMap((table) => {
    const theirs = dumped.get(table.name)
    if (theirs === undefined) return []
    const unknown = theirs.columns.find(({ name, type }) => !table.columns.some((column) => column.name === name && column.type === type))
    if (unknown)
      throw new DumpError(
        'other_columns',
        `The dump has ${table.name}.${unknown.name} as ${unknown.type}; this release does not. Nothing was written.`,
      )
    return [{ ...table, columns: table.columns.filter(({ name }) => theirs.columns.some((column) => column.name === name)) }]
  })
}

const hasRows = async (run: RunStatement, tables: readonly DumpTable[], ofTenant: boolean): Promise<boolean> => {
  if (tables.length === 0) return false
  const condition = ofTenant ? ` where tenant_id = current_setting('app.tenant_id')::uuid` : ''
  const text = tables.map((table) => `exists (select from ${qualifiedTableName(table)}${condition})`).join(' or ')
  const [row] = (await run({ text: `select ${text} as found`, params: [], arrays: false })) as readonly { found: boolean }[]
  return row?.found === true
}

const refuseExisting = async (db: Db, tables: readonly DumpTable[], { tenants, hasDeployment }: Survey): Promise<void> => {
  const ofTenant = tables.filter(({ part }) => part === 'tenant')
  const ofDeployment = tables.filter(({ part }) => part === 'deployment')
  if (hasDeployment && (await asOwner(db, '', (t) => hasRows(t.run, ofDeployment, false)))) {
    const wayOut = 'Use a database that was migrated (npm run db:migrate) and never used'
    throw new DumpError(
      'deployment_exists',
      `The database already has signing keys of its own. ${wayOut}, or import single tenants. Nothing was written.`,
    )
  }
  for (const tenantId of tenants) {
    if (await asOwner(db, asTenantId(tenantId), (t) => hasRows(t.run, ofTenant, true))) {
      const who = tenantId === SYSTEM_TENANT ? `The system tenant ${tenantId}` : `Tenant ${tenantId}`
      throw new DumpError('tenant_exists', `${who} already exists in this database; rows are never merged. Nothing was written.`)
    }
  }
}

const insertText = (table: DumpTable): string => {
  const names = table.columns.map(({ name }) => quotedIdentifier(name)).join(', ')
  const own = table.part === 'tenant' ? ` where r.tenant_id = current_setting('app.tenant_id')::uuid` : ''
  return `with written as (
  insert into ${qualifiedTableName(table)} (${names}) overriding system value
  select ${table.columns.map(decodeColumn).join(', ')} from json_to_recordset($1::text::json) as r(${table.columns.map(carrierColumn).join(', ')})${own}
  returning 1
) select count(*)::int as count from written`
}

const insert = async (run: RunStatement, table: DumpTable, rows: readonly string[]): Promise<void> => {
  const [written] = (await run({ text: insertText(table), params: [`[${rows.join(',')}]`], arrays: false })) as readonly { count: number }[]
  if (written?.count !== rows.length) throw new DumpError('damaged', `A row of ${table.name} belongs to another tenant than its section.`)
}

const STEP = { rows: 200, characters: 4 * 1024 * 1024 }

/** Writes one section's rows and returns the entry after them. */
const fill = async (
  run: RunStatement,
  tables: ReadonlyMap<string, DumpTable>,
  next: () => Promise<DumpEntry | undefined>,
): Promise<DumpEntry | undefined> => {
  let table: DumpTable | undefined
  let waiting: string[] = []
  let characters = 0
  const flush = async (): Promise<void> => {
    if (table !== undefined && waiting.length > 0) await insert(run, table, waiting)
    waiting = []
    characters = 0
  }
  for (;;) {
    const entry = await next()
    if (entry?.kind !== 'row') {
      await flush()
      return entry
    }
    if (entry.table !== table?.name || waiting.length >= STEP.rows || characters + entry.row.length > STEP.characters) await flush()
    table = tables.get(entry.table)
    if (table === undefined)
      throw new DumpError('damaged', `The dump has a row of ${entry.table}, which its header does not name for such a section.`)
    waiting.push(entry.row)
    characters += entry.row.length
  }
}

const constraintOf = (error: unknown): string => {
  const name = error instanceof Error ? (error as { constraint?: unknown }).constraint : undefined
  return typeof name === 'string' ? name : 'unknown'
}

/** Adds to the error that nothing of this section was written, and what was written before it. */
const explainFailure = (error: unknown, section: string, done: readonly string[]): unknown => {
  const before = done.length === 0 ? 'Nothing was written.' : `${done.length} sections before it were written; start again with an empty database.`
  const where = section === '' ? "the deployment's own rows" : `tenant ${section}`
  if (error instanceof DumpError) return new DumpError(error.reason, `${error.message} Nothing of ${where} was written. ${before}`, error)
  if (sqlState(error)?.startsWith('23'))
    return new DumpError('conflict', `${where}: a row conflicts with an existing row (${constraintOf(error)}). ${before}`, error)
  return error
}

const write = async (db: Db, tables: readonly DumpTable[], options: ImportOptions): Promise<void> => {
  const ofPart = (part: DumpTable['part']) => new Map(tables.filter((table) => table.part === part).map((table) => [table.name, table]))
  const parts = { tenant: ofPart('tenant'), deployment: ofPart('deployment') }
  const entries = readEntries(options.read(), () => undefined)
  const next = async (): Promise<DumpEntry | undefined> => {
    const step = await entries.next()
    return step.done ? undefined : step.value
  }
  const done: string[] = []
  for (let entry = await next(); entry?.kind === 'section'; ) {
    const { tenantId } = entry
    try {
      entry = await asOwner(db, tenantId === '' ? '' : asTenantId(tenantId), async (t) => {
        await t.run({ text: `select set_config('app.importing', 'on', true)`, params: [], arrays: true })
        return fill(t.run, tenantId === '' ? parts.deployment : parts.tenant, next)
      })
    } catch (error) {
      throw explainFailure(error, tenantId, done)
    }
    done.push(tenantId)
  }
}

/**
 * Imports a dump into a migrated database. A section that fails is rolled back as a whole.
 * @throws DumpError all reasons except tenant_unknown
 */
export const importDump = async (db: Db, options: ImportOptions): Promise<ImportedDump> => {
  const { lastMigration } = await migrationState(db)
  const ours = await asOwner(db, '', (t) => dumpTables(t.run))
  const found = await survey(options.read, (header) => {
    checkSchema(header, lastMigration)
    checkKeys(header, options)
  })
  const tables = matchColumns(found.header, ours)
  await refuseExisting(db, tables, found)
  if (options.dryRun !== true) await write(db, tables, options)
  return { header: found.header, tenants: found.tenants, rows: found.rows }
}
