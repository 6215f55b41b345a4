// Every row of a tenant that the application may read, so that a test can assert that an attack left only its refusal.
import { forTenant, SYSTEM_TENANT, type TenantId } from '#db/engine/tenant'
import type { TestApp } from './app.ts'

/** By table, each row as a digest of all its values. */
export type Rows = Readonly<Record<string, readonly string[]>>

/** Written by every attempt, refused or not: the data key of the subject is created with the first event, and requests are counted. */
const TRACES: readonly string[] = ['data_keys', 'tenant_usage']
/** Columns of the callers' sessions that every call updates. */
const TOUCHED = 'last_seen_at'

const TABLES = `select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
  where c.relnamespace = 'authsec'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition and has_table_privilege(c.oid, 'select') order by 1`

let tables: readonly string[] | undefined
const tablesOf = async (app: TestApp): Promise<readonly string[]> => {
  const found = (await forTenant(app.db, SYSTEM_TENANT).run({ text: TABLES, params: [], arrays: true })) as string[][]
  tables ??= found.map(([name = '']) => name)
  return tables
}

/** An attack may leave refusals in the audit log. */
const whichOf = (table: string): string => (table === 'audit_events' ? ` and outcome = 'success'` : '')

/** `but`: tables that the attempt is supposed to write, each for a reason that the test states. */
export const rowsOf = async (app: TestApp, tenantId: TenantId, but: readonly string[] = []): Promise<Rows> => {
  const read = (await tablesOf(app)).filter((table) => !TRACES.includes(table) && !but.includes(table))
  const text = read
    .map(
      (table) =>
        `select '${table}', coalesce(jsonb_agg(md5((to_jsonb(r) - '${TOUCHED}')::text) order by md5((to_jsonb(r) - '${TOUCHED}')::text)), '[]') from authsec.${table} r where tenant_id = $1${whichOf(table)}`,
    )
    .join(' union all ')
  const rows = (await forTenant(app.db, tenantId).run({ text, params: [tenantId], arrays: true })) as [string, readonly string[]][]
  return Object.fromEntries(rows)
}

/** The differences, table by table. */
export const changed = (before: Rows, after: Rows): readonly string[] =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((table) => {
    const [was, is] = [before[table] ?? [], after[table] ?? []]
    const [gone, added] = [was.filter((row) => !is.includes(row)).length, is.filter((row) => !was.includes(row)).length]
    return gone + added === 0 && was.length === is.length ? [] : [`${table}: ${gone} gone, ${added} new`]
  })

/** Runs the attempt and returns its response; throws if it changed any row of these tenants or of the system tenant. */
export const unchanged = async <T>(
  app: TestApp,
  tenants: readonly { readonly tenantId: TenantId }[],
  attempt: () => Promise<T>,
  but: readonly string[] = [],
): Promise<T> => {
  const ids = [...new Set([...tenants.map(({ tenantId }) => tenantId), SYSTEM_TENANT])]
  const before = await Promise.all(ids.map((id) => rowsOf(app, id, but)))
  const result = await attempt()
  const after = await Promise.all(ids.map((id) => rowsOf(app, id, but)))
  const found = ids.flatMap((_, n) => changed(before[n] ?? {}, after[n] ?? {}))
  if (found.length > 0) throw new Error(`a refused attempt changed ${found.join('; ')}`)
  return result
}
