// Writes a dump. Each tenant is read as the tables' owner in that tenant's scope, because row level security applies to the owner too.
import type { Db, RunStatement } from '../engine/client.ts'
import { asOwner, asTenantId, SYSTEM_TENANT, type TenantId } from '../engine/tenant.ts'
import { migrationState } from '../migrations/migrate.ts'
import { type DumpTable, dumpTables, encodeColumn, qualifiedTableName } from './catalogue.ts'
import type { Write } from './file.ts'
import { createDumpTally, DumpError, type DumpHeader, type DumpTally, endLine, FORMAT_VERSION, headerLine, rowLine, sectionLine } from './format.ts'

export type ExportOptions = {
  /** A single tenant; by default everything. */
  readonly tenantId?: TenantId
  /** Ids of this deployment's master keys, one of which seals the signing keys. */
  readonly masterKeyIds: readonly string[]
  readonly hashKeyCheck: string
  readonly exportedAt: Date
  readonly write: Write
}

const query = async <T>(run: RunStatement, text: string): Promise<readonly T[]> => (await run({ text, params: [], arrays: false })) as readonly T[]

/** All tenants in the directory tables, and the system tenant: tables under row level security show the owner only the current tenant. */
const allTenants = async (run: RunStatement, tables: readonly DumpTable[]): Promise<readonly TenantId[]> => {
  const directories = tables.filter(({ part, secured }) => part === 'tenant' && !secured)
  const found = await query<{ id: string }>(
    run,
    directories.map((table) => `select tenant_id::text as id from ${qualifiedTableName(table)}`).join(' union '),
  )
  return [...new Set([SYSTEM_TENANT, ...found.map(({ id }) => asTenantId(id)).sort()])]
}

/** One statement for all tables, so that a section is a consistent snapshot. */
const selectRows = (tables: readonly DumpTable[], ofTenant: boolean): string => {
  const condition = ofTenant ? ` where tenant_id = current_setting('app.tenant_id')::uuid` : ''
  const one = (table: DumpTable, position: number): string =>
    `select ${position} as position, row_to_json(r)::text as "row" from (select ${table.columns.map(encodeColumn).join(', ')} from ${qualifiedTableName(table)}${condition}) r`
  return tables.map(one).join(' union all ')
}

const BATCH_ROWS = 200

/** Reads a section's rows in batches, so that memory does not grow with the tenant. */
const eachBatch = async (
  run: RunStatement,
  tables: readonly DumpTable[],
  ofTenant: boolean,
  consume: (rows: readonly { name: string; row: string }[]) => Promise<void>,
) => {
  if (tables.length === 0) return
  await query(run, `select set_config('TimeZone', 'UTC', true)`)
  await query(run, `declare dump no scroll cursor for ${selectRows(tables, ofTenant)}`)
  let last = 0
  for (;;) {
    const rows = await query<{ position: number; row: string }>(run, `fetch ${BATCH_ROWS} from dump`)
    if (rows.length === 0) return
    const named = rows.map(({ position, row }) => {
      if (position < last) throw new Error('The rows are not in the order of the tables.')
      last = position
      return { name: tables[position]?.name ?? '', row }
    })
    await consume(named)
  }
}

const usedMasterKeys = async (db: Db, tenants: readonly TenantId[]): Promise<readonly string[]> => {
  const used = new Set<string>()
  for (const tenantId of tenants) {
    const keys = await asOwner(db, tenantId, (t) => query<{ id: string }>(t.run, 'select distinct master_key_id as id from authsec.data_keys'))
    for (const { id } of keys) used.add(id)
  }
  return [...used]
}

const headerOf = async (db: Db, options: ExportOptions, tables: readonly DumpTable[], tenants: readonly TenantId[]): Promise<DumpHeader> => ({
  format: 'authsec-dump',
  format_version: FORMAT_VERSION,
  schema_version: (await migrationState(db)).lastMigration,
  exported_at: options.exportedAt.toISOString(),
  scope: options.tenantId === undefined ? 'whole' : 'tenant',
  master_key_ids: [...new Set([...(await usedMasterKeys(db, tenants)), ...(options.tenantId === undefined ? options.masterKeyIds : [])])].sort(),
  hash_key_check: options.hashKeyCheck,
  tables: tables.map(({ name, part, columns }) => ({ name, part, columns: [...columns] })),
})

const tenantsToExport = async (db: Db, tables: readonly DumpTable[], only: TenantId | undefined): Promise<readonly TenantId[]> => {
  const all = await asOwner(db, '', (t) => allTenants(t.run, tables))
  if (only === undefined) return all
  if (!all.includes(only)) throw new DumpError('tenant_unknown', `The tenant ${only} does not exist here.`)
  return [only]
}

/**
 * Exports the whole deployment or one tenant. Each tenant is a consistent snapshot; different tenants are snapshots of different times.
 * @throws DumpError tenant_unknown
 */
export const exportDump = async (db: Db, options: ExportOptions): Promise<DumpTally> => {
  const all = await asOwner(db, '', (t) => dumpTables(t.run))
  const tables = options.tenantId === undefined ? all : all.filter(({ part }) => part === 'tenant')
  const tenants = await tenantsToExport(db, all, options.tenantId)
  const count = createDumpTally()
  const put = async (text: string): Promise<void> => {
    count.bytes(text)
    await options.write(text)
  }
  await put(headerLine(await headerOf(db, options, tables, tenants)))
  const section = async (tenantId: TenantId | '', own: readonly DumpTable[]): Promise<void> => {
    count.section()
    await put(sectionLine(tenantId))
    await asOwner(db, tenantId, (t) =>
      eachBatch(t.run, own, tenantId !== '', async (rows) => {
        for (const { name } of rows) count.row(name)
        await put(rows.map(({ name, row }) => rowLine(name, row)).join(''))
      }),
    )
  }
  if (options.tenantId === undefined)
    await section(
      '',
      tables.filter(({ part }) => part === 'deployment'),
    )
  for (const tenantId of tenants)
    await section(
      tenantId,
      tables.filter(({ part }) => part === 'tenant'),
    )
  const end = count.end()
  await options.write(endLine(end))
  return { sections: end.sections, rows: end.rows }
}
