// Choosing the relying party by the page's origin, and the related origins document.
import { expect, test } from 'vitest'
import { platformParty } from '#shared/domains/passkeys/platform'
import { startApp } from '#tests/support/app'
import { authenticator } from '#tests/support/authenticator'
import { authenticate, bodyOf, givePasskey, loginTicket, named, optionsOf, postPasskey } from '#tests/support/passkeys'
import { verifyDomain } from '#tests/support/sign-in'
import { webauthnRoutes } from './routes.ts'

const NONE = { PUBLIC_UI_ORIGIN: undefined, WEBAUTHN_RP_ID: undefined, WEBAUTHN_ORIGIN: [] }

test.each([
  [{ BASE_URL: 'https://id.example.com' }, 'id.example.com', ['https://id.example.com']],
  [
    { BASE_URL: 'https://api.example.com', PUBLIC_UI_ORIGIN: 'https://example.com' },
    'example.com',
    ['https://api.example.com', 'https://example.com'],
  ],
  [
    { BASE_URL: 'https://a.example.com', PUBLIC_UI_ORIGIN: 'https://b.example.com' },
    'a.example.com',
    ['https://a.example.com', 'https://b.example.com'],
  ],
  [{ BASE_URL: 'http://127.0.0.1:7468' }, 'localhost', ['http://127.0.0.1:7468']],
  [{ BASE_URL: 'http://[::1]:7468' }, 'localhost', ['http://[::1]:7468']],
  [
    { BASE_URL: 'https://api.example.com', WEBAUTHN_RP_ID: 'example.com', WEBAUTHN_ORIGIN: ['https://app.example.com'] },
    'example.com',
    ['https://app.example.com'],
  ],
])('%o is relying party %s', (config, id, origins) => {
  expect(platformParty({ ...NONE, ...config })).toEqual({ id, origins })
})

const world = async (env: Readonly<Record<string, string>> = {}) => {
  const app = await startApp(webauthnRoutes, { env: { BASE_URL: 'https://id.example.com', ...env } })
  const company = await app.company()
  return { app, company, person: await app.person(company) }
}

test('any origin that is not ours is refused with the same answer', async () => {
  const { app, company, person } = await world()
  const globex = await app.company('globex')
  const [own, theirs] = [`${company.name}.com`, `${globex.name}.com`]
  await verifyDomain(app, company, own)
  await verifyDomain(app, globex, theirs)
  const ticket = await loginTicket(app, person)
  for (const origin of [
    'https://evil.example',
    'https://id.example.com.evil.example',
    'https://evil-id.example.com',
    'https://sub.id.example.com',
    'http://id.example.com',
    'https://id.example.com:8443',
    'https://id.example.com/',
    'https://user@id.example.com',
    'https://ID.example.com',
    'https://id.example.com.',
    `http://${own}`,
    `https://${own}:8443`,
    `https://www.${own}`,
    `https://${theirs}`,
    `https://${theirs}.`,
    'null',
    'http://localhost.evil.example',
    'http://127.0.0.1:7468',
    `https://${'a'.repeat(300)}.com`,
  ]) {
    const response = await postPasskey(app, '/beginRegistration', named(person), { ticket, origin })
    const { request_id: _, ...body } = await bodyOf(response)
    expect([origin, response.status, body]).toEqual([origin, 400, { error: 'invalid origin', message: 'invalid origin', code: 'invalid_origin' }])
  }
  for (const [origin, id] of [
    ['https://id.example.com', 'id.example.com'],
    [`https://${own}`, own],
    ['http://localhost:5173', 'id.example.com'],
  ] as const) {
    expect((await optionsOf(await postPasskey(app, '/beginRegistration', named(person), { ticket, origin }))).publicKey.rp.id).toBe(id)
  }
  const without = await app.request('/authsec/webauthn/beginRegistration', { body: named(person), headers: { 'x-login-ticket': ticket } })
  expect([without.status, (await bodyOf(without)).code]).toEqual([400, 'invalid_origin'])
})

test("a development machine's page is accepted only outside production", async () => {
  const { PRODUCTION } = await import('#tests/support/production')
  const app = await startApp(webauthnRoutes, { env: { ...PRODUCTION, BASE_URL: 'https://id.example.com' } })
  expect((await postPasskey(app, '/passkey/begin', {}, { origin: 'http://localhost:7468' })).status).toBe(400)
  expect((await postPasskey(app, '/passkey/begin', {}, { origin: 'https://id.example.com' })).status).toBe(200)
})

test("the platform's sub-domain of a tenant uses the platform's passkeys, only for that tenant's people", async () => {
  const { app, company, person } = await world({ TENANT_DOMAIN_SUFFIX: 'id.example.com' })
  const origin = `https://${company.domain}`
  const ticket = await loginTicket(app, person)
  expect((await optionsOf(await postPasskey(app, '/beginRegistration', named(person), { ticket, origin }))).publicKey.rp.id).toBe('id.example.com')
  const globex = await app.company('globex')
  expect((await postPasskey(app, '/beginRegistration', named(person), { ticket, origin: `https://${globex.domain}` })).status).toBe(400)
})

test('related origins: the configured ones for the platform, the verified domains for a tenant, none for an unknown host', async () => {
  const { app, company } = await world({ PUBLIC_UI_ORIGIN: 'https://app.example.net' })
  const [first, second] = [`a-${company.name}.com`, `b-${company.name}.de`]
  await verifyDomain(app, company, first)
  await verifyDomain(app, company, second)
  const ask = async (host: string) => {
    const response = await app.request('/.well-known/webauthn', { headers: { host } })
    return [response.status, response.status === 200 ? await bodyOf(response) : undefined, response.headers.get('content-type')]
  }
  const platform = { origins: ['https://id.example.com', 'https://app.example.net'] }
  expect(await ask('id.example.com')).toEqual([200, platform, 'application/json'])
  expect(await ask('ID.example.com:443')).toEqual([200, platform, 'application/json'])
  const tenants = { origins: [`https://${first}`, `https://${second}`] }
  expect(await ask(first)).toEqual([200, tenants, 'application/json'])
  expect(await ask(second)).toEqual([200, tenants, 'application/json'])
  for (const host of ['evil.example', company.domain, '', '[::1]', 'a b']) expect((await ask(host))[0]).toBe(404)
})

test('a domain without a passkey offers and accepts those of a related domain of the same tenant', async () => {
  const { app, company, person } = await world()
  const [first, second] = [`a-${company.name}.com`, `b-${company.name}.de`]
  await verifyDomain(app, company, first)
  await verifyDomain(app, company, second)
  const origin = `https://${second}`
  const device = authenticator(origin)
  await givePasskey(app, person, device, first)
  const ticket = await loginTicket(app, person)
  const options = await optionsOf(await postPasskey(app, '/beginAuthentication', named(person), { ticket, origin }))
  expect(options.publicKey.rpId).toBe(first)
  expect((await authenticate(app, person, device, { ticket, origin })).status).toBe(200)
  // The platform's pages are not related to any tenant's domain.
  const elsewhere = await postPasskey(app, '/beginAuthentication', named(person), { ticket, origin: 'https://id.example.com' })
  expect(elsewhere.status).toBe(428)
})

test('health reports whether the database answers', async () => {
  const { app } = await world()
  const response = await app.request('/authsec/webauthn/health')
  expect([response.status, await bodyOf(response)]).toEqual([200, { status: 'healthy', service: 'webauthn' }])
})
