// Inserts roles, bindings and groups directly into their tables, for tests of decisions.
import { randomUUID } from 'node:crypto'
import type { TenantTx } from '../engine/tenant.ts'

const put = async (t: TenantTx, table: string, row: Readonly<Record<string, unknown>>): Promise<void> => {
  const all = { tenant_id: t.tenantId, ...row }
  const names = Object.keys(all)
  const text = `insert into authsec.${table} (${names.join(', ')}) values (${names.map((_, n) => `$${n + 1}`).join(', ')}) on conflict do nothing`
  await t.run({ text, params: Object.values(all), arrays: true })
}

const dates = (at: Date): Readonly<Record<string, unknown>> => ({ created_at: at.toISOString(), updated_at: at.toISOString() })

/** Creates a role with these permissions, which are created as needed. Returns its id. */
export const putRole = async (t: TenantTx, name: string, permissions: readonly string[], at: Date): Promise<string> => {
  const id = randomUUID()
  await put(t, 'roles', { id, name, ...dates(at) })
  for (const permission of permissions) {
    const [resource = '', action = ''] = permission.split(':')
    await put(t, 'permissions', { id: randomUUID(), resource, action, ...dates(at) })
    const text = `insert into authsec.role_permissions (tenant_id, role_id, permission_id)
      select tenant_id, $2, id from authsec.permissions where tenant_id = $1 and resource = $3 and action = $4`
    await t.run({ text, params: [t.tenantId, id, resource, action], arrays: true })
  }
  return id
}

type Holder = { readonly userId: string } | { readonly serviceAccountId: string } | { readonly groupId: string }
type More = {
  readonly scope?: readonly [type: string, id: string]
  readonly conditions?: unknown
  readonly expiresAt?: Date
}

/** Returns the binding's id. */
export const putBinding = async (t: TenantTx, roleId: string, holder: Holder, at: Date, more: More = {}): Promise<string> => {
  const id = randomUUID()
  const [[column = '', value] = []] = Object.entries(holder)
  await put(t, 'role_bindings', {
    id,
    role_id: roleId,
    [column.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)]: value,
    scope_type: more.scope?.[0] ?? null,
    scope_id: more.scope?.[1] ?? null,
    conditions: more.conditions === undefined ? null : JSON.stringify(more.conditions),
    expires_at: more.expiresAt?.toISOString() ?? null,
    created_at: at.toISOString(),
  })
  return id
}

export const removeBinding = async (t: TenantTx, id: string): Promise<void> =>
  void (await t.run({ text: 'delete from authsec.role_bindings where tenant_id = $1 and id = $2', params: [t.tenantId, id], arrays: true }))

/** Creates a group with these people. Returns its id. */
export const putGroup = async (t: TenantTx, name: string, userIds: readonly string[], at: Date): Promise<string> => {
  const id = randomUUID()
  await put(t, 'groups', { id, name, ...dates(at) })
  for (const userId of userIds) await putMember(t, id, userId, at)
  return id
}

export const putMember = (t: TenantTx, groupId: string, userId: string, at: Date): Promise<void> =>
  put(t, 'user_groups', { user_id: userId, group_id: groupId, created_at: at.toISOString() })

/** Returns the service account's id. */
export const putServiceAccount = async (t: TenantTx, name: string, at: Date): Promise<string> => {
  const id = randomUUID()
  await put(t, 'service_accounts', { id, name, ...dates(at) })
  return id
}
