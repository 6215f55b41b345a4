// Two tenants with the same ids: no query of roles, permissions, bindings and scopes returns the other tenant's rows.

import { createHash, randomUUID } from 'node:crypto'
import { beforeAll, expect, test } from 'vitest'
import { testDb } from '#tests/support/database'
import type { Db } from '../engine/client.ts'
import { asTenantId, atomically, forTenant, type TenantDb } from '../engine/tenant.ts'
import { findAdministrators, findListedAdministrators, holdsSystemRole } from './administrators.ts'
import { deleteBinding, findAssignedPeople, findBinding, findLiveRoleNames, findSameBinding, insertBinding, listBindings } from './bindings.ts'
import {
  countRolesOfPermissions,
  deletePermission,
  findPermission,
  findPermissionsById,
  findPermissionsByText,
  insertPermission,
  listPermissions,
  listResources,
} from './permissions.ts'
import { countPermissionsOfRoles, deleteRole, findRole, findRoleByName, findRolePermissions, insertRole, listRoles, replaceRole } from './roles.ts'
import { deleteScope, findPermissionsOfScopes, findScope, insertScope, isScopeName, listScopes, replaceScope } from './scopes.ts'
import { insertTenant } from './tenants.ts'
import { insertUser, putAdministrator } from './users.ts'

const at = new Date('2026-03-02T09:00:00Z')
const [permission, role, binding, scope, user] = Array.from({ length: 5 }, () => randomUUID()) as [string, string, string, string, string]
const page = { sort: 'created_at', descending: true, limit: 10 } as const
const usages = ['internal', 'oauth', 'both'] as const

let acme: TenantDb
let globex: TenantDb

const furnish = async (db: Db, word: string): Promise<TenantDb> => {
  const t = forTenant(db, asTenantId(randomUUID()))
  await atomically(t, async (tx) => {
    await insertTenant(tx, { name: word, email: null, domain: `${word}-${t.tenantId}.example`, at })
    await insertUser(tx, { id: user, email: `${word}@${word}.example`, validFrom: at, createdAt: at, updatedAt: at })
    await insertPermission(tx, { id: permission, resource: word, action: 'access', description: word }, at)
    await insertRole(tx, { id: role, name: word, description: word, permissionIds: [permission], at })
    await insertBinding(tx, {
      id: binding,
      roleId: role,
      userId: user,
      serviceAccountId: null,
      groupId: null,
      scopeType: null,
      scopeId: null,
      conditions: null,
      expiresAt: null,
      createdBy: null,
      createdAt: at,
    })
    await insertScope(tx, { id: scope, name: word, description: word, usage: 'both', permissionIds: [permission], at })
    await putAdministrator(tx, { emailHash: createHash('sha256').update(`${word}${t.tenantId}`).digest(), userId: user, provedAt: at })
  })
  return t
}

beforeAll(async () => {
  const db = await testDb()
  acme = await furnish(db, 'admin')
  globex = await furnish(db, 'globex')
})

const target = { roleId: role, userId: user, serviceAccountId: null, groupId: null, scopeType: null, scopeId: null }

/** The results of each query, in a form that names the tenant. */
const everything = async (t: TenantDb) => ({
  permissions: [
    await listPermissions(t, { page }),
    [await findPermission(t, { id: permission })],
    await findPermissionsById(t, [permission]),
    await findPermissionsByText(t, ['admin:access', 'globex.access']),
    await findRolePermissions(t, role),
    await findPermissionsOfScopes(t, [scope]),
  ].map((rows) => rows.map((row) => row?.resource)),
  resources: await listResources(t, 10),
  roles: [...(await listRoles(t, { page })), await findRole(t, role), await findRoleByName(t, 'admin'), await findRoleByName(t, 'globex')].map(
    (row) => row?.name,
  ),
  counts: [(await countRolesOfPermissions(t, [permission])).get(permission), (await countPermissionsOfRoles(t, [role])).get(role)],
  bindings: (await listBindings(t, { page })).map((row) => [row.roleName, row.email]),
  binding: [(await findBinding(t, binding))?.id, (await findSameBinding(t, target))?.id],
  assigned: (await findAssignedPeople(t, [role])).get(role)?.usernames,
  live: await findLiveRoleNames(t, user, at),
  scopes: [...(await listScopes(t, { usages, page })), await findScope(t, { id: scope }, usages)].map((row) => row?.name),
  taken: [await isScopeName(t, 'admin'), await isScopeName(t, 'globex')],
  administrators: (await findAdministrators(t, 'admin', at)).map((row) => row.email),
  listed: await findListedAdministrators(t),
  system: await holdsSystemRole(t, user, 'admin', at),
})

test('each tenant only sees its own rows', async () => {
  const of = (word: string) => ({
    permissions: Array.from({ length: 6 }, () => [word]),
    resources: [word],
    counts: [1, 1],
    bindings: [[word, `${word}@${word}.example`]],
    binding: [binding, binding],
    assigned: [`${word}@${word}.example`],
    live: [word],
    scopes: [word, word],
    listed: [user],
    system: false,
  })
  expect(await everything(acme)).toEqual({
    ...of('admin'),
    roles: ['admin', 'admin', 'admin', undefined],
    taken: [true, false],
    administrators: ['admin@admin.example'],
  })
  expect(await everything(globex)).toEqual({
    ...of('globex'),
    roles: ['globex', 'globex', undefined, 'globex'],
    taken: [false, true],
    administrators: [],
  })
})

test('a change or deletion in one tenant does not affect the other', async () => {
  const before = await everything(globex)
  await atomically(acme, async (t) => {
    await replaceRole(t, role, { name: 'changed', description: '', permissionIds: [], at })
    await replaceScope(t, scope, { name: 'changed', description: '', usage: 'oauth', permissionIds: [], at })
    expect(await deleteBinding(t, binding)).toBe(true)
    expect(await deleteScope(t, scope)).toBe(true)
    expect(await deletePermission(t, permission)).toBe(true)
    expect(await deleteRole(t, role)).toBe(true)
    expect(await deleteRole(t, role)).toBe(false)
  })
  expect(await everything(globex)).toEqual(before)
})
