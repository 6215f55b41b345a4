// The migration from the names of trusted providers to the ids of their rows.
import { expect, test } from 'vitest'
import { atomically, forTenant, SYSTEM_TENANT } from '#db/engine/tenant'
import { findTenant, updateTenantSettings } from '#db/store/tenants'
import { startApp } from '#tests/support/app'
import { ownDb } from '#tests/support/database'
import { addProvider, providerIdOf } from '#tests/support/federation'
import { MIGRATIONS } from './migrations.generated.ts'

test('names become ids: of the own provider before the platform’s, and unknown names go', async () => {
  const db = await ownDb()
  const app = await startApp([], { db })
  const [acme, globex, plain] = [await app.company('acme'), await app.company('globex'), await app.company('plain')]
  await addProvider(app, { name: 'shared' })
  await addProvider(app, { name: 'shared' }, acme.tenantId)
  await addProvider(app, { name: 'other' }, globex.tenantId)
  const [platform, own] = [await providerIdOf(app, 'shared', SYSTEM_TENANT), await providerIdOf(app, 'shared', acme.tenantId)]
  const put = (company: typeof acme, settings: object) =>
    atomically(forTenant(db, company.tenantId), (t) => updateTenantSettings(t, settings, app.clock.now()))
  await put(acme, { trustFactorsOf: ['shared', 'other'], adminAcr: 'aal2' })
  await put(globex, { trustFactorsOf: ['shared', 'gone'] })
  await put(plain, { adminAcr: 'aal2' })
  const { sql = '' } = MIGRATIONS.find(({ name }) => name === 'authority_sessions_resources') ?? {}
  // The columns exist already; what follows the comment changes rows.
  await db.engine.script('authsec_owner', sql.slice(sql.indexOf('-- Settings name trusted providers')))
  const settings = async (company: typeof acme) => (await findTenant(forTenant(db, company.tenantId)))?.settings
  expect(await settings(acme)).toEqual({ trustFactorsOf: [own], adminAcr: 'aal2' })
  expect(await settings(globex)).toEqual({ trustFactorsOf: [platform] })
  expect(await settings(plain)).toEqual({ adminAcr: 'aal2' })
  const forced = await db.engine.one(
    { role: 'authsec_app', tenantId: '' },
    {
      text: `select c.relname from pg_class c where c.relforcerowsecurity and c.relname in ('tenants', 'oidc_providers', 'saml_providers') order by 1`,
      params: [],
      arrays: true,
    },
  )
  expect(forced).toEqual([['oidc_providers'], ['saml_providers'], ['tenants']])
})
