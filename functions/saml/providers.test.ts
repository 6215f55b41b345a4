import { generateKeyPairSync } from 'node:crypto'
import { beforeAll, expect, test } from 'vitest'
import { outcomeError } from '#shared/platform/http/problem'
import { type Company, startApp, type TestApp } from '#tests/support/app'
import { keyPair } from '#tests/support/saml-idp'
import { bodyOf, textIn } from '#tests/support/sign-in'
import { samlRoutes } from './routes.ts'

const ADMIN = '/authsec/hmgr/admin/saml-providers'
const CONFIGURATION = '/authsec/oocmgr/saml'
let app: TestApp
let certificate: string
beforeAll(async () => {
  app = await startApp(samlRoutes, { render: outcomeError })
  certificate = (await keyPair('provider')).certificate
})

const bodyFor = (company: Company, more: Readonly<Record<string, unknown>> = {}) => ({
  client_id: company.clientId,
  provider_name: ' Okta ',
  display_name: 'Acme Directory',
  entity_id: 'https://idp.example/metadata',
  sso_url: 'https://idp.example/sso',
  certificate,
  ...more,
})
const as = async (company: Company) => {
  const token = await app.token(company.admin)
  const call = (path: string, body?: unknown, method?: string) =>
    app.request(path, { token, ...(body === undefined ? {} : { body }), ...(method === undefined ? {} : { method }) })
  return { call, events: async () => (await app.events(company.tenantId)).map(({ event }) => event).filter((event) => event.startsWith('saml_')) }
}
const providerOf = async (response: Response): Promise<Readonly<Record<string, unknown>>> => (await bodyOf(response)).provider as never

test('an administrator adds, reads, changes and removes a provider; each change is recorded', async () => {
  const company = await app.company()
  const { call, events } = await as(company)
  const added = await call(ADMIN, bodyFor(company))
  expect(added.status).toBe(201)
  const provider = await providerOf(added)
  expect(provider).toEqual({
    id: expect.any(String),
    tenant_id: company.tenantId,
    client_id: company.clientId,
    provider_name: 'okta',
    display_name: 'Acme Directory',
    entity_id: 'https://idp.example/metadata',
    sso_url: 'https://idp.example/sso',
    certificate,
    name_id_format: 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress',
    attribute_mapping: {},
    is_active: true,
    sort_order: 0,
    want_assertions_signed: false,
    want_response_signed: false,
    sign_requests: true,
    allow_idp_initiated: false,
    jit_provisioning: false,
    trusts_factors: false,
    created_at: expect.any(String),
    updated_at: expect.any(String),
  })
  const changed = await providerOf(await call(`${ADMIN}/${provider.id}`, { is_active: false, sort_order: 3 }, 'PUT'))
  expect(changed).toMatchObject({ provider_name: 'okta', is_active: false, sort_order: 3 })
  expect(await bodyOf(await call(`${ADMIN}?client_id=${company.clientId}`))).toMatchObject({
    success: true,
    count: 1,
    tenant_id: company.tenantId,
    filtered_by_client_id: company.clientId,
    providers: [{ id: provider.id }],
  })
  expect(await bodyOf(await call(`${ADMIN}/${provider.id}`, undefined, 'DELETE'))).toMatchObject({ success: true, message: expect.any(String) })
  expect((await call(`${ADMIN}/${provider.id}`, undefined, 'DELETE')).status).toBe(404)
  expect((await events()).toSorted()).toEqual(['saml_provider.created', 'saml_provider.deleted', 'saml_provider.updated'])
})

test('the configuration service’s paths work on the same providers, without disclosing the certificate', async () => {
  const company = await app.company()
  const { call } = await as(company)
  const named = { tenant_id: company.tenantId }
  const added = await call(`${CONFIGURATION}/add-provider`, { ...bodyFor(company), ...named })
  expect(added.status).toBe(201)
  const provider = await providerOf(added)
  expect(provider).not.toHaveProperty('certificate')
  expect(provider.attribute_mapping).toEqual({ email: 'email', first_name: 'givenName', last_name: 'surname', name: 'displayName' })
  const one = { ...named, provider_id: provider.id }
  expect(await providerOf(await call(`${CONFIGURATION}/get-provider`, one))).toEqual(provider)
  expect(await bodyOf(await call(`${CONFIGURATION}/list-providers`, named))).toEqual({
    success: true,
    tenant_id: company.tenantId,
    providers: [provider],
  })
  const updated = await call(`${CONFIGURATION}/update-provider`, { ...one, display_name: 'Renamed' })
  expect(await providerOf(updated)).toMatchObject({ display_name: 'Renamed', provider_name: 'okta' })
  const tested = await bodyOf(await call('/authsec/hmgr/saml/test-provider', { ...named, provider_name: 'okta' }))
  const service = `${company.tenantId}/${company.clientId}`
  expect(tested).toEqual({
    success: true,
    provider: {
      name: 'okta',
      display_name: 'Renamed',
      entity_id: 'https://idp.example/metadata',
      sso_url: 'https://idp.example/sso',
      is_active: true,
      client_id: company.clientId,
    },
    sp_metadata_url: `${app.config.BASE_URL}/authsec/hmgr/saml/metadata/${service}`,
    acs_url_client: `${app.config.BASE_URL}/authsec/hmgr/saml/acs/${service}`,
    acs_url_shared: `${app.config.BASE_URL}/authsec/hmgr/saml/acs`,
  })
  expect((await call(`${CONFIGURATION}/delete-provider`, one)).status).toBe(200)
  expect((await call(`${CONFIGURATION}/get-provider`, one)).status).toBe(404)
  expect(Object.keys((await bodyOf(await call(`${CONFIGURATION}/templates`, {}))).templates as object)).toEqual([
    'okta',
    'azure',
    'onelogin',
    'google',
  ])
})

test('a provider name is unique per client; another client may reuse it', async () => {
  const company = await app.company()
  const { call } = await as(company)
  expect((await call(ADMIN, bodyFor(company))).status).toBe(201)
  expect((await call(ADMIN, bodyFor(company, { provider_name: 'OKTA' }))).status).toBe(409)
  const other = textIn(await providerOf(await call(ADMIN, bodyFor(company, { provider_name: 'azure' }))), 'id')
  expect((await call(`${ADMIN}/${other}`, { provider_name: 'okta' }, 'PUT')).status).toBe(409)
  expect((await call(`${ADMIN}/${other}`, { provider_name: 'azure' }, 'PUT')).status).toBe(200)
})

const pem = (type: 'rsa' | 'ec'): string =>
  (type === 'rsa' ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ec', { namedCurve: 'P-256' })).publicKey
    .export({ type: 'spki', format: 'pem' })
    .toString()

test.each([
  ['a name with a slash', { provider_name: 'a/b' }, 'body.provider_name'],
  ['an entity id with a space', { entity_id: 'a b' }, 'body.entity_id'],
  ['plain http', { sso_url: 'http://idp.example/sso' }, 'body.sso_url'],
  ['an IP address', { sso_url: 'https://10.0.0.1/sso' }, 'body.sso_url'],
  ['an IPv6 address', { slo_url: 'https://[fd00::1]/slo' }, 'body.slo_url'],
  ['another scheme', { metadata_url: 'javascript:alert(1)' }, 'body.metadata_url'],
  ['credentials', { sso_url: 'https://a:b@idp.example/sso' }, 'body.sso_url'],
  ['no certificate', { certificate: 'hello' }, 'body.certificate'],
  ['a public key', { certificate: pem('rsa') }, 'body.certificate'],
  ['text around the certificate', () => ({ certificate: `${certificate}x` }), 'body.certificate'],
  ['six certificates', () => ({ certificate: certificate.repeat(6) }), 'body.certificate'],
  ['a mapping to a value that is not text', { attribute_mapping: { email: 1 } }, 'body.attribute_mapping.email'],
  ['an unknown name identifier format', { name_id_format: 'x' }, 'body.name_id_format'],
])('refused: %s', async (_, more, field) => {
  const company = await app.company()
  const { call, events } = await as(company)
  const response = await call(ADMIN, bodyFor(company, typeof more === 'function' ? more() : more))
  expect([response.status, (await bodyOf(response)).field]).toEqual([400, field])
  expect(await events()).toEqual([])
})

test('accepts a host name of the organisation’s internal network, since only browsers go there, and bare base64', async () => {
  const company = await app.company()
  const { call } = await as(company)
  const bare = certificate.replace(/-----[^-]+-----|\s/g, '')
  const added = await call(ADMIN, bodyFor(company, { sso_url: 'https://adfs.corp.internal:8444/adfs/ls', certificate: bare }))
  expect(await providerOf(added)).toMatchObject({ certificate })
})

test('changing a provider needs the whole administrator role, because its provider can sign in as any person', async () => {
  const company = await app.company()
  const { call } = await as(company)
  const id = textIn(await providerOf(await call(ADMIN, bodyFor(company))), 'id')
  const half = await app.token(await app.person(company, ['admin:access', 'admin:manage']))
  const named = { tenant_id: company.tenantId, provider_id: id }
  expect((await app.request(ADMIN, { token: half })).status).toBe(200)
  const refused = [
    await app.request(ADMIN, { token: half, body: bodyFor(company, { provider_name: 'evil' }) }),
    await app.request(`${ADMIN}/${id}`, { token: half, method: 'PUT', body: { certificate } }),
    await app.request(`${ADMIN}/${id}`, { token: half, method: 'DELETE' }),
    await app.request(`${CONFIGURATION}/add-provider`, { token: half, body: { ...bodyFor(company, { provider_name: 'evil' }), ...named } }),
    await app.request(`${CONFIGURATION}/update-provider`, { token: half, body: { ...named, certificate } }),
    await app.request(`${CONFIGURATION}/delete-provider`, { token: half, body: named }),
  ]
  for (const response of refused) expect([response.status, (await bodyOf(response)).code]).toEqual([403, 'cannot_grant'])
})

test('another tenant’s provider is unknown, even with its id and client; a foreign tenant name is refused', async () => {
  const [acme, globex] = [await app.company('acme'), await app.company('globex')]
  const [ours, theirs] = [await as(acme), await as(globex)]
  const id = textIn(await providerOf(await ours.call(ADMIN, bodyFor(acme))), 'id')
  expect((await theirs.call(`${ADMIN}/${id}`, { is_active: false }, 'PUT')).status).toBe(404)
  expect((await theirs.call(`${ADMIN}/${id}`, undefined, 'DELETE')).status).toBe(404)
  expect((await theirs.call(`${CONFIGURATION}/get-provider`, { tenant_id: globex.tenantId, provider_id: id })).status).toBe(404)
  expect((await theirs.call(`${CONFIGURATION}/get-provider`, { tenant_id: acme.tenantId, provider_id: id })).status).toBe(403)
  expect((await theirs.call(ADMIN, bodyFor(acme))).status).toBe(400)
  expect((await bodyOf(await ours.call(ADMIN))).count).toBe(1)
})
