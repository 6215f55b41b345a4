// Whether a tenant has reached its limit of rows of a kind. Counted on the rows, because they are also deleted by cascades; never beyond the limit.
import { sql } from 'drizzle-orm'
import type { TenantTx } from '../engine/tenant.ts'
import { groups, permissions, roleBindings, roles, scopes } from '../tables/access.ts'
import { registrationEntries } from '../tables/spiffe.ts'

const COUNTED = { roles, bindings: roleBindings, permissions, groups, scopes, entries: registrationEntries } as const
export type CountedRows = keyof typeof COUNTED

/** Call it under the tenant's policy lock, so that two requests cannot both add the last row. */
export const hasRows = async (t: TenantTx, kind: CountedRows, count: number): Promise<boolean> => {
  if (count <= 0) return true
  const table = COUNTED[kind]
  const rows = await t.db.execute(sql`select 1 from ${table} where ${table.tenantId} = ${t.tenantId}::uuid offset ${count - 1}::int limit 1`)
  return rows.length > 0
}
