// Assertions of trusted issuers are redeemed for tokens (RFC 7523, ID-JAG), and identity assertions are issued for other authorization servers.
import { createHash } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import { exportJWK, generateKeyPair, type JWK, jwtVerify, SignJWT } from 'jose'
import { afterAll, describe, expect, test } from 'vitest'
import { atomically, forTenant } from '#db/engine/tenant'
import { setClientActive } from '#db/store/clients'
import { insertIdentity } from '#db/store/identities'
import { insertIssuer, type NewTrustedIssuer, updateIssuer } from '#db/store/oauth-issuers'
import { setUserActive } from '#db/store/people'
import { putBinding, putRole } from '#db/testing/access'
import { JWT_BEARER, TOKEN_EXCHANGE, TOKEN_TYPES } from '#shared/domains/oauth/supported'
import { fixedClock } from '#shared/kernel/clock'
import { guardedFetch } from '#shared/platform/fetch/guarded'
import { authorizationServerError } from '#shared/platform/http/problem'
import { exchange, introspected, newAgent, newDetailType, newExchanger, newPolicy, payment } from '#tests/support/agents'
import { startApp, TEST_START } from '#tests/support/app'
import { claimsOf, codeFor, newResource, oauthBrowser, postForm, prover, TOKEN_URL, tokenHeader, VERIFIER } from '#tests/support/oauth'
import { STRONG_KEYS } from '#tests/support/weak-keys'
import { oauthRoutes } from './routes.ts'

const OURS = 'http://localhost:7468'
const TYP = 'oauth-id-jag+jwt'

const start = async (made: Partial<NewTrustedIssuer> = {}, options: Parameters<typeof startApp>[1] = {}) => {
  const app = await startApp(oauthRoutes, { render: authorizationServerError, ...options })
  const company = await app.company()
  const server = await newResource(app, company, [{ name: 'tools:read' }, { name: 'tools:write', permission: 'tools:write' }])
  const client = await newExchanger(app, company, { at: [server] })
  const person = await app.person(company, ['tools:write'])
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  const key: JWK = { ...(await exportJWK(publicKey)), kid: 'k-1', alg: 'ES256' }
  const name = `https://idp-${company.name}.example.com`
  const id = app.ctx.random.id()
  const at = app.clock.now()
  await atomically(forTenant(app.db, company.tenantId), async (t) => {
    await insertIssuer(t, {
      id,
      name: 'Workforce',
      issuer: name,
      acceptsIdentity: true,
      jwks: { keys: [key as Record<string, unknown>] },
      subjectMapping: 'user_id',
      validFrom: at,
      createdAt: at,
      updatedAt: at,
      ...made,
    })
  })
  const seconds = () => Math.floor(app.clock.now().getTime() / 1000)
  const assertion = (claims: Readonly<Record<string, unknown>> = {}, header: Readonly<Record<string, unknown>> = {}) => {
    const own = {
      iss: name,
      sub: person.id,
      aud: OURS,
      client_id: client.id,
      jti: app.ctx.random.id(),
      iat: seconds(),
      exp: seconds() + 300,
      scope: 'tools:read tools:write',
      resource: server.resource,
    }
    const all = Object.fromEntries(Object.entries({ ...own, ...claims }).filter(([, value]) => value !== undefined))
    return new SignJWT(all).setProtectedHeader({ alg: 'ES256', kid: 'k-1', typ: TYP, ...header } as never).sign(privateKey)
  }
  const redeem = (text: string, more: Readonly<Record<string, string>> = {}, by = client, headers = {}) =>
    postForm(app, '/oauth/token', { grant_type: JWT_BEARER, assertion: text, ...more }, { authorization: by.authorization, ...headers })
  const errorOf = async (response: Response) => [response.status, (await response.json()).error]
  return { app, company, server, client, person, key, privateKey, name, id, assertion, redeem, errorOf }
}

let publishing: Server | undefined
afterAll(() => publishing?.close())

describe('Authorization grant (RFC 7523 section 2.1)', () => {
  test('An identity assertion is redeemed once, for a token of the person that it names', async () => {
    const { app, company, server, client, person, assertion, redeem, errorOf } = await start()
    const text = await assertion()
    const response = await redeem(text)
    const set = await response.json()
    expect(set).toMatchObject({ token_type: 'Bearer', expires_in: 300, scope: 'tools:read tools:write' })
    expect(set.refresh_token).toBeUndefined()
    expect(claimsOf(set.access_token)).toMatchObject({ sub: person.id, client_id: client.id, aud: server.resource })
    expect(claimsOf(set.access_token).act).toBeUndefined()
    expect(await introspected(app, server, set.access_token)).toMatchObject({ active: true, subject_type: 'user', acting_user_id: person.id })
    expect(await errorOf(await redeem(text))).toEqual([400, 'invalid_grant'])
    expect(await app.events(company.tenantId, { event: 'oauth.assertion_redeemed' })).toHaveLength(1)
  })

  test('The token and its delegation expire at the same second, even if the request takes long', async () => {
    const slow = fixedClock(TEST_START)
    const now = (): Date => {
      slow.advance(1.1)
      return slow.now()
    }
    const { app, company, assertion, redeem } = await start({}, { extra: { clock: { now, elapsed: slow.elapsed } } })
    const { access_token: token, expires_in: seconds } = await (await redeem(await assertion())).json()
    const { iat, exp, delegation_id: id } = claimsOf(token) as { iat: number; exp: number; delegation_id: string }
    expect([exp - iat, seconds]).toEqual([300, 300])
    const text = 'select floor(extract(epoch from expires_at))::int from authsec.oauth_delegations where id = $1'
    expect(await forTenant(app.db, company.tenantId).run({ text, params: [id], arrays: true })).toEqual([[exp]])
  })

  test('Of fifty parallel redemptions of one assertion one succeeds', async () => {
    const { assertion, redeem } = await start()
    const text = await assertion()
    const answers = await Promise.all(Array.from({ length: 50 }, () => redeem(text)))
    expect(answers.map(({ status }) => status).filter((status) => status === 200)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(49)
  })

  test('Scopes are limited by the assertion, the issuer and the person; the resource is the one that the assertion names', async () => {
    const { app, company, server, client, assertion, redeem, errorOf } = await start({ scopes: ['tools:read'] })
    expect((await (await redeem(await assertion())).json()).scope).toBe('tools:read')
    expect(await errorOf(await redeem(await assertion(), { scope: 'tools:write' }))).toEqual([400, 'invalid_scope'])
    expect(await errorOf(await redeem(await assertion({ scope: 'other' })))).toEqual([400, 'invalid_scope'])
    const other = await newResource(app, company, [{ name: 'tools:read' }])
    expect(await errorOf(await redeem(await assertion({ resource: other.resource })))).toEqual([400, 'invalid_target'])
    expect(await errorOf(await redeem(await assertion(), { resource: other.resource }))).toEqual([400, 'invalid_target'])
    expect((await redeem(await assertion({ resource: undefined }), { resource: server.resource }, client)).status).toBe(200)
  })

  test('Authorization details of the assertion limit the token, and an unknown type is refused', async () => {
    const { app, company, assertion, redeem, errorOf } = await start()
    await newDetailType(app, company)
    const bearing = (details: unknown) => assertion({ authorization_details: details })
    expect(await errorOf(await redeem(await bearing([{ type: 'unknown' }])))).toEqual([400, 'invalid_authorization_details'])
    const more = { authorization_details: JSON.stringify([payment({ max_calls: 11 })]) }
    expect(await errorOf(await redeem(await bearing([payment()]), more))).toEqual([400, 'invalid_authorization_details'])
    expect(await errorOf(await redeem(await assertion(), more))).toEqual([400, 'invalid_authorization_details'])
    expect((await (await redeem(await bearing([payment()]))).json()).authorization_details).toEqual([payment()])
  })

  test('An agent that redeems an assertion acts for the person within the policies; earlier actors stay in the act claim', async () => {
    const { app, company, server, person, assertion, redeem, errorOf, name } = await start()
    const agent = await newAgent(app, company, company.admin.id, { at: [server] })
    const claims = { client_id: agent.id, act: { sub: 'bot-7' } }
    expect(await errorOf(await redeem(await assertion(claims), {}, agent))).toEqual([400, 'invalid_grant'])
    await newPolicy(app, company, [{ userId: person.id }], { allowed: ['tools:read'] })
    const set = await (await redeem(await assertion(claims), {}, agent)).json()
    expect(set.scope).toBe('tools:read')
    const act = { sub: agent.id, client_id: agent.id, act: { sub: 'bot-7', iss: name } }
    expect(claimsOf(set.access_token).act).toEqual(act)
    expect(await introspected(app, server, set.access_token)).toMatchObject({ active: true, act })
  })

  test('Tokens of an assertion end with the person, the client and the trust in its issuer', async () => {
    const revocations = [
      (c: Awaited<ReturnType<typeof start>>) =>
        atomically(forTenant(c.app.db, c.company.tenantId), (t) => setUserActive(t, c.person.id, false, c.app.clock.now())),
      (c: Awaited<ReturnType<typeof start>>) =>
        atomically(forTenant(c.app.db, c.company.tenantId), (t) => setClientActive(t, c.client.id, false, c.app.clock.now())),
      (c: Awaited<ReturnType<typeof start>>) => atomically(forTenant(c.app.db, c.company.tenantId), (t) => updateIssuer(t, c.id, { active: false })),
    ]
    for (const revoke of revocations) {
      const c = await start()
      const { access_token: token } = await (await c.redeem(await c.assertion())).json()
      expect(await introspected(c.app, c.server, token)).toMatchObject({ active: true })
      await revoke(c)
      expect(await introspected(c.app, c.server, token)).toEqual({ active: false })
    }
  })
})

describe('Assertion format and processing (RFC 7523 section 3)', () => {
  test('A weak key is refused even if it was already registered', async () => {
    // With the exponent 1 a signature equals its message, so anyone can sign.
    const [rsa] = STRONG_KEYS.filter(({ kty }) => kty === 'RSA')
    const key = { ...rsa, e: 'AQ', kid: 'k-1' }
    const c = await start({ jwks: { keys: [key] } })
    const signed = (await c.assertion({}, { alg: 'ES256' })).split('.')
    const header = Buffer.from(JSON.stringify({ alg: 'RS256', kid: 'k-1', typ: TYP })).toString('base64url')
    const digest = createHash('sha256').update(`${header}.${signed[1]}`).digest()
    const info = Buffer.concat([Buffer.from('3031300d060960864801650304020105000420', 'hex'), digest])
    const padded = Buffer.concat([Buffer.from([0, 1]), Buffer.alloc(256 - 3 - info.length, 0xff), Buffer.from([0]), info])
    const forged = `${header}.${signed[1]}.${padded.toString('base64url')}`
    expect(await c.errorOf(await c.redeem(forged))).toEqual([400, 'invalid_grant'])
  })

  test.each([
    ['the issuer is not trusted here', { iss: 'https://stranger.example.com' }],
    ['it names this service as issuer', { iss: OURS }],
    ['it names no issuer', { iss: undefined }],
    ['the audience is the token endpoint', { aud: `${OURS}/oauth/token` }],
    ['the audience is a list', { aud: [OURS] }],
    ['it has no audience', { aud: undefined }],
    ['it is for another client', { client_id: '0190aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee' }],
    ['it is for no client', { client_id: undefined }],
    ['it has no id', { jti: undefined }],
    ['its id is not a string', { jti: 7 }],
    ['it has no expiry', { exp: undefined }],
    ['it has expired', { exp: 1 }],
    ['it expires too late', { exp: 4_000_000_000 }],
    ['it is not valid yet', { nbf: 4_000_000_000 }],
    ['it was issued in the future', { iat: 4_000_000_000 }],
    ['its subject is an email address', { sub: 'pat@example.com' }],
    ['its subject is unknown', { sub: '0190aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee' }],
    ['it has no subject', { sub: undefined }],
    ['it is bound to a key', { cnf: { jkt: 'x'.repeat(43) } }],
    ['it is bound by an unsupported method', { cnf: { 'x5t#S256': 'x' } }],
    ['its scope is not a string', { scope: ['tools:read'] }],
    ['its act claim is not an object', { act: 'agent' }],
  ])('An assertion is refused where %s', async (_, claims) => {
    const { app, company, assertion, redeem, errorOf } = await start()
    expect(await errorOf(await redeem(await assertion(claims)))).toEqual([400, 'invalid_grant'])
    expect(await app.events(company.tenantId, { event: 'oauth.assertion_redeemed' })).toEqual([])
  })

  test.each([
    ['another type', { typ: 'JWT' }],
    ['the type of an access token', { typ: 'at+jwt' }],
    ['no type', { typ: undefined }],
    ['an unknown key', { kid: 'k-2' }],
    ['a critical extension', { crit: ['b64'], b64: true }],
  ])('An assertion is refused with %s', async (_, header) => {
    const { assertion, redeem, errorOf } = await start()
    const text = await assertion({}, header)
    expect(await errorOf(await redeem(text))).toEqual([400, 'invalid_grant'])
  })

  test('An assertion is refused if it is unsigned, signed by another key or signed with the public key as a secret', async () => {
    const { assertion, redeem, errorOf, key } = await start()
    const text = await assertion()
    const [, body] = text.split('.')
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    const stranger = await generateKeyPair('ES256')
    const claims = claimsOf(text)
    const tries = [
      `${part({ alg: 'none', typ: TYP })}.${body}.`,
      await new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: 'k-1', typ: TYP }).sign(stranger.privateKey),
      await new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: 'k-1', typ: TYP }).sign(Buffer.from(JSON.stringify(key))),
      await new SignJWT(claims)
        .setProtectedHeader({ alg: 'ES256', kid: 'k-1', typ: TYP, jwk: await exportJWK(stranger.publicKey) })
        .sign(stranger.privateKey),
      'x',
      'a.b.c',
    ]
    for (const one of tries) expect(await errorOf(await redeem(one))).toEqual([400, 'invalid_grant'])
  })

  test('An assertion bound to a key is accepted only with a proof of that key (RFC 9449)', async () => {
    const { app, assertion, redeem, errorOf } = await start()
    const [holder, otherKey] = [await prover(app), await prover(app)]
    const dpop = async (by: typeof holder) => ({ dpop: await by.proof({ htm: 'POST', htu: TOKEN_URL }) })
    const { calculateJwkThumbprint } = await import('jose')
    const cnf = { jkt: await calculateJwkThumbprint(holder.jwk) }
    expect(await errorOf(await redeem(await assertion({ cnf }), {}, undefined, await dpop(otherKey)))).toEqual([400, 'invalid_grant'])
    expect(await (await redeem(await assertion({ cnf }), {}, undefined, await dpop(holder))).json()).toMatchObject({ token_type: 'DPoP' })
  })

  test('An issuer is trusted only in its own tenant', async () => {
    const [ours, theirs] = [await start(), await start()]
    const text = await ours.assertion({ client_id: theirs.client.id, sub: theirs.person.id, resource: theirs.server.resource })
    expect(await theirs.errorOf(await theirs.redeem(text))).toEqual([400, 'invalid_grant'])
  })

  test('An issuer that names people by user id cannot name an administrator, whatever the binding', async () => {
    const { app, company, assertion, redeem, errorOf } = await start()
    const [partial, conditional] = [await app.person(company, ['admin:access', 'tools:write']), await app.person(company, ['tools:write'])]
    const at = app.clock.now()
    await atomically(forTenant(app.db, company.tenantId), async (t) => {
      const role = await putRole(t, 'sometimes', ['admin:access'], at)
      await putBinding(t, role, { userId: conditional.id }, at, { conditions: { mfa_required: true } })
    })
    for (const { id } of [company.admin, partial, conditional]) {
      const response = await redeem(await assertion({ sub: id }))
      const unknown = await redeem(await assertion({ sub: app.ctx.random.id() }))
      expect(await response.json()).toEqual({ ...(await unknown.json()), request_id: expect.any(String) })
      expect(await errorOf(await redeem(await assertion({ sub: id })))).toEqual([400, 'invalid_grant'])
    }
    expect(await app.events(company.tenantId, { event: 'oauth.assertion_redeemed' })).toEqual([])
  })

  test('A plain assertion of RFC 7523 is accepted where the issuer is configured for it', async () => {
    const { assertion, redeem } = await start({ acceptsIdentity: false, acceptsJwt: true })
    expect((await redeem(await assertion({ client_id: undefined }, { typ: 'JWT' }))).status).toBe(200)
    expect((await redeem(await assertion())).status).toBe(400)
  })

  test('A subject names a linked identity or an external id', async () => {
    const linked = await start({ subjectMapping: 'identity' })
    const { app, company, person, name } = linked
    expect((await linked.redeem(await linked.assertion({ sub: 'their-7' }))).status).toBe(400)
    const at = app.clock.now()
    await atomically(forTenant(app.db, company.tenantId), (t) =>
      insertIdentity(
        t,
        { id: app.ctx.random.id(), userId: person.id, issuer: name, subject: 'their-7', provider: 'idp', createdAt: at, updatedAt: at },
        undefined,
      ),
    )
    const set = await (await linked.redeem(await linked.assertion({ sub: 'their-7' }))).json()
    expect(claimsOf(set.access_token).sub).toBe(person.id)
    const external = await start({ subjectMapping: 'external_id' })
    await atomically(forTenant(external.app.db, external.company.tenantId), (t) =>
      t.run({
        text: 'update authsec.users set external_id = $2 where tenant_id = $1 and id = $3',
        params: [t.tenantId, 'ext-1', external.person.id],
        arrays: true,
      }),
    )
    expect((await external.redeem(await external.assertion({ sub: 'ext-1' }))).status).toBe(200)
    expect((await external.redeem(await external.assertion({ sub: external.person.id }))).status).toBe(400)
  })

  test('Published keys are fetched once for many requests, and again for a new key', async () => {
    let [served, requested] = [[] as JWK[], 0]
    publishing = createServer((_, response) => {
      requested++
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: served }))
    })
    await new Promise<void>((resolve) => publishing?.listen(0, '127.0.0.1', resolve))
    const address = publishing.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const outbound = guardedFetch({ resolver: { resolve: async () => ['127.0.0.1'] }, loopback: true })
    const c = await start({ jwks: null, jwksUri: `http://127.0.0.1:${port}/jwks` }, { extra: { outbound } })
    expect((await c.redeem(await c.assertion())).status).toBe(400)
    served = [c.key]
    c.app.clock.advance(31)
    for (let n = 0; n < 3; n++) expect((await c.redeem(await c.assertion())).status).toBe(200)
    expect(requested).toBe(2)
    expect((await c.redeem(await c.assertion({}, { kid: 'k-2' }))).status).toBe(400)
    expect(requested).toBe(2)
    const guarded = await start({ jwks: null, jwksUri: `http://127.0.0.1:${port}/jwks` })
    expect((await guarded.redeem(await guarded.assertion())).status).toBe(400)
    expect(requested).toBe(2)
  })
})

describe('Identity assertion (draft-ietf-oauth-identity-assertion-authz-grant)', () => {
  test('An identity assertion is issued for a configured server only, with its client id, limited scopes and a short life', async () => {
    const partner = 'https://as.partner.example.com'
    const c = await start()
    const { app, company, client, server, person } = c
    const at = app.clock.now()
    await atomically(forTenant(app.db, company.tenantId), (t) =>
      insertIssuer(t, {
        id: app.ctx.random.id(),
        name: 'Partner',
        issuer: partner,
        sends: true,
        clientIds: { [client.id]: 'their-client' },
        sentScopes: ['chat.read'],
        validFrom: at,
        createdAt: at,
        updatedAt: at,
      }),
    )
    const code = await codeFor(await oauthBrowser(app, person), client, { scope: 'openid tools:read', resource: server.resource })
    const headers = { authorization: client.authorization }
    const set = await (await postForm(app, '/oauth/token', { grant_type: 'authorization_code', code, code_verifier: VERIFIER }, headers)).json()
    const form = {
      grant_type: TOKEN_EXCHANGE,
      requested_token_type: TOKEN_TYPES.idJag,
      subject_token: set.id_token,
      subject_token_type: TOKEN_TYPES.id,
      audience: partner,
      scope: 'chat.read',
      resource: 'https://chat.partner.example.com/',
    }
    const requestAssertion = (more: Readonly<Record<string, string>> = {}, by = client) =>
      postForm(app, '/oauth/token', { ...form, ...more }, { authorization: by.authorization })
    const made = await (await requestAssertion()).json()
    expect(made).toMatchObject({ issued_token_type: TOKEN_TYPES.idJag, token_type: 'N_A', expires_in: 300, scope: 'chat.read' })
    expect(tokenHeader(made.access_token)).toMatchObject({ typ: TYP, alg: 'RS256' })
    const { kid, key } = await app.ctx.signingKeys.signer('RS256')
    expect(tokenHeader(made.access_token).kid).toBe(kid)
    expect(key).toBeDefined()
    const verifier = await app.ctx.signingKeys.verifier(kid)
    if (verifier === undefined) throw new Error('no key')
    const { payload } = await jwtVerify(made.access_token, verifier.key, { currentDate: app.clock.now(), typ: TYP, audience: partner, issuer: OURS })
    expect(payload).toMatchObject({
      sub: person.id,
      client_id: 'their-client',
      scope: 'chat.read',
      tenant: company.tenantId,
      resource: form.resource,
    })
    expect(payload.aud).toBe(partner)
    for (const [more, error] of [
      [{ audience: 'https://unknown.example.com' }, 'invalid_target'],
      [{ audience: c.name }, 'invalid_target'],
      [{ audience: '' }, 'invalid_request'],
      [{ scope: 'chat.write' }, 'invalid_scope'],
      [{ subject_token: set.access_token }, 'invalid_request'],
      [{ authorization_details: '[{"type":"x"}]' }, 'invalid_authorization_details'],
    ] as const)
      expect(await c.errorOf(await requestAssertion(more))).toEqual([400, error])
    const other = await newExchanger(app, company, { at: [server] })
    expect(await c.errorOf(await requestAssertion({}, other))).toEqual([400, 'invalid_target'])
    // An assertion that this service issued for another server is not accepted here.
    expect(await c.errorOf(await c.redeem(made.access_token))).toEqual([400, 'invalid_grant'])
  })

  test('A delegated agent gets an identity assertion only within the policies that let it act', async () => {
    const partner = 'https://as.partner.example.com'
    const { app, company, server, client, person, errorOf } = await start()
    const agent = await newAgent(app, company, company.admin.id, { at: [server] })
    const at = app.clock.now()
    const sends = { sends: true, clientIds: { [agent.id]: 'their-agent' }, sentScopes: ['chat.read', 'chat.write'] }
    await atomically(forTenant(app.db, company.tenantId), (t) =>
      insertIssuer(t, { id: app.ctx.random.id(), name: 'Partner', issuer: partner, ...sends, validFrom: at, createdAt: at, updatedAt: at }),
    )
    const code = await codeFor(await oauthBrowser(app, person), client, { scope: 'tools:read', resource: server.resource })
    const form = { grant_type: 'authorization_code', code, code_verifier: VERIFIER }
    const set = await (await postForm(app, '/oauth/token', form, { authorization: client.authorization })).json()
    await newPolicy(app, company, [{ userId: person.id }], { allowed: ['tools:read'], audience: [server.resource] })
    const { access_token: delegated } = await (await exchange(app, agent, set.access_token)).json()
    const requestAssertion = (more: Readonly<Record<string, string>> = {}) =>
      exchange(app, agent, delegated, { requested_token_type: TOKEN_TYPES.idJag, audience: partner, ...more })
    for (const more of [{}, { scope: 'chat.read' }] as const) expect(await errorOf(await requestAssertion(more))).toEqual([400, 'invalid_request'])
    await newPolicy(app, company, [{ userId: person.id }], { allowed: ['chat.read'], audience: [partner], seconds: 60 })
    expect(await errorOf(await requestAssertion({ scope: 'chat.write' }))).toEqual([400, 'invalid_scope'])
    const made = await (await requestAssertion()).json()
    expect(made).toMatchObject({ scope: 'chat.read', expires_in: 60 })
    expect(claimsOf(made.access_token)).toMatchObject({ sub: person.id, act: { sub: agent.id }, client_id: 'their-agent', scope: 'chat.read' })
  })
})

test.each([5, null, true, {}, ['a']])('an assertion whose iss and sub are %j authenticates no client, at any endpoint', async (value) => {
  const app = await startApp(oauthRoutes, { render: authorizationServerError })
  const part = (claims: unknown): string => Buffer.from(JSON.stringify(claims)).toString('base64url')
  const assertion = `${part({ alg: 'ES256', kid: 'k' })}.${part({ iss: value, sub: value })}.AA`
  const form = {
    grant_type: 'client_credentials',
    client_assertion: assertion,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  }
  for (const path of ['token', 'par', 'revoke', 'device_authorization', 'bc-authorize', 'requester-bootstrap'])
    expect((await postForm(app, `/oauth/${path}`, form)).status, path).toBe(401)
})
