// Every process-wide cache of docs/architecture.md: its source is changed on one instance, and another one, which had cached it, is asked within two seconds.
import { readdirSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { decodeProtectedHeader, exportJWK, generateKeyPair, SignJWT } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDb } from '#db/engine/client'
import { atomically, forTenant, type TenantTx } from '#db/engine/tenant'
import { claimDomain, releaseDomain } from '#db/store/domains'
import { insertIssuer, updateIssuer } from '#db/store/oauth-issuers'
import { saveFetchedJwks } from '#db/store/registered-clients'
import { updateTenantSettings } from '#db/store/tenants'
import { putBinding, putRole, removeBinding } from '#db/testing/access'
import { documentCacheOf } from '#shared/domains/federation/engine/document-cache'
import { fetchMetadata } from '#shared/domains/federation/engine/fetch'
import { JWT_BEARER } from '#shared/domains/oauth/supported'
import { findTrustDomainDocument } from '#shared/domains/spiffe/bundle'
import { issueJwtSvid } from '#shared/domains/spiffe/jwt-svid'
import { revokeWorkloadKey } from '#shared/domains/spiffe/key-changes'
import { verifyJwtSvid } from '#shared/domains/spiffe/verify'
import { bySystem, byWorkload } from '#shared/platform/audit/audit-log'
import { guardedFetch } from '#shared/platform/fetch/guarded'
import { problem } from '#shared/platform/http/problem'
import { accessRoutes } from '../functions/access/routes.ts'
import { oauthRoutes } from '../functions/oauth/routes.ts'
import { newExchanger } from './support/agents.ts'
import { startApp, type TestApp } from './support/app.ts'
import { newBackend, sha256 } from './support/backend.ts'
import { callerRoutes, status } from './support/caller-routes.ts'
import { testDb } from './support/database.ts'
import { changeClient, newOauthClient, newResource, postForm } from './support/oauth.ts'
import { contextOf, newEntry } from './support/workloads.ts'

/** What others publish, and which of it was read. */
const published = new Map<string, unknown>()
const read: string[] = []
let server: Server
let base: string
beforeAll(async () => {
  server = createServer((request, response) => {
    read.push(request.url ?? '')
    const body = published.get(request.url ?? '')
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' }).end(JSON.stringify(body ?? {}))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => server.close())
const publish = (path: string, body: unknown): string => {
  published.set(path, body)
  return `${base}${path}`
}

/** Two instances on one database: each sees only its own commits. */
const start = async (env: Readonly<Record<string, string>> = {}) => {
  const routes = [...callerRoutes, ...accessRoutes, ...oauthRoutes]
  const { engine } = await testDb()
  const instance = (): Promise<TestApp> => startApp(routes, { render: problem, env: { OUTBOUND_LOOPBACK: 'on', ...env }, db: openDb(engine) })
  const [here, there] = [await instance(), await instance()]
  const company = await here.company()
  const pass = (seconds: number): void => {
    for (const { clock } of [here, there]) clock.advance(seconds)
  }
  const change = <T>(work: (t: TenantTx) => Promise<T>): Promise<T> => atomically(forTenant(here.db, company.tenantId), work)
  return { here, there, company, pass, change }
}

const keyPair = async (kid: string) => {
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  return { privateKey, kid, jwk: { ...(await exportJWK(publicKey)), kid, alg: 'ES256' } }
}
type Key = Awaited<ReturnType<typeof keyPair>>
let count = 0
const signed = (app: TestApp, { privateKey, kid }: Key, claims: Readonly<Record<string, unknown>>, typ = 'JWT'): Promise<string> => {
  const now = Math.floor(app.clock.now().getTime() / 1000)
  return new SignJWT({ aud: app.config.BASE_URL, iat: now, exp: now + 300, jti: `j${count++}`, ...claims })
    .setProtectedHeader({ alg: 'ES256', kid, typ })
    .sign(privateKey)
}

test('principals: a permission that was removed', async () => {
  const { here, there, company, pass, change } = await start()
  const pat = await here.person(company)
  const binding = await change(async (t) =>
    putBinding(t, await putRole(t, 'things', ['things:read'], here.clock.now()), { userId: pat.id }, here.clock.now()),
  )
  const token = await here.token(pat)
  expect([await status(here, token, '/p/read'), await status(there, token, '/p/read')]).toEqual([200, 200])
  await change((t) => removeBinding(t, binding))
  expect(await status(here, token, '/p/read')).toBe(403)
  pass(2)
  expect(await status(there, token, '/p/read')).toBe(403)
})

test('policies: a binding that was removed', async () => {
  const { here, there, company, pass, change } = await start()
  const pat = await here.person(company)
  const backend = await newBackend(here, company, ['policy:check'])
  const binding = await change(async (t) =>
    putBinding(t, await putRole(t, 'reader', ['invoice:read'], here.clock.now()), { userId: pat.id }, here.clock.now()),
  )
  const may = async (app: TestApp): Promise<boolean> => {
    const body = { subject: { type: 'user', id: pat.id }, action: { name: 'read' }, resource: { type: 'invoice', id: 'i' } }
    return (await (await app.request('/access/v1/evaluation', { body, headers: { authorization: backend.authorization } })).json()).decision
  }
  expect([await may(here), await may(there)]).toEqual([true, true])
  await change((t) => removeBinding(t, binding))
  expect(await may(here)).toBe(false)
  pass(2)
  expect(await may(there)).toBe(false)
})

test('client secrets of Basic authentication, and clients of the authorization server: a secret that was replaced, a client that was switched off', async () => {
  const { here, there, company, pass, change } = await start()
  const server = await newResource(here, company, [{ name: 'tools:read' }])
  const client = await newOauthClient(here, company, { at: [server] })
  const backend = await newBackend(here, company, ['policy:check'])
  const headers = { authorization: backend.authorization }
  const evaluated = async (app: TestApp) => {
    const body = { subject: { type: 'user', id: company.admin.id }, action: { name: 'read' }, resource: { type: 'invoice', id: 'i' } }
    return (await app.request('/access/v1/evaluation', { body, headers })).status
  }
  const issued = async (app: TestApp) => {
    const form = { grant_type: 'client_credentials', resource: server.resource }
    return (await postForm(app, '/oauth/token', form, { authorization: client.authorization })).status
  }
  for (const app of [here, there]) expect([await evaluated(app), await issued(app)]).toEqual([200, 200])
  await changeClient(here, company, client.id, { active: false })
  await change((t) =>
    t.run({
      text: 'update authsec.client_directory set secret_hash = $1 where client_id = $2',
      params: [sha256('another'), backend.clientId],
      arrays: true,
    }),
  )
  expect([await evaluated(here), await issued(here)]).toEqual([401, 401])
  pass(2)
  expect([await evaluated(there), await issued(there)]).toEqual([401, 401])
})

const assertedBy = async (app: TestApp, clientId: string, key: Key): Promise<number> => {
  const proof = await signed(app, key, { iss: clientId, sub: clientId })
  const form = { client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', client_assertion: proof }
  return (await postForm(app, '/oauth/token', { grant_type: 'client_credentials', ...form })).status
}

test('a client’s published keys: an address that was replaced', async () => {
  const { here, there, company, pass } = await start()
  const [lost, next] = [await keyPair('lost'), await keyPair('next')]
  const server = await newResource(here, company, [{ name: 'tools:read' }])
  const jwksUri = publish('/lost.json', { keys: [lost.jwk] })
  const client = await newOauthClient(here, company, { at: [server], tokenEndpointAuthMethod: 'private_key_jwt', jwksUri })
  expect([await assertedBy(here, client.id, lost), await assertedBy(there, client.id, lost)]).toEqual([200, 200])
  await changeClient(here, company, client.id, { jwksUri: publish('/next.json', { keys: [next.jwk] }) })
  expect(await assertedBy(here, client.id, lost)).toBe(401)
  pass(2)
  expect(await assertedBy(there, client.id, lost)).toBe(401)
  expect([await assertedBy(here, client.id, next), await assertedBy(there, client.id, next)]).toEqual([200, 200])
  // A read of the former address that ends only now.
  const late = { clientId: client.id, url: jwksUri, jwks: { keys: [lost.jwk] }, at: here.clock.now() }
  expect(await saveFetchedJwks(forTenant(here.db, company.tenantId), late)).toBe(false)
  pass(2)
  expect([await assertedBy(here, client.id, lost), await assertedBy(there, client.id, next)]).toEqual([401, 200])
})

test('keys of trusted issuers: an address that was replaced', async () => {
  const { here, there, company, pass, change } = await start()
  const [lost, next] = [await keyPair('lost'), await keyPair('next')]
  const server = await newResource(here, company, [{ name: 'tools:read' }])
  const client = await newExchanger(here, company, { at: [server] })
  const person = await here.person(company)
  const [id, at, issuer] = [here.ctx.random.id(), here.clock.now(), `https://idp-${company.name}.example.com`]
  const jwksUri = publish('/issuer-lost.json', { keys: [lost.jwk] })
  const times = { validFrom: at, createdAt: at, updatedAt: at }
  await change((t) => insertIssuer(t, { id, name: 'Workforce', issuer, acceptsIdentity: true, jwksUri, subjectMapping: 'user_id', ...times }))
  const redeemed = async (app: TestApp, key: Key): Promise<number> => {
    const claims = { iss: issuer, sub: person.id, client_id: client.id, scope: 'tools:read', resource: server.resource }
    const assertion = await signed(app, key, claims, 'oauth-id-jag+jwt')
    return (await postForm(app, '/oauth/token', { grant_type: JWT_BEARER, assertion }, { authorization: client.authorization })).status
  }
  expect([await redeemed(here, lost), await redeemed(there, lost)]).toEqual([200, 200])
  await change((t) => updateIssuer(t, id, { jwksUri: publish('/issuer-next.json', { keys: [next.jwk] }) }))
  expect(await redeemed(here, lost)).toBe(400)
  pass(2)
  expect(await redeemed(there, lost)).toBe(400)
  expect([await redeemed(here, next), await redeemed(there, next)]).toEqual([200, 200])
})

test('documents of providers: another address is another document', async () => {
  const { here } = await start()
  const outbound = guardedFetch({ resolver: { resolve: async () => [] }, loopback: true })
  const ask = async (url: string) =>
    (await fetchMetadata(outbound, here.clock)(url, { method: 'GET', headers: {}, body: undefined, redirect: 'manual' } as never)).json()
  const [one, two] = [publish('/provider-one', { issuer: 'one' }), publish('/provider-two', { issuer: 'two' })]
  expect([await ask(one), await ask(one), await ask(two)]).toEqual([{ issuer: 'one' }, { issuer: 'one' }, { issuer: 'two' }])
  expect(read.filter((url) => url.startsWith('/provider-'))).toHaveLength(2)
  expect([...documentCacheOf(outbound).documents.keys()]).toEqual([one, two])
})

test('verified tokens and signing keys: a key that was revoked', async () => {
  const { here, there, company, pass } = await start()
  const token = await here.token(company.admin)
  expect([await status(here, token), await status(there, token)]).toEqual([200, 200])
  const { kid } = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as { kid: string }
  await here.ctx.signingKeys.revoke(kid)
  expect(await status(here, token)).toBe(401)
  pass(2)
  expect(await status(there, token)).toBe(401)
})

test('quotas: one that was lowered', async () => {
  const { here, there, company, pass, change } = await start({ RATE_LIMIT: 'on' })
  const token = await here.token(company.admin)
  expect([await status(here, token), await status(there, token)]).toEqual([200, 200])
  await change((t) => updateTenantSettings(t, { quotas: { requestsPerMinute: 1 } }, here.clock.now()))
  pass(2)
  for (const app of [here, there]) {
    // The first request reads the tenant, and with it the quota.
    await status(app, token)
    expect(await status(app, token)).toBe(429)
  }
})

test('allowed origins: a domain that was given up', async () => {
  const { here, there, company, pass, change } = await start({ RATE_LIMIT: 'on' })
  const origin = `https://login.${company.name}.example`
  const claim = { domain: new URL(origin).host, kind: 'custom' as const, isVerified: true, createdAt: here.clock.now() }
  await change((t) => claimDomain(t, claim))
  const allows = async (app: TestApp): Promise<boolean> =>
    (await app.request('/p/me', { method: 'OPTIONS', headers: { origin } })).headers.get('access-control-allow-origin') === origin
  expect([await allows(here), await allows(there)]).toEqual([true, true])
  for (let second = 0; second < 40; second++) {
    pass(1)
    expect(await allows(there), `after ${second} seconds`).toBe(true)
  }
  await change((t) => releaseDomain(t, claim.domain))
  pass(2)
  expect([await allows(here), await allows(there)]).toEqual([false, false])
})

test('keys of trust domains: a revoked one leaves the bundle, and its SVIDs end', async () => {
  const { here, there, company, pass } = await start()
  const entry = await newEntry(here, company, 'api')
  const { token } = await issueJwtSvid(contextOf(here), entry, { audience: ['x'], actor: byWorkload(entry.id) })
  const kid = decodeProtectedHeader(token).kid ?? ''
  const isKnown = async (app: TestApp): Promise<readonly boolean[]> => [
    (await verifyJwtSvid(app.ctx, token)) !== undefined,
    String((await findTrustDomainDocument(app.ctx, company.tenantId, 'bundle'))?.result).includes(kid),
  ]
  expect([await isKnown(here), await isKnown(there)]).toEqual([
    [true, true],
    [true, true],
  ])
  await revokeWorkloadKey(here.ctx, company.tenantId, kid, bySystem)
  expect(await isKnown(here)).toEqual([false, false])
  pass(2)
  expect(await isKnown(there)).toEqual([false, false])
})

const TABLE = readFileSync(fileURLToPath(new URL('../docs/architecture.md', import.meta.url)), 'utf8')
const ROOT = fileURLToPath(new URL('..', import.meta.url))

test('the table of docs/architecture.md names every file that keeps something between requests', async () => {
  const files = ['shared', 'functions', 'db/engine', 'db/store', 'packages/guard'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !/\.(?:test|race|server|contract|client)\.ts$/.test(name))
      .map((name) => `${folder}/${name}`),
  )
  /** A collection of the module that changes, a cache with a lifetime, or something that a commit drops. */
  const keeps = /^(?:const|let) \w+ = new (?:Weak)?Map(?:<.*>)?\(\)|= createTtlCache<|\.onCommit\(\(|^let \w+: [^=]+ \| undefined$/m
  const missing = files
    .filter((file) => keeps.test(readFileSync(`${ROOT}/${file}`, 'utf8')))
    .filter((file) => !TABLE.includes(file.replace(/^shared\//, '')))
  expect(missing).toEqual([])
})
