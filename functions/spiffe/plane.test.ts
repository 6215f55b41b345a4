// AuthSec's identity plane: its shapes, and the guards that its paths have here.
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import { expect, test } from 'vitest'
import { atomically, forTenant } from '#db/engine/tenant'
import { setUserActive } from '#db/store/people'
import { problem } from '#shared/platform/http/problem'
import { newAgent } from '#tests/support/agents'
import { startApp, type TestApp } from '#tests/support/app'
import { newOauthClient } from '#tests/support/oauth'
import { asWorkload, idIn, newEntry, newWorkload } from '#tests/support/workloads'
import { spiffeRoutes } from './routes.ts'

const start = () => startApp(spiffeRoutes, { render: problem, env: { BASE_URL: 'https://id.example.com' } })
const SVC = '/authsec/spiresvc'
const SPIRE = '/authsec/spire'
const EXCHANGE = { grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', subject_token_type: 'urn:ietf:params:oauth:token-type:jwt' }

const world = async () => {
  const app = await start()
  const [acme, globex] = [await app.company('acme'), await app.company('globex')]
  return { app, acme, globex, token: await app.token(acme.admin), foreign: await app.token(globex.admin) }
}
const bodyOf = async (response: Response) => ({ status: response.status, ...(await response.json()) })
const jwtFor = async (app: TestApp, workload: Awaited<ReturnType<typeof newWorkload>>, audience = ['authsec-api'], more = {}) =>
  (await asWorkload(app, workload, `${SVC}/v1/jwt/issue`, { audience, ...more })).json()

test('provisioning creates the trust domain once, for the caller\u2019s organisation', async () => {
  const { app, acme, globex, token } = await world()
  const first = await bodyOf(
    await app.request(`${SVC}/admin/pki/provision`, { token, body: { tenant_id: acme.tenantId, common_name: 'x', ttl: '1h' } }),
  )
  expect(first).toMatchObject({ status: 'provisioned', tenant_id: acme.tenantId, trust_domain: acme.tenantId, sequence: 2 })
  const again = await bodyOf(await app.request(`${SVC}/admin/pki/provision/${acme.tenantId}`, { token, body: {} }))
  expect(again).toEqual(first)
  expect(await app.events(acme.tenantId, { event: 'trust_domain.created' })).toMatchObject([{ actorId: acme.admin.id }])
  const bundle = await app.request(`${SVC}/bundle/${acme.tenantId}`)
  expect(await bodyOf(bundle)).toEqual({ status: 200, ca_bundle: first.ca_bundle, tenant_id: acme.tenantId })
  const missing = await bodyOf(await app.request(`${SVC}/bundle/${globex.tenantId}`))
  expect(missing).toMatchObject({ status: 404, error: { code: 'NOT_FOUND' } })
  const weak = await app.person(acme, ['admin:access'])
  expect((await app.request(`${SVC}/admin/pki/provision`, { token: await app.token(weak), body: {} })).status).toBe(403)
  expect((await app.request(`${SVC}/admin/pki/provision/${globex.tenantId}`, { token, body: {} })).status).toBe(403)
})

test('entries have AuthSec\u2019s shape, and are the same as under /spiffe', async () => {
  const { app, acme, token } = await world()
  const request = {
    spiffe_id: idIn(acme, 'ns/prod/sa/api'),
    selectors: { 'k8s:ns': 'prod', 'k8s:pod-label:app': 'api', 'unix:uid': ['1', '2'] },
    ttl: 600,
    parent_id: '',
  }
  const created = await bodyOf(await app.request(`${SVC}/v1/entries`, { token, body: request }))
  const entry = {
    id: created.id,
    tenant_id: acme.tenantId,
    spiffe_id: request.spiffe_id,
    parent_id: `spiffe://${acme.tenantId}`,
    selectors: request.selectors,
    ttl: 600,
    admin: false,
    downstream: false,
    created_at: created.created_at,
    updated_at: created.updated_at,
  }
  expect(created).toEqual({ status: 201, ...entry })
  expect(await bodyOf(await app.request(`${SVC}/v1/entries`, { token, body: request }))).toMatchObject({ status: 409, error: { code: 'CONFLICT' } })
  const ours = await (await app.request(`/spiffe/entries/${entry.id}`, { token })).json()
  expect(ours.selectors).toEqual(['k8s:ns:prod', 'k8s:pod-label:app:api', 'unix:uid:1', 'unix:uid:2'])
  const other = await newEntry(app, acme, 'other', { selectors: ['docker:image-id:sha256:ab'] })
  const find = async (query: string) => bodyOf(await app.request(`${SVC}/v1/entries${query}`, { token }))
  expect(await find('')).toMatchObject({ total: 2, entries: [{ id: entry.id }, { id: other.id, selectors: { 'docker:image-id': 'sha256:ab' } }] })
  expect((await find('?selector_type=kubernetes')).total).toBe(1)
  expect((await find('?spiffe_id_search=OTHER')).entries).toMatchObject([{ id: other.id }])
  expect(await find('?limit=1&offset=1')).toMatchObject({ total: 2, entries: [{ id: other.id }] })
  expect(await find('?selector_type=windows')).toMatchObject({ status: 400, error: { code: 'BAD_REQUEST' } })
  const change = { spiffe_id: idIn(acme, 'renamed'), parent_id: idIn(acme, 'node/1'), selectors: { 'k8s:ns': 'dev' }, admin: true }
  const replaced = await bodyOf(await app.request(`${SVC}/v1/entries/${entry.id}`, { method: 'PUT', token, body: change }))
  expect(replaced).toMatchObject({ status: 200, ...change, ttl: 600 })
  expect(await bodyOf(await app.request(`${SVC}/v1/entries/${entry.id}`, { method: 'DELETE', token }))).toEqual({
    status: 200,
    message: 'Entry deleted',
    id: entry.id,
  })
  expect(await bodyOf(await app.request(`${SVC}/v1/entries/${entry.id}`, { token }))).toMatchObject({ status: 404, code: 'not_found' })
})

test('the entry of an agent is below the organisation, and is the agent\u2019s', async () => {
  const { app, acme, globex, token } = await world()
  const agent = await newAgent(app, acme, acme.admin.id)
  const add = async (client_id: string) =>
    bodyOf(await app.request(`${SVC}/v1/entries/agent`, { token, body: { client_id, agent_type: 'assistant' } }))
  const made = await add(agent.id)
  expect(made).toMatchObject({
    status: 201,
    spiffe_id: idIn(acme, `agent/${agent.id}/assistant`),
    client_id: agent.id,
    selectors: { 'authsec:client_id': agent.id, 'authsec:agent_type': 'assistant', 'authsec:workspace_id': acme.tenantId },
  })
  expect((await (await app.request(`/spiffe/entries/${made.entry_id}`, { token })).json()).agent_id).toBe(agent.id)
  expect((await add(agent.id)).status).toBe(409)
  expect((await add((await newAgent(app, globex, globex.admin.id)).id)).status).toBe(404)
  const weak = await app.request(`${SVC}/v1/entries/agent`, { token, body: { client_id: agent.id, agent_type: '..' } })
  expect(weak.status).toBe(400)
})

test('a node agent sees the entries below itself alone', async () => {
  const { app, acme } = await world()
  const node = await newWorkload(app, acme, 'agent/node-1')
  const below = await newEntry(app, acme, 'below', { parentId: node.entry.spiffeId })
  await newEntry(app, acme, 'elsewhere', { parentId: idIn(acme, 'agent/node-2') })
  const find = async (query = '') => bodyOf(await asWorkload(app, node, `${SVC}/v1/entries/by-parent${query}`))
  expect(await find()).toMatchObject({ status: 200, total: 1, entries: [{ id: below.id }] })
  expect(await find(`?parent_id=${encodeURIComponent(node.entry.spiffeId)}`)).toMatchObject({ total: 1 })
  expect(await find(`?parent_id=${encodeURIComponent(idIn(acme, 'agent/node-2'))}`)).toEqual({ status: 200, total: 0, entries: [] })
})

test('a JWT-SVID is the certificate\u2019s own, without claims that grant something, and is validated live', async () => {
  const { app, acme, globex } = await world()
  const workload = await newWorkload(app, acme)
  const custom_claims = { team: 'payments', permissions: ['x:y'], Role: 'admin', scope: 'all', tenant_id: globex.tenantId, exp: 1, act: {} }
  const issued = await jwtFor(app, workload, ['authsec-api', 'other'], { custom_claims, spiffe_id: workload.entry.spiffeId })
  const now = Math.floor(app.clock.now().getTime() / 1000)
  const claims = {
    team: 'payments',
    tenant_id: acme.tenantId,
    workspace_id: acme.tenantId,
    iss: `spiffe://${acme.tenantId}`,
    sub: workload.entry.spiffeId,
    aud: ['authsec-api', 'other'],
    iat: now,
    exp: now + 3600,
    jti: expect.any(String),
  }
  expect(decodeJwt(issued.token)).toEqual(claims)
  const bundle = await app.request(`${SVC}/v1/jwt/bundle?tenant_id=${acme.tenantId}`)
  const keys = await bundle.json()
  expect(keys.keys.map(({ alg, kid }: { alg: string; kid: string }) => [alg, kid.length])).toEqual([
    ['RS256', 43],
    ['RS256', 43],
  ])
  await expect(jwtVerify(issued.token, createLocalJWKSet(keys), { currentDate: app.clock.now() })).resolves.toBeDefined()
  const validate = async (body: object) => bodyOf(await app.request(`${SVC}/v1/jwt/validate`, { body }))
  expect(await validate({ token: issued.token, tenant_id: acme.tenantId, audience: 'other' })).toEqual({
    status: 200,
    valid: true,
    spiffe_id: workload.entry.spiffeId,
    sub: workload.entry.spiffeId,
    tenant_id: acme.tenantId,
    permissions: [],
    audience: ['authsec-api', 'other'],
    claims,
    expires_at: new Date((now + 3600) * 1000).toISOString(),
    issued_at: new Date(now * 1000).toISOString(),
  })
  const [header, payload] = issued.token.split('.')
  const none = `${Buffer.from('{"alg":"none","kid":"x","typ":"JWT"}').toString('base64url')}.${payload}.`
  for (const bad of [
    { token: issued.token, tenant_id: globex.tenantId },
    { token: issued.token, audience: 'third' },
    { token: `${issued.token}x` },
    { token: `${header}.${payload}.AAAA` },
    { token: none },
    { token: 'nonsense' },
  ]) {
    expect(await validate(bad)).toEqual({ status: 200, valid: false })
  }
  const large = await asWorkload(app, workload, `${SVC}/v1/jwt/issue`, { audience: ['a'], custom_claims: { note: 'x'.repeat(9000) } })
  expect(await bodyOf(large)).toMatchObject({ status: 400, code: 'invalid_request' })
  const elsewhere = await asWorkload(app, workload, `${SVC}/v1/jwt/issue`, { audience: ['a'], spiffe_id: idIn(acme, 'other') })
  expect(await bodyOf(elsewhere)).toMatchObject({ status: 403, error: { code: 'FORBIDDEN' } })
  app.clock.advance(3601)
  expect(await validate({ token: issued.token })).toEqual({ status: 200, valid: false })
})

test('renewal ends the old token, keeps the audience, and stops a day after the first', async () => {
  const { app, acme } = await world()
  const workload = await newWorkload(app, acme, 'long', { jwtSeconds: 86_400 })
  const renew = async (token: string) => bodyOf(await app.request(`${SVC}/v1/jwt/renew`, { body: { token } }))
  const first = await jwtFor(app, workload, ['a'], { ttl: 36_000 })
  app.clock.advance(30_000)
  const second = await renew(first.token)
  expect(second.status).toBe(200)
  expect(decodeJwt(second.token)).toMatchObject({ aud: 'a', exp: Number(decodeJwt(first.token).iat) + 30_000 + 36_000 })
  expect(await renew(first.token)).toMatchObject({ status: 401, error: { code: 'UNAUTHORIZED' } })
  app.clock.advance(30_000)
  const third = await renew(second.token)
  expect(decodeJwt(third.token).exp).toBe(Number(decodeJwt(first.token).iat) + 86_400)
  app.clock.advance(26_401)
  expect((await renew(third.token)).status).toBe(401)
  const [, event] = await app.events(acme.tenantId, { event: 'svid.revoked' })
  expect(event).toMatchObject({ targetId: String(decodeJwt(first.token).jti), actorType: 'workload' })
})

test('one of many simultaneous renewals succeeds', async () => {
  const { app, acme } = await world()
  const { token } = await jwtFor(app, await newWorkload(app, acme), ['a'])
  const answers = await Promise.all(Array.from({ length: 20 }, () => app.request(`${SVC}/v1/jwt/renew`, { body: { token } })))
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  expect(answers.filter(({ status }) => status === 401)).toHaveLength(19)
})

test('an administrator delegates a workload\u2019s token, which names the administrator and ends with them', async () => {
  const { app, acme, globex } = await world()
  const manager = await app.person(acme, ['admin:access', 'spire:manage'])
  const token = await app.token(manager)
  const entry = await newEntry(app, acme, 'api', { audiences: ['allowed'], jwtSeconds: 3600 })
  const delegate = async (body: object) => bodyOf(await app.request(`${SVC}/v1/jwt/issue-delegated`, { token, body }))
  const issued = await delegate({ spiffe_id: entry.spiffeId })
  expect(decodeJwt(issued.token)).toMatchObject({
    aud: 'authsec-api',
    user_id: manager.id,
    delegated_by: manager.id,
    act: { sub: entry.spiffeId },
    exp: Number(decodeJwt(issued.token).iat) + 3600,
  })
  expect((await delegate({ spiffe_id: entry.spiffeId, audience: ['allowed'] })).status).toBe(200)
  expect(await delegate({ spiffe_id: entry.spiffeId, audience: ['other'] })).toMatchObject({ status: 400, code: 'invalid_target' })
  expect(await delegate({ spiffe_id: idIn(globex, 'api') })).toMatchObject({ status: 403, error: { code: 'FORBIDDEN' } })
  expect((await delegate({ spiffe_id: idIn(acme, 'unknown') })).status).toBe(404)
  const agent = await newAgent(app, acme, acme.admin.id, { permissions: ['payments:send'] })
  const ofAgent = await newEntry(app, acme, 'bot', { agentId: agent.id })
  expect(await delegate({ spiffe_id: ofAgent.spiffeId })).toMatchObject({ status: 403, code: 'cannot_grant' })
  const renew = (jwt: string) => app.request(`${SVC}/v1/jwt/renew`, { body: { token: jwt } })
  const renewed = await bodyOf(await renew(issued.token))
  expect(decodeJwt(renewed.token)).toMatchObject({ delegated_by: manager.id, act: { sub: entry.spiffeId } })
  await atomically(forTenant(app.db, acme.tenantId), (t) => setUserActive(t, manager.id, false, app.clock.now()))
  expect((await renew(renewed.token)).status).toBe(401)
})

test('the registry keeps a workload by its owner, under its id and its SPIFFE id', async () => {
  const { app, acme, token, foreign } = await world()
  const at = `${SPIRE}/registry/workloads`
  const created = await bodyOf(await app.request(at, { token, body: { spiffe_id: '/ns/prod/sa/api', owner: 'payments' } }))
  const spiffe_id = idIn(acme, 'ns/prod/sa/api')
  expect(created).toEqual({ status: 201, id: created.id, spiffe_id, owner: 'payments' })
  expect((await app.request(at, { token, body: { spiffe_id, owner: 'x' } })).status).toBe(409)
  await newEntry(app, acme, 'of-another-kind')
  expect(await (await app.request(at, { token })).json()).toEqual([{ id: created.id, spiffe_id, owner: 'payments' }])
  const encoded = `${at}/${encodeURIComponent(spiffe_id)}`
  expect(await bodyOf(await app.request(encoded, { method: 'PUT', token, body: { owner: 'billing' } }))).toMatchObject({
    status: 200,
    owner: 'billing',
  })
  const unknown = await bodyOf(await app.request(encoded, { method: 'DELETE', token: foreign }))
  expect(unknown).toMatchObject({ status: 404, error: 'Workload not found' })
  expect(await bodyOf(await app.request(`${at}/${created.id}`, { method: 'DELETE', token }))).toEqual({ status: 200, message: 'Workload deleted' })
  expect(await (await app.request(at, { token })).json()).toEqual([])
})

test('the token endpoint exchanges a JWT-SVID that was issued for it, as JSON or as a form, and widens nothing', async () => {
  const { app, acme } = await world()
  const workload = await newWorkload(app, acme, 'api', { audiences: ['authsec-api', 'https://api.example'] })
  const { token: subject_token } = await jwtFor(app, workload, ['authsec-api'], { custom_claims: { scope: 'all' } })
  const request = { ...EXCHANGE, subject_token, scope: 'openid all' }
  const response = await bodyOf(await app.request(`${SPIRE}/oidc/token`, { body: request }))
  expect(response).toEqual({
    status: 200,
    access_token: expect.any(String),
    issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    token_type: 'Bearer',
    expires_in: 3600,
  })
  const discovery = await (await app.request(`${SPIRE}/.well-known/openid-configuration`)).json()
  expect(discovery).toMatchObject({
    issuer: 'https://id.example.com/authsec/spire',
    token_endpoint: 'https://id.example.com/authsec/spire/oidc/token',
  })
  const jwks = createLocalJWKSet(await (await app.request(new URL(discovery.jwks_uri).pathname)).json())
  const { payload } = await jwtVerify(response.access_token, jwks, {
    issuer: discovery.issuer,
    audience: discovery.issuer,
    currentDate: app.clock.now(),
  })
  expect(payload).toMatchObject({ sub: workload.entry.spiffeId, spiffe_id: workload.entry.spiffeId, tenant_id: acme.tenantId, claims: {} })
  const form = new URLSearchParams({ ...request, audience: 'https://api.example' }).toString()
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const byForm = await bodyOf(await app.request(`${SPIRE}/oidc/token`, { body: form, headers }))
  expect(decodeJwt(byForm.access_token).aud).toEqual(['https://api.example'])
  const fails = async (body: object) => {
    const { status, error } = await bodyOf(await app.request(`${SPIRE}/oidc/token`, { body }))
    return [status, error]
  }
  expect(await fails({ ...request, audience: 'https://other.example' })).toEqual([400, 'invalid_target'])
  expect(await fails({ ...request, grant_type: 'client_credentials' })).toEqual([400, 'unsupported_grant_type'])
  expect(await fails({ subject_token })).toEqual([400, 'invalid_request'])
  expect(await fails({ ...request, subject_token_type: 'x' })).toEqual([400, 'invalid_request'])
  expect(await fails({ ...request, subject_token: 'nonsense' })).toEqual([400, 'invalid_grant'])
  expect(await fails({ ...request, subject_token: response.access_token })).toEqual([400, 'invalid_grant'])
  const foreign = await newWorkload(app, acme, 'b')
  const { token: forOthers } = await jwtFor(app, foreign, ['https://api.example'])
  expect(await fails({ ...request, subject_token: forOthers })).toEqual([400, 'invalid_grant'])
})

test('the presented SVID alone decides who calls; a header that names an id is ignored', async () => {
  const { app, acme } = await world()
  const workload = await newWorkload(app, acme, 'api', { audiences: ['authsec-api', 'vault'] })
  const { token } = await jwtFor(app, workload)
  const spoofed = { 'x-spiffe-id': workload.entry.spiffeId }
  const post = async (path: string, call: { readonly token?: string; readonly headers?: Readonly<Record<string, string>> }) =>
    bodyOf(await app.request(`${SPIRE}/oidc${path}`, { method: 'POST', ...call }))
  for (const path of ['/exchange/spiffe', '/issue/jwt-svid?audience=vault']) {
    expect(await post(path, { headers: spoofed }), path).toMatchObject({ status: 401, error: 'invalid_client' })
    expect(await post(path, { token: 'nonsense' }), path).toMatchObject({ status: 401, error: 'invalid_client' })
    expect((await post(path, { token })).status, path).toBe(200)
  }
  const issued = await post('/issue/jwt-svid?audience=vault', { token })
  expect(issued).toMatchObject({ issued_token_type: 'urn:ietf:params:oauth:token-type:jwt', expires_in: 3600 })
  expect(decodeJwt(issued.access_token)).toMatchObject({ aud: 'vault', sub: workload.entry.spiffeId, iss: `spiffe://${acme.tenantId}` })
  expect(decodeProtectedHeader(issued.access_token).typ).toBe('JWT')
  expect(await post('/issue/jwt-svid?audience=other', { token })).toMatchObject({ status: 400, error: 'invalid_target' })
  expect(await post('/issue/jwt-svid', { token })).toMatchObject({ status: 400, error: 'invalid_request' })
  const path = `${SPIRE}/oidc/issue/jwt-svid?audience=vault`
  const byCertificate = await app.request(path, { method: 'POST', headers: await workload.proof({ path, method: 'POST' }) })
  expect(byCertificate.status).toBe(200)
})

test('introspection and revocation are for clients of the organisation, and take effect everywhere', async () => {
  const { app, acme, globex } = await world()
  const [own, foreign] = [await newOauthClient(app, acme), await newOauthClient(app, globex)]
  const workload = await newWorkload(app, acme)
  const { token: svid } = await jwtFor(app, workload)
  const { access_token } = await (await app.request(`${SPIRE}/oidc/exchange/spiffe`, { method: 'POST', token: svid })).json()
  const post = async (path: string, token: string, authorization: string) =>
    bodyOf(
      await app.request(`${SPIRE}/oidc/${path}`, {
        body: new URLSearchParams({ token }).toString(),
        headers: { authorization, 'content-type': 'application/x-www-form-urlencoded' },
      }),
    )
  for (const token of [svid, access_token]) {
    const claims = decodeJwt(token)
    expect(await post('introspect', token, own.authorization)).toEqual({
      status: 200,
      active: true,
      sub: workload.entry.spiffeId,
      iss: claims.iss,
      aud: [claims.aud].flat(),
      exp: claims.exp,
      iat: claims.iat,
      jti: claims.jti,
      spiffe_id: workload.entry.spiffeId,
    })
    expect(await post('introspect', token, foreign.authorization)).toEqual({ status: 200, active: false })
    expect(await post('revoke', token, foreign.authorization)).toEqual({ status: 200 })
    expect((await post('introspect', token, own.authorization)).active).toBe(true)
    expect(await post('revoke', token, own.authorization)).toEqual({ status: 200 })
    expect(await post('introspect', token, own.authorization)).toEqual({ status: 200, active: false })
    expect(await post('revoke', token, own.authorization)).toEqual({ status: 200 })
  }
  expect(await post('introspect', 'nonsense', own.authorization)).toEqual({ status: 200, active: false })
  expect((await post('introspect', svid, 'Basic eDp5')).status).toBe(401)
  expect((await app.request(`${SPIRE}/oidc/exchange/spiffe`, { method: 'POST', token: svid })).status).toBe(401)
  expect(await app.events(acme.tenantId, { event: 'svid.revoked' })).toHaveLength(2)
  expect(await app.events(globex.tenantId, { event: 'svid.revoked' })).toHaveLength(0)
})
