// Seeds of roles, bindings, permissions and scopes, for `seeds.ts`: both administrative APIs have the same objects.

import { atomically, forTenant, type TenantTx } from '#db/engine/tenant'
import { insertBinding } from '#db/store/bindings'
import { findPermissionsByText, insertPermission } from '#db/store/permissions'
import { insertRole } from '#db/store/roles'
import { insertScope } from '#db/store/scopes'
import type { Company, TestApp } from '../support/app.ts'

type Seed = {
  readonly path: Readonly<Record<string, string>>
  readonly owner: Company['admin']
  readonly body?: Readonly<Record<string, unknown>>
}
type Make = (app: TestApp, company: Company) => Promise<Seed>
type Made = Omit<Seed, 'owner'>

/** An object of a company, accessed by its administrator. */
const thing =
  (make: (t: TenantTx, app: TestApp, company: Company, id: string) => Promise<Made>): Make =>
  async (app, company) => {
    const made = await atomically(forTenant(app.db, company.tenantId), (t) => make(t, app, company, app.ctx.random.id()))
    return { ...made, owner: company.admin }
  }

const newRole = async (t: TenantTx, app: TestApp, id: string): Promise<void> => {
  const [permission] = await findPermissionsByText(t, ['users:read'])
  await insertRole(t, {
    id,
    name: `role ${id}`,
    description: '',
    permissionIds: permission === undefined ? [] : [permission.id],
    at: app.clock.now(),
  })
}

const role = (body?: Seed['body']): Make =>
  thing(async (t, app, _, id) => {
    await newRole(t, app, id)
    return { path: { role_id: id }, ...(body === undefined ? {} : { body }) }
  })
const roleBody = { name: 'Renamed', permission_strings: ['users:read'] }

const binding = thing(async (t, app, company, id) => {
  await newRole(t, app, id)
  const [userId, createdAt] = [company.admin.id, app.clock.now()]
  const nothing = { serviceAccountId: null, groupId: null, scopeType: null, scopeId: null, conditions: null, expiresAt: null, createdBy: null }
  await insertBinding(t, { ...nothing, id, roleId: id, userId, createdAt })
  return { path: { id } }
})

const permission = thing(async (t, app, _, id) => {
  await insertPermission(t, { id, resource: 'things', action: id, description: '' }, app.clock.now())
  return { path: { id } }
})

const scope = (usage: 'internal' | 'oauth', body?: Seed['body']): Make =>
  thing(async (t, app, _, id) => {
    await insertScope(t, { id, name: `scope:${id}`, description: '', usage, permissionIds: [], at: app.clock.now() })
    return { path: usage === 'internal' ? { scope_name: `scope:${id}` } : { scope_id: id }, ...(body === undefined ? {} : { body }) }
  })
const scopeBody = { description: 'Changed.' }

const ofSide = (side: 'admin' | 'user'): Readonly<Record<string, Make>> => ({
  [`${side}.updateRole`]: role(roleBody),
  [`${side}.deleteRole`]: role(),
  [`${side}.revokeBinding`]: binding,
  [`${side}.deletePermission`]: permission,
  [`${side}.updateScope`]: scope('internal', scopeBody),
  [`${side}.deleteScope`]: scope('internal'),
  [`${side}.getApiScope`]: scope('oauth'),
  [`${side}.updateApiScope`]: scope('oauth', scopeBody),
  [`${side}.deleteApiScope`]: scope('oauth'),
})

export const ACCESS_SEEDS: Readonly<Record<string, Make>> = {
  ...ofSide('admin'),
  ...ofSide('user'),
  'admin.getRole': role(),
  'enduser.updateScope': scope('internal', scopeBody),
  'enduser.deleteScope': scope('internal'),
  'enduser.listScopesOfTenant': async (_, company) => ({ path: { tenant_id: company.tenantId }, owner: company.admin }),
}
