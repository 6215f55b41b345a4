// The migration that gives tenants from before it the permission to manage workload identity.
import { expect, test } from 'vitest'
import { atomically, forTenant } from '#db/engine/tenant'
import { MIGRATIONS } from '#db/migrations/migrations.generated'
import { deletePermission, findPermissionsByText } from '#db/store/permissions'
import { problem } from '#shared/platform/http/problem'
import { startApp } from '#tests/support/app'
import { ownDb } from '#tests/support/database'
import { spiffeRoutes } from './routes.ts'

test('administrators of existing tenants may manage workload identity, and others may not', async () => {
  const db = await ownDb()
  const app = await startApp(spiffeRoutes, { db, render: problem })
  const company = await app.company()
  const other = await app.person(company, ['admin:access'])
  const t = forTenant(db, company.tenantId)
  const find = () => findPermissionsByText(t, ['spire:manage'])
  const [seeded] = await find()
  await atomically(t, (tx) => deletePermission(tx, seeded?.id ?? ''))
  const status = async (person: typeof other) => (await app.request('/spiffe/entries', { token: await app.token(person) })).status
  app.clock.advance(2)
  expect([(await find()).length, await status(company.admin)]).toEqual([0, 403])
  const { sql = '' } = MIGRATIONS.find(({ name }) => name === 'workload_identity_permission') ?? {}
  for (const _ of ['once', 'again']) await db.engine.script('authsec_owner', sql)
  app.clock.advance(2)
  expect([(await find()).length, await status(company.admin), await status(other)]).toEqual([1, 200, 403])
  const forced = await db.engine.one(
    { role: 'authsec_app', tenantId: '' },
    {
      text: `select c.relname from pg_class c where c.relforcerowsecurity and c.relname in ('tenants', 'permissions', 'roles', 'role_permissions') order by 1`,
      params: [],
      arrays: true,
    },
  )
  expect(forced).toEqual([['permissions'], ['role_permissions'], ['roles'], ['tenants']])
})
