// A resource server behind the guard, against the real authorization server: which requests pass, and how the others are refused.
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import { startApp } from '#tests/support/app'
import { claimsOf, codeFor, newOauthClient, newResource, oauthBrowser, postForm, prover, tokenHeader, VERIFIER } from '#tests/support/oauth'
import { oauthRoutes } from '../../functions/oauth/routes.ts'
import { wellknownRoutes } from '../../functions/wellknown/routes.ts'
import { authorizationServerError } from '../../shared/platform/http/problem.ts'
import { type GuardOptions, guard, type Requirement } from './guard.ts'
import { accessTokenOf } from './token.ts'

const ISSUER = 'http://localhost:7468'
const SCOPES = [{ name: 'tools:read' }, { name: 'tools:write' }]

const start = async (mode: 'keys' | 'introspection', more: Partial<GuardOptions> = {}) => {
  const app = await startApp([...oauthRoutes, ...wellknownRoutes], { render: authorizationServerError, cache: 'by-clock' })
  const company = await app.company()
  const server = await newResource(app, company, SCOPES)
  const client = await newOauthClient(app, company, { at: [server] })
  const reach = { away: false }
  const net: typeof fetch = async (input, init) => {
    if (reach.away) throw new TypeError('fetch failed')
    const request = new Request(input, init)
    return app.app.request(request, undefined, { peer: { address: '192.0.2.7', secure: false } })
  }
  const own = guard({
    issuer: ISSUER,
    resource: server.resource,
    scopes: SCOPES.map(({ name }) => name),
    detailTypes: ['payment'],
    fetch: net,
    now: () => app.clock.now(),
    credentials: { id: server.id, secret: server.secret },
    checkedBy: mode,
    ...more,
  })
  const tokens = async (form: Readonly<Record<string, string>> = {}, headers: Readonly<Record<string, string>> = {}): Promise<string> => {
    const sent = { authorization: client.authorization, ...headers }
    return (await (await postForm(app, '/oauth/token', { grant_type: 'client_credentials', ...form }, sent)).json()).access_token
  }
  const call = (headers: Readonly<Record<string, string>>, requirement: Requirement = {}, path = server.resource) =>
    own.protect(requirement, (_, token) => Response.json({ subject: token.subject, scopes: token.scopes }))(new Request(path, { headers }))
  const shown = (token: string, requirement?: Requirement) => call({ authorization: `Bearer ${token}` }, requirement)
  return { app, company, server, client, own, tokens, call, shown, reach, net }
}
type Started = Awaited<ReturnType<typeof start>>

const refusalOf = async (response: Response) => {
  const { error } = (await response.json()) as { error: string }
  return { status: response.status, error, challenge: response.headers.get('www-authenticate') ?? '' }
}
const invalid = expect.objectContaining({ status: 401, error: 'invalid_token' })

/** The same token, signed or encoded in a way that must not be accepted. */
const forged = async ({ app, server, tokens }: Started): Promise<Readonly<Record<string, string>>> => {
  const good = await tokens()
  const [claims, header] = [claimsOf(good), tokenHeader(good)]
  const { kid, key } = await app.ctx.signingKeys.signer('ES256')
  const sign = (change: Readonly<Record<string, unknown>>, head: Readonly<Record<string, unknown>> = {}) =>
    new SignJWT({ ...claims, ...change }).setProtectedHeader({ alg: 'ES256', kid, typ: 'at+jwt', ...head }).sign(key)
  const own = await generateKeyPair('ES256')
  const jwk = await exportJWK(own.publicKey)
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const jwks = await (await app.request('/.well-known/jwks.json')).text()
  const now = Math.floor(app.clock.now().getTime() / 1000)
  return {
    'another audience': await sign({ aud: 'https://other.example.com/mcp' }),
    'an audience among others': await sign({ aud: [server.resource, 'https://other.example.com/mcp'] }),
    'another issuer': await sign({ iss: 'https://evil.example' }),
    'no end': await sign({ exp: undefined }),
    'an expiry in the past': await sign({ exp: now }),
    'an issue time in the future': await sign({ iat: now + 3600 }),
    'no type': await new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid }).sign(key),
    'the type of an ID token': await sign({}, { typ: 'JWT' }),
    'a key embedded in the header': await new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid, typ: 'at+jwt', jwk }).sign(own.privateKey),
    'an unknown key': await new SignJWT(claims).setProtectedHeader({ ...header, alg: 'ES256', kid: 'other' }).sign(own.privateKey),
    'no algorithm': `${encode({ alg: 'none', kid, typ: 'at+jwt' })}.${encode(claims)}.`,
    'a shared key': await new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid, typ: 'at+jwt' }).sign(new TextEncoder().encode(jwks)),
    'a critical extension': await sign({}, { crit: ['exp'], exp: now }).catch(() => `${encode({ ...header, crit: ['x'] })}.${encode(claims)}.AA`),
    'a changed scope': `${good.split('.')[0]}.${encode({ ...claims, scope: 'tools:read tools:write admin' })}.${good.split('.')[2]}`,
    'a confirmation of another kind': await sign({ cnf: { 'x5t#S256': 'x' } }),
    nothing: 'x',
  }
}

test.each(['keys', 'introspection'] as const)('with a tenant, tokens of another tenant are refused (%s)', async (mode) => {
  const { own, net, server, tokens, shown, company, app } = await start(mode)
  expect(own).toBeDefined()
  const token = await tokens()
  expect((await shown(token)).status).toBe(200)
  const credentials = { id: server.id, secret: server.secret }
  const at = (tenant: string) =>
    guard({ issuer: ISSUER, resource: server.resource, tenant, credentials, checkedBy: mode, fetch: net, now: () => app.clock.now() })
  const request = () => new Request(server.resource, { headers: { authorization: `Bearer ${token}` } })
  expect((await at(company.tenantId).check(request())).token?.tenantId).toBe(company.tenantId)
  const { refusal } = await at((await app.company('globex')).tenantId).check(request())
  expect(refusal === undefined ? undefined : await refusalOf(refusal)).toEqual(invalid)
})

test('a token with a malformed actor is refused, because the actor could not be distinguished from the subject', () => {
  const claims = { sub: 's', client_id: 'c', tenant_id: 't', scope: '', iat: 1, exp: 3 }
  const read = (act?: unknown) => accessTokenOf('x', act === undefined ? claims : { ...claims, act }, new Date(2000))
  expect(read()?.actor).toBeUndefined()
  expect(read({ sub: 'agent', act: { sub: 'below' } })?.actor).toEqual({ sub: 'agent', act: { sub: 'below' } })
  for (const act of [null, 'x', {}, { name: 'x' }, { sub: 'agent', act: {} }, { sub: 'agent', act: 'x' }, []]) expect(read(act)).toBeUndefined()
})

describe.each(['keys', 'introspection'] as const)('by %s', (mode) => {
  test('a valid token passes, and the handler learns the subject', async () => {
    const { client, tokens, shown } = await start(mode)
    const response = await shown(await tokens({ scope: 'tools:read' }), { scopes: ['tools:read'] })
    expect([response.status, await response.json()]).toEqual([200, { subject: client.id, scopes: ['tools:read'] }])
  })

  test('without a token the response names the authorization server and no error', async () => {
    const { call, server, own } = await start(mode)
    const { status, challenge } = await refusalOf(await call({}, { scopes: ['tools:read'] }))
    const metadata = server.resource.replace('/mcp', '/.well-known/oauth-protected-resource/mcp')
    expect(status).toBe(401)
    expect(challenge).toBe(
      `Bearer scope="tools:read", resource_metadata="${metadata}", DPoP scope="tools:read", resource_metadata="${metadata}", algs="ES256 EdDSA PS256 RS256"`,
    )
    const document = own.metadata(new Request(metadata))
    expect(document?.headers.get('access-control-allow-origin')).toBe('*')
    expect(await document?.json()).toMatchObject({
      resource: server.resource,
      authorization_servers: [ISSUER],
      authorization_details_types_supported: ['payment'],
      scopes_supported: ['tools:read', 'tools:write'],
      bearer_methods_supported: ['header'],
    })
    expect(own.metadata(new Request(server.resource))).toBeUndefined()
    // A token in the query is ignored.
    expect((await call({}, {}, `${server.resource}?access_token=x`)).status).toBe(401)
  })

  test('every unacceptable token is refused with the same answer', async () => {
    const world = await start(mode)
    for (const [name, token] of Object.entries(await forged(world))) expect(await refusalOf(await world.shown(token)), name).toEqual(invalid)
  })

  test('a token of another resource server and an expired token are refused', async () => {
    const { app, company, tokens, shown, client } = await start(mode)
    const other = await newResource(app, company, SCOPES)
    const elsewhere = await newOauthClient(app, company, { at: [other] })
    const foreign = await (
      await postForm(app, '/oauth/token', { grant_type: 'client_credentials' }, { authorization: elsewhere.authorization })
    ).json()
    expect(await refusalOf(await shown(foreign.access_token))).toEqual(invalid)
    expect(client.id).not.toBe(elsewhere.id)
    const own = await tokens()
    app.clock.advance(299)
    expect((await shown(own)).status).toBe(200)
    app.clock.advance(1)
    expect(await refusalOf(await shown(own))).toEqual(invalid)
  })

  test.each(['Bearer', 'Bearer a b', 'Bearer a,Bearer b', 'Bearer \u00e4'])('"%s" is a malformed request', async (authorization) => {
    const { call } = await start(mode)
    expect((await refusalOf(await call({ authorization }))).error).toBe('invalid_request')
  })

  test('a missing scope is named', async () => {
    const { tokens, shown } = await start(mode)
    const refusal = await refusalOf(await shown(await tokens({ scope: 'tools:read' }), { scopes: ['tools:read', 'tools:write'] }))
    expect(refusal).toMatchObject({ status: 403, error: 'insufficient_scope' })
    expect(refusal.challenge).toContain('Bearer error="insufficient_scope"')
    expect(refusal.challenge).toContain('scope="tools:read tools:write"')
  })

  test('a sign-in that is too old or too weak requires a new one (RFC 9470)', async () => {
    const { app, company, server, shown } = await start(mode)
    const client = await newOauthClient(app, company, { at: [server], isPublic: true })
    const person = await app.person(company)
    const code = await codeFor(await oauthBrowser(app, person), client, { scope: 'tools:read', resource: server.resource })
    const form = { grant_type: 'authorization_code', code, client_id: client.id, redirect_uri: client.redirectUri, code_verifier: VERIFIER }
    const { access_token: token } = await (await postForm(app, '/oauth/token', form)).json()
    expect((await shown(token, { maxAge: 300 })).status).toBe(200)
    const weak = await refusalOf(await shown(token, { acrValues: ['phrh'], maxAge: 60 }))
    expect(weak).toMatchObject({ status: 401, error: 'insufficient_user_authentication' })
    expect(weak.challenge).toContain('acr_values="phrh", max_age="60"')
    app.clock.advance(120)
    expect((await refusalOf(await shown(token, { maxAge: 60 }))).error).toBe('insufficient_user_authentication')
    expect((await shown(token, { maxAge: 600 })).status).toBe(200)
  })

  test('a service token cannot satisfy a maximum age, because it has no sign-in', async () => {
    const { tokens, shown } = await start(mode)
    expect((await refusalOf(await shown(await tokens(), { maxAge: 60 }))).error).toBe('insufficient_user_authentication')
  })

  test('a bound token is accepted once with a proof of its key for this request', async () => {
    const { app, server, tokens, call } = await start(mode)
    const [holder, thief] = [await prover(app), await prover(app)]
    const token = await tokens({}, { dpop: await holder.proof({ htm: 'POST', htu: `${ISSUER}/oauth/token` }) })
    const ath = Buffer.from(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token))).toString('base64url')
    const here = { htm: 'GET', htu: server.resource, ath }
    const withProof = (proof: string) => call({ authorization: `DPoP ${token}`, dpop: proof }, {}, `${server.resource}?page=2`)
    const proof = await holder.proof(here)
    expect((await withProof(proof)).status).toBe(200)
    const refused = await refusalOf(await withProof(proof))
    expect(refused).toMatchObject({ status: 401, error: 'invalid_dpop_proof' })
    expect(refused.challenge).toContain('DPoP error="invalid_dpop_proof"')
    const iat = Math.floor(app.clock.now().getTime() / 1000)
    const bad = [
      await thief.proof(here),
      await holder.proof({ ...here, htm: 'POST' }),
      await holder.proof({ ...here, htu: `${server.resource}/other` }),
      await holder.proof({ ...here, htu: 'https://evil.example/mcp' }),
      await holder.proof({ ...here, ath: 'x' }),
      await holder.proof({ ...here, iat: iat - 61 }),
      await holder.proof({ ...here, iat: iat + 61 }),
      'x.y.z',
    ]
    for (const one of bad) expect((await refusalOf(await withProof(one))).error).toBe('invalid_dpop_proof')
    // A bound token is not a bearer token, and a bearer token is not a bound one.
    expect(await refusalOf(await call({ authorization: `Bearer ${token}`, dpop: await holder.proof(here) }))).toEqual(invalid)
    expect(await refusalOf(await call({ authorization: `DPoP ${await tokens()}`, dpop: await holder.proof(here) }))).toEqual(invalid)
    expect((await call({ authorization: `DPoP ${token}` })).status).toBe(401)
  })

  test('of concurrent requests with one proof exactly one passes', async () => {
    const { app, server, tokens, call } = await start(mode)
    const holder = await prover(app)
    const token = await tokens({}, { dpop: await holder.proof({ htm: 'POST', htu: `${ISSUER}/oauth/token` }) })
    const ath = Buffer.from(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token))).toString('base64url')
    const proof = await holder.proof({ htm: 'GET', htu: server.resource, ath })
    const all = await Promise.all(Array.from({ length: 20 }, () => call({ authorization: `DPoP ${token}`, dpop: proof })))
    expect(all.filter(({ status }) => status === 200)).toHaveLength(1)
  })

  test('while the issuer is unreachable nothing passes, and it recovers by itself', async () => {
    const { tokens, shown, reach } = await start(mode)
    const token = await tokens()
    reach.away = true
    const response = await shown(token)
    expect([response.status, response.headers.get('retry-after'), (await response.json()).error]).toEqual([503, '1', 'temporarily_unavailable'])
    reach.away = false
    expect((await shown(token)).status).toBe(200)
  })
})

describe('revocations, with tokens checked by keys', () => {
  const dead = async (world: Started): Promise<string> => {
    const token = await world.tokens()
    expect((await world.shown(token)).status).toBe(200)
    await postForm(world.app, '/oauth/revoke', { token }, { authorization: world.client.authorization })
    return token
  }

  test('a revoked token is refused within two seconds, and the others still pass', async () => {
    const world = await start('keys')
    const [token, other] = [await dead(world), await world.tokens()]
    world.app.clock.advance(2)
    expect(await refusalOf(await world.shown(token))).toEqual(invalid)
    expect((await world.shown(other)).status).toBe(200)
  })

  test('revocations are read at most once a second', async () => {
    const world = await start('keys')
    const token = await world.tokens()
    const requested: string[] = []
    const counting = guard({
      issuer: ISSUER,
      resource: world.server.resource,
      credentials: { id: world.server.id, secret: world.server.secret },
      now: () => world.app.clock.now(),
      fetch: async (input, init) => {
        const request = new Request(input, init)
        requested.push(new URL(request.url).pathname)
        return world.app.app.request(request, undefined, { peer: { address: '192.0.2.7', secure: false } })
      },
    })
    const request = () => new Request(world.server.resource, { headers: { authorization: `Bearer ${token}` } })
    for (let n = 0; n < 3; n++) await Promise.all(Array.from({ length: 10 }, () => counting.check(request())))
    expect(requested.filter((path) => path === '/oauth/revocations')).toHaveLength(1)
    world.app.clock.advance(1)
    await counting.check(request())
    expect(requested.filter((path) => path === '/oauth/revocations')).toHaveLength(2)
    expect(requested.filter((path) => path === '/oauth/introspect')).toEqual([])
  })

  test('once the known revocations are older than promised, nothing passes until they can be read again', async () => {
    const world = await start('keys')
    const token = await world.tokens()
    expect((await world.shown(token)).status).toBe(200)
    world.reach.away = true
    world.app.clock.advance(1)
    expect((await world.shown(token)).status).toBe(200)
    world.app.clock.advance(1)
    expect((await world.shown(token)).status).toBe(503)
    world.reach.away = false
    expect((await world.shown(token)).status).toBe(200)
  })

  test('revocations that took longer than promised to arrive let nothing pass', async () => {
    const world = await start('keys')
    const token = await world.tokens()
    const slow = guard({
      issuer: ISSUER,
      resource: world.server.resource,
      credentials: { id: world.server.id, secret: world.server.secret },
      now: () => world.app.clock.now(),
      fetch: async (input, init) => {
        const answer = await world.net(input, init)
        if (String(input).includes('/oauth/revocations')) world.app.clock.advance(2)
        return answer
      },
    })
    const request = new Request(world.server.resource, { headers: { authorization: `Bearer ${token}` } })
    expect((await slow.check(request)).refusal?.status).toBe(503)
  })

  test('without credentials a revoked token is accepted until it expires', async () => {
    const world = await start('keys')
    const blind = guard({ issuer: ISSUER, resource: world.server.resource, now: () => world.app.clock.now(), fetch: world.net })
    const token = await dead(world)
    world.app.clock.advance(2)
    const request = new Request(world.server.resource, { headers: { authorization: `Bearer ${token}` } })
    expect((await blind.check(request)).refusal).toBeUndefined()
  })
})

test('on the loopback interface only loopback host names and origins are accepted', async () => {
  const { call } = await start('keys', { resource: 'http://localhost:3000/mcp' })
  const status = async (headers: Readonly<Record<string, string>>) => (await call(headers, {}, 'http://localhost:3000/mcp')).status
  for (const host of ['localhost:3000', '127.0.0.1:3000', '[::1]:3000']) expect(await status({ host, origin: 'http://localhost:6274' })).toBe(401)
  for (const host of ['evil.example', 'localhost.evil.example:3000', '127.0.0.1.nip.io', '192.168.1.2'])
    expect(await status({ host }), host).toBe(403)
  for (const origin of ['https://evil.example', 'http://localhost.evil.example', 'null']) expect(await status({ origin }), origin).toBe(403)
  const elsewhere = await start('keys')
  expect((await elsewhere.call({ origin: 'https://inspector.example' })).status).toBe(401)
})
