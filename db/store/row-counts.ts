// Whether a tenant has as many rows of a kind as it may. Counted where they are, since they also go with what they belong to; no further than is asked.
import { sql } from 'drizzle-orm'
import type { TenantTx } from '../engine/tenant.ts'
import { groups, permissions, roleBindings, roles, scopes } from '../tables/access.ts'

const COUNTED = { roles, bindings: roleBindings, permissions, groups, scopes } as const
export type CountedRows = keyof typeof COUNTED

/** Call under the tenant's policy lock, so that no two are both the last. */
export const hasRows = async (t: TenantTx, kind: CountedRows, count: number): Promise<boolean> => {
  if (count <= 0) return true
  const table = COUNTED[kind]
  const rows = await t.db.execute(sql`select 1 from ${table} where ${table.tenantId} = ${t.tenantId}::uuid offset ${count - 1}::int limit 1`)
  return rows.length > 0
}
