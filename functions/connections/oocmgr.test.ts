// The configuration manager of AuthSec: main client and providers of a tenant.
import { expect, test } from 'vitest'
import { forTenant, SYSTEM_TENANT } from '#db/engine/tenant'
import { findClient } from '#db/store/clients'
import { listProviders } from '#db/store/providers'
import { statusError } from '#shared/platform/http/problem'
import { addClient } from '#tests/support/administration'
import { type Company, startApp, type TestApp } from '#tests/support/app'
import { bodyOf } from '#tests/support/sign-in'
import { platformAdministrator } from '../../tests/seeds/seeds.ts'
import { connectionRoutes } from './routes.ts'

const BASE = '/authsec/oocmgr'
const SECRET = 'a-secret-that-is-never-returned'
type Json = Record<string, unknown>

const start = async () => {
  const app = await startApp(connectionRoutes, { render: statusError })
  const company = await app.company()
  const token = await app.token(company.admin)
  const call = (path: string, body: Json = {}, by: string | undefined = token, headers: Record<string, string> = {}) =>
    app.request(`${BASE}/${path}`, {
      body: { tenant_id: company.tenantId, org_id: company.tenantId, ...body },
      headers,
      ...(by === undefined ? {} : { token: by }),
    })
  const data = async (path: string, body: Json = {}, by = token): Promise<Json> => (await bodyOf(await call(path, body, by))).data as Json
  const add = (more: Json = {}, by = token) =>
    call('oidc/add-provider', { client_id: company.clientId, provider: { ...PROVIDER, ...more }, react_app_url: 'https://app.acme.com' }, by)
  return { app, company, token, call, data, add }
}
const PROVIDER = {
  provider_name: 'Our_Okta',
  display_name: 'Okta',
  client_id: '0oa1',
  client_secret: SECRET,
  auth_url: 'https://acme.okta.com/oauth2/v1/authorize',
  token_url: 'https://acme.okta.com/oauth2/v1/token',
  user_info_url: 'https://acme.okta.com/oauth2/v1/userinfo',
  scopes: ['openid', 'email'],
}
const MAIN = { client_name: 'Acme web', redirect_uris: ['https://app.acme.com/oidc/auth/callback'] }

const providersOf = (app: TestApp, { tenantId }: Company) => listProviders(forTenant(app.db, tenantId))
const mainOf = (app: TestApp, { tenantId, clientId }: Company) => findClient(forTenant(app.db, tenantId), clientId)
/** The state that a refusal must not change: providers, main client, and the number of successful events. */
const stateOf = async (app: TestApp, company: Company) => [
  await providersOf(app, company),
  await mainOf(app, company),
  (await app.events(company.tenantId)).filter(({ outcome }) => outcome === 'success').length,
]

test('health names the service', async () => {
  const { app } = await start()
  expect(await bodyOf(await app.request(`${BASE}/health`))).toEqual({ status: 'healthy', service: 'oidc-config-manager', version: '2.0.0' })
})

test('configure-complete-oidc sets up the main client and the providers; an invalid provider is reported and the others are added', async () => {
  const { app, company, call, data } = await start()
  expect(await data('tenant/check-exists')).toEqual({ exists: false, tenant_id: company.tenantId, org_id: company.tenantId, tenant_info: null })
  const answer = await call('configure-complete-oidc', {
    tenant_name: 'Acme',
    tenant_client: MAIN,
    oidc_providers: [PROVIDER, { ...PROVIDER, provider_name: 'unknown', auth_url: 'https://id.nowhere.com/authorize' }],
    created_by: 'another name',
  })
  expect([answer.status, answer.headers.get('cache-control')]).toEqual([206, 'no-store'])
  const body = await bodyOf(answer)
  expect(body).toMatchObject({
    success: false,
    data: {
      tenant_client: { client_id: company.clientId, redirect_uris: MAIN.redirect_uris, scopes: ['openid', 'profile', 'email', 'offline_access'] },
      oidc_providers: {
        created: [{ provider_name: 'our-okta', client_id: `${company.clientId}-our-okta-oidc`, is_active: true }],
        failed: [{ provider_name: 'unknown', error: expect.stringContaining('oidc_providers.1.issuer_url') }],
        total: 2,
        success_count: 1,
        failed_count: 1,
      },
    },
  })
  const { client_secret } = (body.data as { tenant_client: { client_secret: string } }).tenant_client
  expect(Buffer.from(client_secret, 'base64url')).toHaveLength(32)
  // The secret authenticates the client and appears nowhere else.
  expect(await app.ctx.clientAuthentication.authenticate({ clientId: company.clientId, secret: client_secret }, [])).toMatchObject({
    clientId: company.clientId,
  })
  for (const path of ['oidc/raw-hydra-dump', 'hydra-clients/list', 'hydra-clients/get-by-tenant', 'tenant/check-exists', 'stats/tenant']) {
    expect(await (await call(path)).text()).not.toMatch(new RegExp(`${SECRET}|${client_secret}`))
  }
  expect(JSON.stringify([await app.events(company.tenantId), app.log.lines])).not.toMatch(new RegExp(`${SECRET}|${client_secret}`))
  expect(await data('tenant/check-exists')).toMatchObject({ exists: true, tenant_info: { client_id: company.clientId, client_name: 'Acme web' } })
  const before = await stateOf(app, company)
  const again = await call('configure-complete-oidc', { tenant_client: MAIN })
  expect([again.status, await bodyOf(again)]).toEqual([
    409,
    expect.objectContaining({ error: 'client_configured', code: 409, timestamp: expect.any(String) }),
  ])
  expect(await stateOf(app, company)).toEqual(before)
})

test('create-base-client generates the secret and ignores the one that was sent; one of 20 concurrent requests succeeds', async () => {
  const { app, company, call, data } = await start()
  const create = () =>
    call('tenant/create-base-client', {
      tenant_name: 'Acme',
      client_id: `${company.clientId}-main-client`,
      client_secret: 'password',
      redirect_uris: MAIN.redirect_uris,
      scopes: ['openid', 'offline'],
    })
  const answers = await Promise.all(Array.from({ length: 20 }, create))
  expect(answers.map(({ status }) => status).toSorted()).toEqual([201, ...Array.from({ length: 19 }, () => 409)])
  const made = (await bodyOf(answers.find(({ status }) => status === 201) ?? new Response())).data as Json
  expect(made).toMatchObject({ client_id: company.clientId, scopes: ['openid', 'offline_access'] })
  expect(made.client_secret).not.toBe('password')
  expect(await data('clients/getClients')).toMatchObject({ client_ids: [company.clientId], count: 1, active_only: false })
  expect((await app.events(company.tenantId)).filter(({ event }) => event === 'client.secret_rotated')).toHaveLength(1)
})

test.each([
  ['javascript:alert(1)', 400],
  ['http://app.acme.com/cb', 400],
  ['https://app.acme.com/*', 400],
  ['http://localhost.evil.example/cb', 400],
  ['https://user@app.acme.com/cb', 400],
])('the redirect URI %s is refused', async (uri, status) => {
  const { app, company, call } = await start()
  const before = await stateOf(app, company)
  const refused = await call('configure-complete-oidc', { tenant_client: { ...MAIN, redirect_uris: [uri] }, oidc_providers: [PROVIDER] })
  expect(refused.status).toBe(status)
  expect(await stateOf(app, company)).toEqual(before)
})

test('a provider is added, read, changed and deleted by name in any spelling', async () => {
  const { app, company, call, data, add } = await start()
  const added = await add({ additional_params: { prompt: 'login' }, sort_order: 7 })
  expect(added.status).toBe(201)
  expect((await bodyOf(added)).data).toMatchObject({ provider_name: 'our-okta', callback_url: `${app.config.BASE_URL}/authsec/uflow/oidc/callback` })
  expect((await add()).status).toBe(409)
  expect((await providersOf(app, company))[0]).toMatchObject({ issuer: 'https://acme.okta.com', sortOrder: 7 })
  expect(await data('oidc/get-provider', { provider_name: 'OUR okta' })).toMatchObject({
    client_secret: '***hidden***',
    provider_config: { client_secret: '***hidden***', issuer_url: 'https://acme.okta.com', additional_params: { prompt: 'login' } },
  })
  const config = await data('oidc/get-config', { client_id: company.clientId })
  expect(config).toMatchObject({ tenant_client: { client_id: company.clientId }, provider_count: 1 })
  expect(JSON.stringify(config)).not.toContain(SECRET)
  // Returned values may be sent back: a masked secret keeps the stored one.
  const sealed = (await providersOf(app, company))[0]?.sealedClientSecret
  expect((await call('oidc/update-provider', { provider_name: 'our-okta', display_name: 'Okta 2', client_secret: '***hidden***' })).status).toBe(200)
  expect((await providersOf(app, company))[0]).toMatchObject({ displayName: 'Okta 2', sealedClientSecret: sealed })
  const token = await app.token(company.admin)
  expect((await call('oidc/update-provider', { provider_name: 'our-okta', display_name: 'x' }, token, { 'client-id': 'of-another' })).status).toBe(
    404,
  )
  const moved = await call('oidc/update-provider', { provider_name: 'our-okta', auth_url: 'https://evil.okta.com/oauth2/v1/authorize' })
  expect([moved.status, (await bodyOf(moved)).field]).toEqual([400, 'body.client_secret'])
  expect((await providersOf(app, company))[0]).toMatchObject({ displayName: 'Okta 2', issuer: 'https://acme.okta.com' })
  const named = { client_id: company.clientId, provider_name: 'our-okta' }
  expect((await call('oidc/delete-provider', named)).status).toBe(200)
  expect((await call('oidc/delete-provider', named)).status).toBe(404)
  expect(await providersOf(app, company)).toEqual([])
})

test('a secret cannot be read back, even by an administrator; the attempt is in the audit log', async () => {
  const { app, company, call, add } = await start()
  expect((await call('oidc/get-provider-secret', { provider_name: 'our-okta' })).status).toBe(404)
  await add()
  const answer = await call('oidc/get-provider-secret', { provider_name: 'our-okta' })
  expect([answer.status, (await bodyOf(answer)).error]).toEqual([410, 'secret_write_only'])
  expect((await app.events(company.tenantId))[0]).toMatchObject({ outcome: 'refused', reason: 'secret_write_only' })
})

test('templates, validation against the provider, and the addresses of a sign-in', async () => {
  const { data, call, add, company } = await start()
  const { templates, count } = (await data('oidc/templates')) as { templates: Json; count: number }
  expect(Object.keys(templates)).toEqual(['github', 'google', 'linkedin', 'microsoft', 'okta', 'auth0', 'custom'])
  expect(count).toBe(7)
  await add()
  // Without network access the host has no public address.
  const validated = await bodyOf(await call('oidc/validate', { provider_name: 'our-okta' }))
  expect(validated).toMatchObject({ success: false, data: { is_valid: false, errors: ['metadata_unreachable', 'no_public_address'] } })
  expect(await data('test/oidc-flow', { provider_name: 'our-okta' })).toMatchObject({
    tenant_client_id: company.clientId,
    login_url_template: expect.stringContaining(`/signin?tenant=${company.domain}`),
    provider_config: { client_secret: '***hidden***' },
  })
  expect((await call('test/oidc-flow', { provider_name: 'unknown' })).status).toBe(404)
  expect(await data('stats/tenant')).toMatchObject({
    total_providers: 1,
    active_providers: 1,
    inactive_providers: 0,
    providers_by_type: { openid: 1 },
  })
})

test('update-complete changes the main client and the providers and adds missing ones; before the set-up it is 404', async () => {
  const { app, company, call, data } = await start()
  expect((await call('tenant/update-complete', { tenant_client: { client_name: 'x' } })).status).toBe(404)
  await call('configure-complete-oidc', { tenant_client: MAIN, oidc_providers: [PROVIDER] })
  const changed = await call('tenant/update-complete', {
    tenant_client: { client_name: 'Acme again' },
    oidc_providers: [
      { provider_name: 'our-okta', display_name: 'Okta again' },
      { ...PROVIDER, provider_name: 'google', auth_url: 'https://accounts.google.com/o/oauth2/v2/auth' },
      { provider_name: 'scim', display_name: 'x' },
    ],
  })
  expect(changed.status).toBe(206)
  expect((await bodyOf(changed)).data).toMatchObject({
    tenant_client: { client_name: 'Acme again', redirect_uris: MAIN.redirect_uris, updated: true },
    oidc_providers: {
      updated: [
        { provider_name: 'our-okta', action: 'updated' },
        { provider_name: 'google', action: 'created' },
      ],
      failed: [{ provider_name: 'scim', action: 'create', error: expect.any(String) }],
    },
  })
  expect((await providersOf(app, company)).map(({ providerName }) => providerName).toSorted()).toEqual(['google', 'our-okta'])
  const deleted = await data('tenant/delete-complete')
  expect(deleted).toMatchObject({ deleted_count: 3, failed_count: 0 })
  expect(await providersOf(app, company)).toEqual([])
  expect(await mainOf(app, company)).toMatchObject({ oidcEnabled: false, redirectUris: [], active: true })
  expect((await call('tenant/delete-complete')).status).toBe(404)
})

test('an anonymous caller sees names and order of providers only; an administrator also sees their configuration', async () => {
  const { app, company, call, data, add, token } = await start()
  await add({ sort_order: 3 })
  await add({ provider_name: 'off', is_active: false })
  const open = async (body: Json = {}) =>
    bodyOf(await app.request(`${BASE}/oidc/show-auth-providers`, { body: { tenant_id: company.tenantId, ...body } }))
  const listed = { provider_name: 'our-okta', display_name: 'Okta', is_active: true, sort_order: 3 }
  // The providers of the platform are offered as well.
  const { providers: seen } = (await open()).data as { providers: Json[] }
  expect(seen[0]).toMatchObject({ provider_name: 'authsec', provider_type: 'internal' })
  expect(seen.filter(({ provider_name }) => provider_name === 'our-okta')).toEqual([listed])
  expect(seen.map(({ provider_name }) => provider_name)).not.toContain('off')
  expect(JSON.stringify(await open({ client_id: company.clientId }))).not.toMatch(/0oa1|okta\.com|hidden/)
  const weak = await app.token(await app.person(company))
  expect(JSON.stringify(await bodyOf(await call('oidc/show-auth-providers', {}, weak)))).not.toMatch(/0oa1|okta\.com|hidden/)
  // An empty header names no client: AuthSec's console always sends the header.
  const unnamed = { body: { tenant_id: company.tenantId, client_id: '' }, headers: { 'client-id': '' } }
  expect(((await bodyOf(await app.request(`${BASE}/oidc/show-auth-providers`, unnamed))).data as { providers: Json[] }).providers).toEqual(seen)
  const detailed = await data('oidc/show-auth-providers')
  expect(detailed).toMatchObject({ count: 3, providers: [{}, { provider_type: 'oidc', client_ids: '' }, { provider_name: 'off', is_active: false }] })
  const query = `?tenant_id=${company.tenantId}&client_id=${company.clientId}`
  const got = await bodyOf(await app.request(`${BASE}/oidc/show-auth-providers${query}`, { token }))
  expect(got.data).toMatchObject({ providers: [{ provider_config: { client_secret: '***hidden***' } }, {}] })
  const page = await bodyOf(await app.request(`${BASE}/tenant/login-page-data`, { body: { tenant_id: company.tenantId } }))
  expect(page.data).toEqual({
    tenant_id: company.tenantId,
    org_id: company.tenantId,
    tenant_name: company.name,
    client_name: 'Default client',
    main_client_id: company.clientId,
    providers: expect.arrayContaining([{ provider_name: 'our-okta', display_name: 'Okta', sort_order: 3 }]),
    provider_count: expect.any(Number),
  })
  expect(JSON.stringify(page)).not.toContain('"off"')
  expect((await app.request(`${BASE}/tenant/login-page-data`, { body: { tenant_id: app.ctx.random.id() } })).status).toBe(404)
})

test('a provider is chosen for a client with its own name and order, and removed from it', async () => {
  const { app, company, call, data, add } = await start()
  await add()
  await add({ provider_name: 'google', auth_url: 'https://accounts.google.com/o/oauth2/v2/auth' })
  const client = (await addClient(app, company, { name: 'Shop' })).id
  const edit = async (body: Json) => {
    const answer = await call('oidc/edit-client-auth-provider', { client_id: client, provider_name: 'our-okta', ...body })
    return [answer.status, (await bodyOf(answer)) as { data?: Json; error?: string }] as const
  }
  const [status, made] = await edit({ display_name: 'Staff' })
  expect([status, made.data]).toMatchObject([201, { operation: 'created', display_name: 'Staff', sort_order: 99 }])
  const seen = async () =>
    ((await data('oidc/show-auth-providers', { client_id: client })).providers as Json[]).map(({ display_name }) => display_name)
  expect(await seen()).toEqual(['Staff'])
  expect(await edit({ sort_order: 1 })).toMatchObject([200, { data: { operation: 'updated', updated_fields: ['sort_order'] } }])
  expect((await edit({}))[0]).toBe(400)
  expect((await edit({ display_name: 'x', provider_config: { token_url: 'https://evil.example/token' } }))[0]).toBe(400)
  expect((await edit({ display_name: 'Crew', provider_config: { client_secret: '***hidden***', client_id: '0oa1' } }))[0]).toBe(200)
  expect((await edit({ provider_name: 'authsec' }))[0]).toBe(403)
  expect((await edit({ client_id: company.clientId }))[0]).toBe(403)
  expect((await edit({ provider_name: 'unknown' }))[0]).toBe(404)
  const foreign = (await addClient(app, await app.company('globex'), { name: 'Shop' })).id
  expect((await edit({ client_id: foreign }))[0]).toBe(404)
  expect(await edit({ is_active: false })).toMatchObject([200, { data: { operation: 'deleted' } }])
  expect((await edit({ is_active: false }))[0]).toBe(404)
  const events = (await app.events(company.tenantId)).map(({ event }) => event).filter((event) => event.startsWith('client_provider'))
  expect(events).toEqual(['client_provider.removed', 'client_provider.set', 'client_provider.set', 'client_provider.set'])
})

test('config/edit changes a provider or the main client by id and checks the type', async () => {
  const { app, company, call, add } = await start()
  await add()
  const [row] = await providersOf(app, company)
  const edit = (body: Json) => call('config/edit', { name: 'Okta 3', config_type: 'oidc', config_files: {}, id: row?.id, ...body })
  expect(await bodyOf(await edit({ config_files: { scopes: ['openid'] } }))).toMatchObject({
    data: { name: 'Okta 3', config_type: 'oidc', is_active: true },
  })
  const before = await stateOf(app, company)
  expect((await edit({ config_type: 'saml2' })).status).toBe(400)
  expect((await edit({ id: app.ctx.random.id() })).status).toBe(404)
  expect((await edit({ id: company.clientId })).status).toBe(400)
  expect((await edit({ config_files: { scopes: 'openid' } })).status).toBe(400)
  expect((await edit({ config_type: 'nothing' })).status).toBe(400)
  expect(await stateOf(app, company)).toEqual(before)
  const main = await edit({ id: company.clientId, config_type: 'oauth_server', name: 'Web', config_files: { redirect_uris: MAIN.redirect_uris } })
  expect(main.status).toBe(200)
  expect(await mainOf(app, company)).toMatchObject({ name: 'Web', redirectUris: MAIN.redirect_uris })
})

test('changing the redirect URIs of the main client needs its permissions, not only connections:write', async () => {
  const { app, company, call } = await start()
  await call('configure-complete-oidc', { tenant_client: MAIN })
  const before = await mainOf(app, company)
  const some = await app.token(await app.person(company, ['admin:access', 'connections:write']))
  for (const [path, body] of [
    ['tenant/update-complete', { tenant_client: { redirect_uris: ['https://evil.example/cb'] } }],
    ['tenant/delete-complete', {}],
    ['config/edit', { id: company.clientId, name: 'x', config_type: 'oauth_server', config_files: { redirect_uris: ['https://evil.example/cb'] } }],
  ] as const) {
    expect((await call(path, body, some)).status).toBe(403)
  }
  expect(await mainOf(app, company)).toEqual(before)
})

test('listing all tenants is for platform administrators', async () => {
  const { app, company, call, add } = await start()
  await add()
  expect((await app.request(`${BASE}/tenant/list-all`, { body: {}, token: await app.token(company.admin) })).status).toBe(403)
  const platform = await app.token(await platformAdministrator(app), ['pwd', 'otp', 'mfa'])
  const seen: Json[] = []
  for (let page = 1; ; page++) {
    const { tenants, count } = (await bodyOf(await app.request(`${BASE}/tenant/list-all`, { body: { page }, token: platform }))).data as {
      tenants: Json[]
      count: number
    }
    seen.push(...tenants)
    // A short page is not the last one, because tenants that are deleted meanwhile are skipped. An empty page is.
    if (count === 0) break
  }
  expect(seen.find(({ tenant_id }) => tenant_id === company.tenantId)).toMatchObject({ main_client: null, active_providers: 1, total_clients: 1 })
  // A platform administrator may name a tenant; that is in its audit log.
  expect((await call('stats/tenant', {}, platform)).status).toBe(200)
  const accessed = (await app.events(SYSTEM_TENANT)).filter(({ event, targetId }) => event === 'tenant.accessed' && targetId === company.tenantId)
  expect(accessed).toHaveLength(1)
})

test('another tenant can neither read nor change the configuration', async () => {
  const { app, company, add, call } = await start()
  await add()
  const before = await stateOf(app, company)
  const globex = await app.company('globex')
  const token = await app.token(globex.admin)
  const own = { tenant_id: globex.tenantId, org_id: globex.tenantId }
  for (const [path, body] of [
    ['oidc/get-provider', { provider_name: 'our-okta' }],
    ['oidc/update-provider', { provider_name: 'our-okta', display_name: 'x' }],
    ['oidc/delete-provider', { client_id: company.clientId, provider_name: 'our-okta' }],
    ['oidc/get-config', { client_id: company.clientId }],
    ['oidc/add-provider', { client_id: company.clientId, provider: PROVIDER }],
    ['tenant/create-base-client', { client_id: company.clientId, redirect_uris: MAIN.redirect_uris }],
    ['config/edit', { id: company.clientId, name: 'x', config_type: 'oauth_server', config_files: {} }],
  ] as const) {
    expect((await call(path, { ...body, ...own }, token)).status, path).toBe(404)
    expect((await call(path, body, token)).status, path).toBe(403)
  }
  expect(await stateOf(app, company)).toEqual(before)
})
