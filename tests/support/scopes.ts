// Creates a scope from permissions that clients may request, for tests.

import type { TenantTx } from '#db/engine/tenant'
import { ensurePermissions } from '#db/store/permissions'
import { insertScope } from '#db/store/scopes'
import type { TestApp } from './app.ts'

export const putPermissionScope = async (t: TenantTx, app: TestApp, name: string, permissions: readonly string[]): Promise<void> => {
  const at = app.clock.now()
  const rows = permissions.map((permission) => {
    const [resource = '', action = ''] = permission.split(':')
    return { id: app.ctx.random.id(), resource, action, description: '' }
  })
  const permissionIds = await ensurePermissions(t, rows, at)
  await insertScope(t, { id: app.ctx.random.id(), name, description: '', usage: 'oauth', permissionIds, at })
}
