// A tenant's own providers, on the paths of this project.
import { afterAll, describe, expect, test } from 'vitest'
import { forTenant } from '#db/engine/tenant'
import { listProviders } from '#db/store/providers'
import { providerSecretContext } from '#shared/domains/federation/provider-secret'
import { type Company, startApp, type TestApp } from '#tests/support/app'
import { bodyOf, textIn } from '#tests/support/sign-in'
import { upstreamDouble } from '#tests/support/upstream-double'
import { connectionRoutes } from './routes.ts'

const SECRET = 'a-secret-that-is-never-returned'
const doubles: { close(): void }[] = []
afterAll(() => {
  for (const double of doubles) double.close()
})

const start = async (options: Parameters<typeof startApp>[1] = {}) => {
  const app = await startApp(connectionRoutes, options)
  const company = await app.company()
  const token = await app.token(company.admin)
  const call = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}, by = token) =>
    app.request(`/connections${path}`, { method, token: by, headers, ...(body === undefined ? {} : { body }) })
  const create = (more: Record<string, unknown> = {}, by = token) => call('POST', '', { ...OKTA, ...more }, {}, by)
  return { app, company, token, call, create }
}
const OKTA = {
  name: 'okta',
  display_name: 'Okta',
  issuer: 'https://acme.okta.com',
  client_id: '0oa1',
  client_secret: SECRET,
} as const

const stored = (app: TestApp, { tenantId }: Company) => listProviders(forTenant(app.db, tenantId))
const reported = async (app: TestApp, { tenantId }: Company): Promise<string[]> =>
  (await app.events(tenantId)).filter(({ event }) => event.startsWith('oidc_provider')).map(({ event, outcome }) => `${event} ${outcome}`)

test('a provider is created, read, changed with its ETag and deleted; each change is in the audit log', async () => {
  const { app, company, call, create } = await start()
  const made = await create({ icon: 'building', button_text: 'Company account', allowed_email_domains: ['Acme.example'], order: 5 })
  expect(made.status).toBe(201)
  const body = await bodyOf(made)
  expect(body).toMatchObject({ name: 'okta', kind: 'openid', has_secret: true, icon: 'building', allowed_email_domains: ['acme.example'], order: 5 })
  expect(body.redirect_uris).toEqual([`${app.config.BASE_URL}/authsec/uflow/oidc/callback`])
  const id = textIn(body, 'id')
  const etag = (await call('GET', `/${id}`)).headers.get('etag') ?? ''
  expect(etag).toBe(made.headers.get('etag'))
  const change = { display_name: 'Okta again', active: false }
  expect((await call('PATCH', `/${id}`, change)).status).toBe(428)
  expect((await call('PATCH', `/${id}`, change, { 'if-match': '"old"' })).status).toBe(412)
  const changed = await call('PATCH', `/${id}`, change, { 'if-match': etag })
  expect(await bodyOf(changed)).toMatchObject({ display_name: 'Okta again', active: false, client_id: '0oa1', has_secret: true })
  expect((await call('PATCH', `/${id}`, change, { 'if-match': etag })).status).toBe(412)
  expect((await call('DELETE', `/${id}`)).status).toBe(204)
  expect((await call('DELETE', `/${id}`)).status).toBe(404)
  expect(await stored(app, company)).toEqual([])
  expect(await reported(app, company)).toEqual(['oidc_provider.deleted success', 'oidc_provider.updated success', 'oidc_provider.created success'])
})

describe('client secrets', () => {
  test('a secret is encrypted and appears in no response, log line or event', async () => {
    const { app, company, call, create } = await start()
    const made = await create()
    const id = textIn(await bodyOf(made.clone()), 'id')
    const etag = made.headers.get('etag') ?? ''
    const newer = 'another-secret-that-is-never-returned'
    const patched = await call('PATCH', `/${id}`, { client_secret: newer }, { 'if-match': etag })
    // The ETag changes with the secret, so that a caller who read the earlier one cannot overwrite it.
    expect(patched.headers.get('etag')).not.toBe(etag)
    const answers = [
      made,
      patched,
      await call('GET', `/${id}`),
      await call('GET', ''),
      await call('PATCH', `/${id}`, { issuer: 'https://x.example' }, { 'if-match': '*' }),
    ]
    for (const answer of answers) expect(await answer.text()).not.toMatch(new RegExp(`${SECRET}|${newer}`))
    const [row] = await stored(app, company)
    const t = forTenant(app.db, company.tenantId)
    expect(await app.ctx.keyring.open(t, company.tenantId, row?.sealedClientSecret ?? new Uint8Array(), providerSecretContext(id))).toBe(newer)
    await expect(
      app.ctx.keyring.open(t, company.tenantId, row?.sealedClientSecret ?? new Uint8Array(), providerSecretContext('other')),
    ).rejects.toThrow()
    for (const text of [JSON.stringify(await app.events(company.tenantId)), JSON.stringify(app.log.lines)])
      expect(text).not.toMatch(new RegExp(`${SECRET}|${newer}`))
  })

  test('for another issuer the secret must be sent again, because it is sent only to the issuer it was entered for', async () => {
    const { app, company, call, create } = await start()
    const id = textIn(await bodyOf(await create()), 'id')
    const before = await stored(app, company)
    const events = (await app.events(company.tenantId)).length
    for (const otherIssuer of [{ issuer: 'https://evil.okta.com' }, { issuer: null, github_origin: 'https://git.evil.example.com' }]) {
      const refused = await call('PATCH', `/${id}`, otherIssuer, { 'if-match': '*' })
      expect([refused.status, (await bodyOf(refused)).field]).toEqual([400, 'body.client_secret'])
    }
    expect(await stored(app, company)).toEqual(before)
    expect((await app.events(company.tenantId)).filter(({ outcome }) => outcome === 'success')).toHaveLength(events)
    const moved = await call('PATCH', `/${id}`, { issuer: 'https://new.okta.com', client_secret: 'made-for-the-new-one' }, { 'if-match': '*' })
    expect(await bodyOf(moved)).toMatchObject({ issuer: 'https://new.okta.com', has_secret: true })
    const without = await call('PATCH', `/${id}`, { issuer: 'https://third.okta.com', client_secret: null }, { 'if-match': '*' })
    expect(await bodyOf(without)).toMatchObject({ issuer: 'https://third.okta.com', has_secret: false })
  })
})

const REFUSED: readonly (readonly [string, Record<string, unknown>, string])[] = [
  ['a reserved name', { name: 'local' }, 'body.name'],
  ['a name in another spelling', { name: 'Ok ta' }, 'body.name'],
  ['a missing issuer', { issuer: undefined }, 'body.issuer'],
  ['plain http', { issuer: 'http://acme.okta.com' }, 'body.issuer'],
  ['a link-local address', { issuer: 'https://169.254.169.254' }, 'body.issuer'],
  ['an internal host name', { issuer: 'https://idp.internal' }, 'body.issuer'],
  ['another scheme', { issuer: 'file:///etc/passwd' }, 'body.issuer'],
  ['a host in hexadecimal digits', { issuer: 'https://0x7f.1' }, 'body.issuer'],
  ['just-in-time accounts without domains', { jit_provisioning: true }, 'body.allowed_email_domains'],
  ['an invalid domain', { allowed_email_domains: ['acme'] }, 'body.allowed_email_domains.0'],
  ['a protocol parameter', { parameters: { state: 'mine' } }, 'body.parameters.state'],
  ['an own redirect URI', { parameters: { Redirect_URI: 'https://evil.example' } }, 'body.parameters.Redirect_URI'],
  ['bidirectional control characters in the name', { display_name: 'Ok\u202eta' }, 'body.display_name'],
  ['an external icon', { icon: 'https://evil.example/i.svg' }, 'body.icon'],
  ['an unknown member', { tenant: 'x' }, 'body.tenant'],
]
test.each(REFUSED)('%s is refused, and nothing is stored', async (_, more, field) => {
  const { app, company, create } = await start()
  const refused = await create(more)
  expect([refused.status, (await bodyOf(refused)).field]).toEqual([400, field])
  expect(await stored(app, company)).toEqual([])
  expect(await reported(app, company)).toEqual([])
})

test('one of 20 concurrent creations of a name succeeds; at most 50 providers', async () => {
  const { app, company, create } = await start()
  const statuses = (await Promise.all(Array.from({ length: 20 }, () => create()))).map(({ status }) => status)
  expect(statuses.filter((status) => status === 201)).toHaveLength(1)
  expect(statuses.filter((status) => status === 409)).toHaveLength(19)
  expect(await stored(app, company)).toHaveLength(1)
  for (let n = 1; n < 50; n++) expect((await create({ name: `okta-${n}` })).status).toBe(201)
  expect(await bodyOf(await create({ name: 'one-more' }))).toMatchObject({ code: 'provider_limit' })
})

test('another tenant gets 404 for the provider', async () => {
  const { app, company, call, create } = await start()
  const id = textIn(await bodyOf(await create()), 'id')
  const before = await stored(app, company)
  const globex = await app.token((await app.company('globex')).admin)
  expect(await bodyOf(await call('GET', '', undefined, {}, globex))).toEqual({ connections: [] })
  for (const [method, path, body] of [
    ['GET', `/${id}`, undefined],
    ['PATCH', `/${id}`, { active: false }],
    ['DELETE', `/${id}`, undefined],
    ['POST', `/${id}/test`, undefined],
  ] as const) {
    expect((await call(method, path, body, { 'if-match': '*' }, globex)).status).toBe(404)
  }
  expect((await call('PUT', '/order', { ids: [id] }, {}, globex)).status).toBe(400)
  expect(await stored(app, company)).toEqual(before)
})

test('trusting a provider with second factors needs the full administrator role', async () => {
  const { app, company, call, create } = await start()
  const some = await app.token(await app.person(company, ['admin:access', 'connections:write', 'connections:read']))
  expect(await bodyOf(await create({ trusts_factors: true }, some))).toMatchObject({ status: 403, code: 'cannot_grant' })
  expect(await stored(app, company)).toEqual([])
  const id = textIn(await bodyOf(await create({ trusts_factors: true })), 'id')
  const by = (body: unknown) => call('PATCH', `/${id}`, body, { 'if-match': '*' }, some)
  expect((await by({ display_name: 'Other name' })).status).toBe(200)
  // Changing the issuer or the client of a trusted provider needs the same role.
  expect((await by({ issuer: 'https://evil.okta.com', client_secret: 's' })).status).toBe(403)
  expect((await by({ client_id: 'another-client' })).status).toBe(403)
  expect((await stored(app, company))[0]).toMatchObject({ issuer: OKTA.issuer, clientId: OKTA.client_id, trustsFactors: true })
  expect((await by({ trusts_factors: false })).status).toBe(200)
})

test('an order must name every provider once', async () => {
  const { app, company, call, create } = await start()
  const ids: string[] = []
  for (const name of ['a', 'b', 'c']) ids.push(textIn(await bodyOf(await create({ name })), 'id'))
  const [a = '', b = '', c = ''] = ids
  for (const wrong of [
    [a, b],
    [a, b, b],
    [a, b, company.tenantId],
    [a, b, c, company.tenantId],
  ]) {
    expect((await call('PUT', '/order', { ids: wrong })).status).toBe(400)
  }
  expect((await stored(app, company)).map(({ sortOrder }) => sortOrder)).toEqual([100, 100, 100])
  const ordered = await bodyOf(await call('PUT', '/order', { ids: [c, a, b] }))
  expect((ordered.connections as { name: string }[]).map(({ name }) => name)).toEqual(['c', 'a', 'b'])
})

test('presets need no issuer; a GitHub server is identified by its origin', async () => {
  const { create } = await start()
  const of = async (more: Record<string, unknown>) => bodyOf(await create({ issuer: undefined, ...more }))
  expect(await of({ name: 'google' })).toMatchObject({ kind: 'openid', issuer: 'https://accounts.google.com' })
  expect(await of({ name: 'microsoft' })).toMatchObject({ issuer: 'https://login.microsoftonline.com/common/v2.0' })
  expect(await of({ name: 'github' })).toMatchObject({ kind: 'github', issuer: 'https://github.com/login/oauth' })
  expect(await of({ name: 'our-git', github_origin: 'https://git.acme.com' })).toMatchObject({
    kind: 'github',
    issuer: 'https://git.acme.com/login/oauth',
  })
})

describe('testing a provider', () => {
  const live = async (double: Parameters<typeof upstreamDouble>[0] = { clientId: '0oa1', secret: SECRET }) => {
    const upstream = await upstreamDouble(double)
    doubles.push(upstream)
    const world = await start({ env: { OUTBOUND_LOOPBACK: 'on' } })
    const made = await bodyOf(await world.create({ issuer: upstream.url }))
    return { ...world, upstream, id: textIn(made, 'id'), tested: async () => bodyOf(await world.call('POST', `/${textIn(made, 'id')}/test`)) }
  }

  test('a conforming provider that knows the client is usable', async () => {
    const { app, company, tested } = await live()
    expect(await tested()).toMatchObject({ usable: true, errors: [], reason: null })
    expect(await reported(app, company)).toEqual(['oidc_provider.tested success', 'oidc_provider.created success'])
  })

  test('a test reports each problem by a code', async () => {
    const { call, upstream, id, tested } = await live()
    const change = (body: unknown) => call('PATCH', `/${id}`, body, { 'if-match': '*' })
    await change({ client_secret: 'a-wrong-one' })
    expect(await tested()).toMatchObject({ usable: false, errors: ['client_refused'] })
    await change({ client_secret: SECRET, active: false })
    expect(await tested()).toMatchObject({ usable: true, warnings: expect.arrayContaining(['inactive']) })
    upstream.announce({ issuer: 'https://elsewhere.example' })
    expect(await tested()).toMatchObject({ errors: expect.arrayContaining(['issuer_differs']) })
    upstream.announce({ token_endpoint: 'https://10.0.0.1/token' })
    expect(await tested()).toMatchObject({ errors: ['endpoint_refused'] })
    upstream.announce({ response_types_supported: ['id_token'] })
    expect(await tested()).toMatchObject({ errors: ['code_flow_missing'] })
    upstream.announce({})
    upstream.failing.set('/jwks', 500)
    expect(await tested()).toMatchObject({ errors: ['keys_unreachable'] })
    upstream.failing.set('/.well-known/openid-configuration', 503)
    expect(await tested()).toMatchObject({ errors: ['metadata_unreachable'] })
    upstream.close()
    expect(await tested()).toMatchObject({ usable: false, errors: ['metadata_unreachable'], reason: 'connection' })
  })

  test('a host without a public address is not contacted', async () => {
    const { call, create } = await start()
    const id = textIn(await bodyOf(await create({ issuer: 'https://unknown-host.okta.com' })), 'id')
    expect(await bodyOf(await call('POST', `/${id}/test`))).toMatchObject({ usable: false, reason: 'no_public_address' })
  })
})
