// Reads an AuthSec database of any release: missing tables and columns count as empty.
import { parseUuid } from '#shared/kernel/ids'

export type SourceRow = Readonly<Record<string, unknown>>
/** One read-only connection to the AuthSec database. */
export type SourceQuery = (text: string, params: readonly unknown[]) => Promise<readonly SourceRow[]>

export const uuidField = (row: SourceRow, name: string): string | undefined => {
  const value = row[name]
  return typeof value === 'string' ? parseUuid(value.trim()) : undefined
}
/** Trimmed; undefined when empty. */
export const textField = (row: SourceRow, name: string, most = 1000): string | undefined => {
  const value = row[name]
  const text = typeof value === 'string' ? value.trim() : ''
  return text === '' ? undefined : [...text].slice(0, most).join('')
}
/** For columns in seconds since 1970. */
export const epochField = (row: SourceRow, name: string): Date | undefined => {
  const value = row[name]
  return typeof value === 'number' && value > 0 && value < 4_102_444_800 ? new Date(value * 1000) : undefined
}
/** For byte columns, which PostgreSQL writes in JSON as `\\x` and hexadecimal digits. */
export const bytesField = (row: SourceRow, name: string): Uint8Array | undefined => {
  const value = row[name]
  return typeof value === 'string' && /^\\x(?:[0-9a-f]{2})+$/.test(value) ? new Uint8Array(Buffer.from(value.slice(2), 'hex')) : undefined
}
/** Whether the value is absent or blank. */
export const isEmpty = (row: SourceRow, name: string): boolean => {
  const value = row[name]
  return value === undefined || value === null || (typeof value === 'string' && value.trim() === '')
}
export const flagField = (row: SourceRow, name: string): boolean => row[name] === true
export const momentField = (row: SourceRow, name: string): Date | undefined => {
  const value = row[name]
  // AuthSec's servers write UTC into columns without a zone.
  const text = typeof value === 'string' ? (/(Z|[+-]\d{2}(:?\d{2})?)$/.test(value) ? value : `${value}Z`) : ''
  const at = new Date(text)
  // PostgreSQL does not read the form of years with more than four digits.
  return at.getUTCFullYear() >= 1 && at.getUTCFullYear() <= 9999 ? at : undefined
}
export const objectField = (row: SourceRow, name: string): Readonly<Record<string, unknown>> | undefined => {
  const value = row[name]
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : undefined
}
export const listField = (row: SourceRow, name: string): readonly string[] => {
  const value = row[name]
  return Array.isArray(value) ? value.filter((member) => typeof member === 'string') : []
}

/** Tables read by tenant; links are read by what they join. */
const OF_TENANT = ['users', 'groups', 'roles', 'permissions', 'scopes', 'service_accounts', 'role_bindings', 'tenant_domains'] as const
const LINKS = { role_permissions: ['role_id', 'roles'], scope_permissions: ['scope_id', 'scopes'] } as const
/** Tables of second factors and backup codes, read by tenant or by owner. */
const FACTORS_OF_TENANT = ['totp_secrets', 'tenant_totp_secrets', 'totp_backup_codes', 'tenant_totp_backup_codes'] as const
const FACTORS_OF_PERSON = ['mfa_methods', 'credentials'] as const
export type FactorTable = (typeof FACTORS_OF_TENANT)[number] | (typeof FACTORS_OF_PERSON)[number]
const TAKEN_FACTORS: ReadonlySet<string> = new Set<FactorTable>([...FACTORS_OF_TENANT, ...FACTORS_OF_PERSON])
export type SourceTable = (typeof OF_TENANT)[number] | keyof typeof LINKS | 'user_groups' | 'projects' | 'clients' | FactorTable

/** Tables of factors that cannot be imported: notified phones and browsers, voices, unknown ones. */
const FACTORS = /^(totp|.*_totp|backup_codes|.*webauthn.*|.*credentials|mfa_|.*_mfa|.*mfa_methods|.*device_tokens|push_devices|voice_)/
const NEVER = new Set([
  'audit_events',
  'migration_logs',
  'grant_audit',
  'role_assignment_requests',
  'pending_registrations',
  'sync_configurations',
  'oidc_providers',
])

export type TenantRows = Readonly<Record<SourceTable, readonly SourceRow[]>>

/** @throws Error when the database has no tables of AuthSec */
export const openSource = async (query: SourceQuery) => {
  const listed = await query(`select table_name, column_name from information_schema.columns where table_schema = current_schema()`, [])
  const columns = new Map<string, Set<string>>()
  for (const { table_name: table, column_name: column } of listed) {
    if (typeof table !== 'string' || typeof column !== 'string') continue
    columns.set(table, (columns.get(table) ?? new Set()).add(column))
  }
  if (!columns.has('tenants') || !columns.has('users'))
    throw new Error('The database has no tables of tenants and users: it is not a database of AuthSec.')
  const has = (table: string, ...names: readonly string[]): boolean => names.every((name) => columns.get(table)?.has(name) === true)

  const select = async (table: string, where: string, params: readonly unknown[]): Promise<readonly SourceRow[]> => {
    if (!columns.has(table)) return []
    const rows = await query(`select to_jsonb(x) as row from "${table}" x where ${where}`, params)
    return rows.map(({ row }) => row as SourceRow)
  }
  const ofTenant = (table: string, tenantId: string): Promise<readonly SourceRow[]> =>
    has(table, 'tenant_id') ? select(table, 'x.tenant_id = $1', [tenantId]) : Promise.resolve([])

  const linksOf = (table: keyof typeof LINKS, tenantId: string): Promise<readonly SourceRow[]> => {
    const [column, owner] = LINKS[table]
    if (!has(table, column) || !has(owner, 'tenant_id')) return Promise.resolve([])
    return select(table, `x.${column} in (select id from ${owner} where tenant_id = $1)`, [tenantId])
  }
  /** Also reads rows without a tenant whose owner belongs to the tenant. */
  const ofTenantOrOwner = (table: string, tenantId: string, column: string, owner: string, key = 'id'): Promise<readonly SourceRow[]> =>
    has(table, 'tenant_id', column) && has(owner, key, 'tenant_id')
      ? select(table, `x.tenant_id = $1 or (x.tenant_id is null and x.${column} in (select ${key} from ${owner} where tenant_id = $1))`, [tenantId])
      : ofTenant(table, tenantId)

  /** Reads rows by owner: a column with the person's id, or the client id that stands for them. `is_elsewhere`: the columns also name a person of another tenant. */
  const ofPeople = async (table: string, tenantId: string): Promise<readonly SourceRow[]> => {
    const owners = ['user_id', 'client_id'].filter((name) => has(table, name)).map((name) => `x.${name}`)
    if (owners.length === 0) return []
    const keys = ['id', 'client_id'].filter((name) => has('users', name)).map((name) => `u.${name} in (${owners.join(', ')})`)
    const elsewhere = `exists (select from users u where u.id in (${owners.join(', ')}) and u.tenant_id is distinct from $1)`
    const text = `select to_jsonb(x) || jsonb_build_object('is_elsewhere', ${elsewhere}) as row from "${table}" x
      where exists (select from users u where u.tenant_id = $1 and (${keys.join(' or ')}))`
    return columns.has(table) ? (await query(text, [tenantId])).map(({ row }) => row as SourceRow) : []
  }

  const tenantRows = async (tenantId: string): Promise<TenantRows> => {
    const out: Partial<Record<SourceTable, readonly SourceRow[]>> = {}
    for (const table of OF_TENANT) out[table] = await ofTenant(table, tenantId)
    for (const table of Object.keys(LINKS) as (keyof typeof LINKS)[]) out[table] = await linksOf(table, tenantId)
    for (const table of FACTORS_OF_TENANT) out[table] = await ofTenant(table, tenantId)
    for (const table of FACTORS_OF_PERSON) out[table] = await ofPeople(table, tenantId)
    out.user_groups = await ofTenantOrOwner('user_groups', tenantId, 'group_id', 'groups')
    out.projects = await ofTenantOrOwner('projects', tenantId, 'user_id', 'users')
    out.clients = await ofTenantOrOwner('clients', tenantId, 'client_id', 'tenant_mappings', 'client_id')
    return out as TenantRows
  }

  /** Rows without a tenant: global groups, and rows of deleted owners. */
  const orphans = async (): Promise<readonly { readonly table: string; readonly id: string | null }[]> => {
    const isKnown = `exists (select from tenants t where coalesce(t.tenant_id, t.id) = x.tenant_id)`
    const adoptable: Readonly<Record<string, string>> = {
      projects: has('projects', 'user_id') ? ` and not exists (select from users u where u.id = x.user_id and u.tenant_id is not null)` : '',
      clients: has('tenant_mappings', 'client_id', 'tenant_id')
        ? ` and not exists (select from tenant_mappings m where m.client_id = x.client_id)`
        : '',
      user_groups: has('user_groups', 'group_id') ? ` and not exists (select from groups g where g.id = x.group_id and g.tenant_id is not null)` : '',
    }
    const found: { table: string; id: string | null }[] = []
    for (const table of [...OF_TENANT, ...FACTORS_OF_TENANT, 'projects', 'clients', 'user_groups']) {
      if (!has(table, 'tenant_id')) continue
      const rows = await select(table, `(x.tenant_id is null${adoptable[table] ?? ''}) or (x.tenant_id is not null and not ${isKnown})`, [])
      found.push(...rows.map((row) => ({ table, id: uuidField(row, 'id') ?? null })))
    }
    for (const table of FACTORS_OF_PERSON) {
      const owners = ['user_id', 'client_id'].filter((name) => has(table, name))
      if (owners.length === 0) continue
      const isOwned = ['id', 'client_id']
        .filter((name) => has('users', name))
        .map((name) => `u.${name} in (${owners.map((of) => `x.${of}`).join(', ')})`)
      const rows = await select(table, `not exists (select from users u where u.tenant_id is not null and (${isOwned.join(' or ')}))`, [])
      found.push(...rows.map((row) => ({ table, id: uuidField(row, 'id') ?? null })))
    }
    return found
  }

  return {
    tenants: () => select('tenants', 'true', []),
    tenantRows,
    orphans,
    /** Tables that are not imported, with the number of rows and the reason. */
    leftOut: async (): Promise<readonly { readonly table: string; readonly rows: number; readonly reason: string }[]> => {
      const out: { table: string; rows: number; reason: string }[] = []
      for (const table of columns.keys()) {
        if (TAKEN_FACTORS.has(table)) continue
        const reason = FACTORS.test(table) ? 'factor_must_be_enrolled_again' : NEVER.has(table) ? 'not_imported' : undefined
        if (reason === undefined) continue
        const [row] = await query(`select count(*)::int as rows from "${table}"`, [])
        out.push({ table, rows: Number(row?.rows ?? 0), reason })
      }
      return out
    },
  }
}
export type Source = Awaited<ReturnType<typeof openSource>>
