// Federation: bundles of other trust domains, fetched through the outbound guard.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { forTenant } from '#db/engine/tenant'
import { findFederatedBundle } from '#db/store/federated-bundles'
import { federatedKeys } from '#shared/domains/spiffe/federation'
import { ensureTrustDomain } from '#shared/domains/spiffe/signer'
import { guardedFetch } from '#shared/platform/fetch/guarded'
import { problem } from '#shared/platform/http/problem'
import { startApp } from '#tests/support/app'
import { spiffeRoutes } from './routes.ts'

const stops: (() => void)[] = []
afterEach(() => {
  for (const stop of stops.splice(0)) stop()
})

/** A bundle endpoint on this machine. */
const endpoint = async () => {
  const state = { answer: { status: 200, body: '' }, fetched: 0 }
  const server = createServer((_, response) => {
    state.fetched += 1
    response.writeHead(state.answer.status, { 'content-type': 'application/json', location: 'http://localhost:1/' }).end(state.answer.body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  stops.push(() => server.close())
  const publish = (document: unknown, status = 200) => {
    state.answer = { status, body: typeof document === 'string' ? document : JSON.stringify(document) }
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/bundle`, state, publish }
}

const world = async () => {
  const app = await startApp(spiffeRoutes, { render: problem, env: { OUTBOUND_LOOPBACK: 'on' } })
  const company = await app.company()
  const partner = await app.company('partner')
  await ensureTrustDomain(app.ctx, partner.tenantId)
  const bundle = await (await app.request(`/spiffe/${partner.tenantId}/bundle`)).json()
  const manager = await app.person(company, ['spire:manage'])
  const token = await app.token(manager)
  const outbound = guardedFetch({ resolver: { resolve: async () => [] }, loopback: true })
  const put = async (domain: string, body: object) => {
    const response = await app.request(`/spiffe/federation/${domain}`, { method: 'PUT', token, body })
    return { status: response.status, ...(await response.json()) }
  }
  const keys = (domain = 'partner.example') => federatedKeys({ ...app.ctx, outbound }, company.tenantId, domain, 'jwt-svid')
  return { app, company, token, put, keys, bundle, server: await endpoint() }
}

test('a trust domain is federated by the URL of its bundle, and its keys are its own', async () => {
  const { app, company, token, put, keys, bundle, server } = await world()
  server.publish({ ...bundle, spiffe_sequence: 7 })
  expect(await put('partner.example', { endpoint: server.url })).toMatchObject({
    status: 200,
    trust_domain: 'partner.example',
    sequence: 7,
    refresh_hint: 300,
    keys: 8,
    fetched_at: app.clock.now().toISOString(),
  })
  const kids = bundle.keys.filter(({ use }: { use: string }) => use === 'jwt-svid').map(({ kid }: { kid: string }) => kid)
  expect((await keys()).map(({ kid }) => kid)).toEqual(kids)
  expect(await keys('unknown.example')).toEqual([])
  expect(await (await app.request('/spiffe/federation', { token })).json()).toMatchObject({ federations: [{ trust_domain: 'partner.example' }] })
  const foreign = await app.company('globex')
  expect((await app.request('/spiffe/federation/partner.example', { token: await app.token(foreign.admin) })).status).toBe(404)
  expect(await app.events(company.tenantId, { event: 'federation.bundle_configured' })).toHaveLength(1)
  expect((await app.request('/spiffe/federation/partner.example', { method: 'DELETE', token })).status).toBe(204)
  expect(await keys()).toEqual([])
})

test('a bundle is fetched again when its hint has passed, and an older one is refused and reported', async () => {
  const { app, company, put, keys, bundle, server } = await world()
  server.publish({ ...bundle, spiffe_sequence: 7 })
  await put('partner.example', { endpoint: server.url })
  server.publish({ keys: bundle.keys.slice(0, 2), spiffe_sequence: 8 })
  const before = await keys()
  expect(server.state.fetched).toBe(1)
  app.clock.advance(301)
  const after = await keys()
  expect([server.state.fetched, after.length < before.length]).toEqual([2, true])
  const t = forTenant(app.db, company.tenantId)
  for (const old of [{ ...bundle, spiffe_sequence: 7 }, { keys: bundle.keys }]) {
    app.clock.advance(301)
    server.publish(old)
    expect(await keys()).toEqual(after)
    expect((await findFederatedBundle(t, 'partner.example'))?.sequence).toBe(8)
    expect(await put('partner.example', { endpoint: server.url })).toMatchObject({ status: 409, code: 'sequence_regressed' })
  }
  expect(await app.events(company.tenantId, { event: 'federation.bundle_refused' })).toHaveLength(2)
  expect(app.log.lines.filter((line) => line.includes('federation.sequence_regressed'))).toHaveLength(2)
})

test('while the endpoint is away the last bundle counts for a day, and then verifies nothing', async () => {
  const { app, put, keys, bundle, server } = await world()
  server.publish(bundle)
  await put('partner.example', { endpoint: server.url })
  for (const [document, status] of [
    ['', 500],
    ['nonsense', 200],
    ['', 302],
    [{ keys: 'x' }, 200],
    [{}, 200],
  ] as const) {
    server.publish(document, status)
    app.clock.advance(400)
    expect(await keys()).not.toEqual([])
  }
  const { fetched } = server.state
  app.clock.advance(61)
  for (let request = 0; request < 5; request++) await keys()
  expect(server.state.fetched).toBe(fetched + 1)
  app.clock.advance(24 * 3600)
  expect(await keys()).toEqual([])
})

test('an endpoint is public https, and our own trust domains are never federated', async () => {
  const app = await startApp(spiffeRoutes, { render: problem })
  const company = await app.company()
  const other = await app.company()
  const token = await app.token(company.admin)
  const put = async (domain: string, url: string) => {
    const response = await app.request(`/spiffe/federation/${domain}`, { method: 'PUT', token, body: { endpoint: url } })
    return [response.status, (await response.json()).code]
  }
  for (const url of [
    'http://partner.example.com/b',
    'https://127.0.0.1/b',
    'https://localhost/b',
    'https://169.254.169.254/b',
    'https://u:p@a.example.com/b',
    'ftp://a/b',
  ]) {
    expect(await put('partner.example', url), url).toEqual([400, 'bundle_url_refused'])
  }
  expect(await put('partner.example', 'https://partner.example.com/b')).toEqual([400, 'bundle_unavailable'])
  for (const domain of [company.tenantId, other.tenantId, app.config.SPIFFE_TRUST_DOMAIN, 'UPPER.example', 'a%20b']) {
    expect(await put(domain, 'https://partner.example.com/b'), domain).toEqual([400, 'invalid_request'])
  }
})

test('private and symmetric keys, keys without an id and unknown uses are left out of a bundle', async () => {
  const { put, keys, bundle, server } = await world()
  const key = bundle.keys.find(({ use }: { use: string }) => use === 'jwt-svid')
  const bad = [
    { ...key, d: 'x' },
    { ...key, kid: undefined },
    { ...key, use: 'sig' },
    { use: 'jwt-svid', kid: 'k', kty: 'oct', k: 'AAAA' },
    'x',
    null,
  ]
  server.publish({ keys: [key, ...bad, { use: 'x509-svid', kty: 'EC', x5c: [] }] })
  expect(await put('partner.example', { endpoint: server.url })).toMatchObject({ status: 200, keys: 1, sequence: null })
  expect(await keys()).toMatchObject([{ kid: key.kid }])
})
