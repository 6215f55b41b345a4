import { expect, test } from 'vitest'
import { forTenant, SYSTEM_TENANT } from '#db/engine/tenant'
import { listProviders } from '#db/store/providers'
import { providerSecretContext } from '#shared/domains/federation/provider-secret'
import { startApp } from '#tests/support/app'
import { platformAdministrator } from '../../tests/seeds/seeds.ts'
import { tenantsRoutes } from './routes.ts'

const BASE = '/authsec/uflow/admin/oidc/providers'

const start = async () => {
  const app = await startApp(tenantsRoutes as never)
  const platform = await app.token(await platformAdministrator(app), ['pwd', 'otp', 'mfa'])
  const company = await app.company()
  const token = await app.token(company.admin)
  const provider_name = `p-${app.ctx.random.id().slice(-12)}`
  const body = {
    provider_name,
    display_name: 'An IdP',
    authorization_url: 'https://idp.example/authorize',
    token_url: 'https://idp.example/token',
    userinfo_url: 'https://idp.example/userinfo',
  }
  const stored = async () => (await listProviders(forTenant(app.db, SYSTEM_TENANT))).find((row) => row.providerName === provider_name)
  return { app, platform, company, token, provider_name, body, stored }
}

test("the platform's administrator adds and changes a provider; a tenant's administrator can read it, without its secret", async () => {
  const { app, platform, token, provider_name, body, stored } = await start()
  expect((await app.request('/platform/oidc-providers', { token: platform, body })).status).toBe(201)
  expect((await app.request('/platform/oidc-providers', { token: platform, body })).status).toBe(409)
  const secret = 'a-secret-of-the-provider'
  const change = (what: unknown) => app.request(`${BASE}/${provider_name}`, { token: platform, method: 'PUT', body: what })
  const early = await change({ is_active: true })
  expect(early.status).toBe(400)
  expect(await early.json()).toMatchObject({ field: 'body.is_active' })
  expect((await change({ client_id: 'c-1', client_secret: secret, is_active: true, icon_url: 'https://idp.example/i.svg' })).status).toBe(200)
  for (const method of ['GET', 'POST']) {
    const text = await (await app.request(BASE, { token, method, ...(method === 'POST' ? { body: {} } : {}) })).text()
    expect(text).not.toContain(secret)
    const shown = JSON.parse(text).providers.find((one: { provider_name: string }) => one.provider_name === provider_name)
    expect(shown).toMatchObject({ client_id: 'c-1', client_secret_vault_path: 'sealed', is_active: true, scopes: 'openid email profile' })
  }
  const row = await stored()
  const t = forTenant(app.db, SYSTEM_TENANT)
  expect(await app.ctx.keyring.open(t, SYSTEM_TENANT, row?.sealedClientSecret ?? new Uint8Array(), providerSecretContext(row?.id ?? ''))).toBe(secret)
  expect((await change({ client_secret_vault_path: 'kv/elsewhere' })).status).toBe(400)
  expect((await change({ client_secret_vault_path: 'sealed', is_active: false })).status).toBe(200)
  expect(await stored()).toMatchObject({ isActive: false, clientId: 'c-1' })
  const events = (await app.events(SYSTEM_TENANT)).filter((event) => event.targetId === row?.id)
  expect(events.map(({ event }) => event).toSorted()).toEqual(['oidc_provider.created', 'oidc_provider.updated', 'oidc_provider.updated'])
  expect(JSON.stringify(events)).not.toContain(secret)
})

test('a tenant’s administrator cannot change a provider, and an unknown one is not found', async () => {
  const { app, platform, token, provider_name, body, stored } = await start()
  await app.request('/platform/oidc-providers', { token: platform, body })
  const before = await stored()
  expect((await app.request(`${BASE}/${provider_name}`, { token, method: 'PUT', body: { client_id: 'mine' } })).status).toBe(403)
  expect((await app.request('/platform/oidc-providers', { token, body })).status).toBe(403)
  expect(await stored()).toEqual(before)
  expect((await app.request(`${BASE}/unknown`, { token: platform, method: 'PUT', body: { client_id: 'x' } })).status).toBe(404)
  const insecure = await app.request('/platform/oidc-providers', { token: platform, body: { ...body, token_url: 'http://idp.example/token' } })
  expect(await insecure.json()).toMatchObject({ status: 400, field: 'body.token_url' })
})

test('a project belongs to the token’s tenant and names its owner; another person’s projects are not listed', async () => {
  const { app, company, token } = await start()
  const made = await (await app.request('/authsec/uflow/admin/projects', { token, body: { name: 'Shop', description: 'Sells.' } })).json()
  expect(made.project).toMatchObject({
    name: 'Shop',
    description: 'Sells.',
    tenant_id: company.tenantId,
    user_id: company.admin.id,
    user: { id: company.admin.id, email: company.admin.email, name: 'Ada Admin' },
    deleted_at: null,
    active: true,
  })
  const names = async (by: string) =>
    (await (await app.request('/authsec/uflow/admin/projects', { token: by })).json()).projects.map(({ name }: { name: string }) => name)
  expect((await names(token)).toSorted()).toEqual(['Default project', 'Shop'])
  expect(await names(await app.token(await app.person(company, 'admin')))).toEqual([])
  expect((await app.events(company.tenantId)).filter(({ event }) => event === 'project.created')).toMatchObject([{ targetId: made.project.id }])
})
