// Inserts rows into every table of a dump, based on the catalogue, so that a new table is part of the round-trip tests automatically.

import { type DumpTable, dumpTables, qualifiedTableName, quotedIdentifier } from '../dump/catalogue.ts'
import type { Db, RunStatement } from '../engine/client.ts'
import { asOwner, type TenantId } from '../engine/tenant.ts'

/** A text with other planes, quotes, line ends and apparent escapes. */
const TEXT = 'Zoë 🦉 \u{1F469}\u200D\u{1F692} "quoted" \\n \\x00 \t\r\n\u2028 end'

/** A value for every column type of our tables. All ids are the same id and all texts the same text, so that rows refer to each other. */
const sampleOf = (type: string, id: string): string => {
  if (type === 'uuid') return id
  if (type === 'text') return `${TEXT} ${id}`
  if (type === 'boolean') return 'true'
  if (type === 'integer' || type === 'bigint') return '2147483647'
  if (type === 'uuid[]') return `{${id}}`
  if (type === 'text[]') return '{"a,b","NULL",NULL,"",ü,"\\"q\\""}'
  if (type === 'bytea') return `\\x00ff0a5c22${id.replaceAll('-', '')}`
  if (type === 'jsonb') return '{"big": 12345678901234567890.1234567890123456789, "text": "\\u00fc \\n", "none": null, "list": [1, [2]]}'
  if (type.endsWith('with time zone')) return '2026-11-24T23:59:59.123+05:30'
  throw new Error(`No value of type ${type} yet: add one to db/testing/fill.ts.`)
}

/** Values required by constraints, and the master key in the dump's header. */
const EXCEPT: Readonly<Record<string, Readonly<Record<string, string | null>>>> = {
  role_bindings: { service_account_id: null, group_id: null },
  data_keys: { master_key_id: 'k0' },
  tenant_domains: { is_primary: 'false' },
  clients: { is_default: 'false' },
  tenants: { policy_version: '7' },
}

type Notnull = { readonly table: string; readonly column: string }
const optionalColumns = async (run: RunStatement): Promise<ReadonlySet<string>> => {
  const text = `select c.relname::text as "table", a.attname::text as "column" from pg_attribute a join pg_class c on c.oid = a.attrelid
    where c.relnamespace = 'authsec'::regnamespace and a.attnum > 0 and not a.attnotnull`
  const found = (await run({ text, params: [], arrays: false })) as readonly Notnull[]
  return new Set(found.map(({ table, column }) => `${table}.${column}`))
}

const insert = async (run: RunStatement, table: DumpTable, values: readonly (string | null)[]): Promise<void> => {
  const names = table.columns.map(({ name }) => quotedIdentifier(name)).join(', ')
  const typed = table.columns.map(({ type }, n) => `$${n + 1}::text::${type}`).join(', ')
  await run({ text: `insert into ${qualifiedTableName(table)} (${names}) values (${typed})`, params: values, arrays: false })
}

/**
 * Inserts two rows per table for a tenant (one where the tenant is the key): one complete, one with nulls where allowed. With an empty tenant, the
 * deployment's own rows.
 */
export const fillEveryTable = (db: Db, tenantId: TenantId | '', ids: readonly [string, string]): Promise<void> =>
  asOwner(db, tenantId, async ({ run }) => {
    const optional = await optionalColumns(run)
    for (const table of await dumpTables(run)) {
      if (table.part !== (tenantId === '' ? 'deployment' : 'tenant')) continue
      const oneRow = ['tenants', 'tenant_directory', 'tenant_branding'].includes(table.name)
      for (const [n, id] of ids.entries()) {
        if (n > 0 && oneRow) continue
        const values = table.columns.map(({ name, type }) => {
          const except = EXCEPT[table.name]
          if (name === 'tenant_id') return tenantId
          if (except !== undefined && Object.hasOwn(except, name)) return except[name] ?? null
          if (n === 0 || !optional.has(`${table.name}.${name}`) || except !== undefined) return sampleOf(type, id)
          return type === 'jsonb' ? 'null' : null
        })
        await insert(run, table, values)
      }
    }
  })

/** Every row of a tenant or of the deployment, in PostgreSQL's text format. */
export const everyRow = (db: Db, tenantId: TenantId | ''): Promise<Readonly<Record<string, readonly string[]>>> =>
  asOwner(db, tenantId, async ({ run }) => {
    await run({ text: `select set_config('TimeZone', 'UTC', true)`, params: [], arrays: false })
    const all: Record<string, readonly string[]> = {}
    for (const table of await dumpTables(run)) {
      if (table.part !== (tenantId === '' ? 'deployment' : 'tenant')) continue
      const own = tenantId === '' ? '' : ` where tenant_id = '${tenantId}'`
      const text = `select r::text as "row" from (select * from ${qualifiedTableName(table)}${own}) r order by 1`
      all[table.name] = ((await run({ text, params: [], arrays: false })) as readonly { row: string }[]).map(({ row }) => row)
    }
    return all
  })
