// DPoP, client assertions and pushed authorization requests.
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import { authorizationServerError } from '#shared/platform/http/problem'
import { startApp } from '#tests/support/app'
import {
  answerIn,
  authorizePath,
  challengeOf,
  changeClient,
  claimsOf,
  codeFor,
  type Json,
  newOauthClient,
  newResource,
  oauthBrowser,
  postForm,
  prover,
  REDIRECT,
  TOKEN_URL,
  VERIFIER,
} from '#tests/support/oauth'
import { oauthRoutes } from './routes.ts'

const ISSUER = 'http://localhost:7468'
const CLIENT_CREDENTIALS = { grant_type: 'client_credentials' }
const errorOf = async (response: Response) => [response.status, (await response.json()).error]

const start = async (env: Readonly<Record<string, string>> = {}) => {
  const app = await startApp(oauthRoutes, { render: authorizationServerError, cache: 'by-clock', env })
  const company = await app.company()
  const server = await newResource(app, company, [{ name: 'tools:read' }])
  const client = await newOauthClient(app, company, { at: [server] })
  const token = (headers: Readonly<Record<string, string>>, form: Readonly<Record<string, string>> = CLIENT_CREDENTIALS) =>
    postForm(app, '/oauth/token', form, { authorization: client.authorization, ...headers })
  return { app, company, server, client, token, holder: await prover(app) }
}
const AT_TOKEN = { htm: 'POST', htu: TOKEN_URL }

describe('DPoP proof (RFC 9449)', () => {
  test('A proof binds the token to its key', async () => {
    const { token, holder, app, server } = await start()
    const response = await token({ dpop: await holder.proof(AT_TOKEN) })
    const set = await response.json()
    expect(set.token_type).toBe('DPoP')
    const described = await (await postForm(app, '/oauth/introspect', { token: set.access_token }, { authorization: server.authorization })).json()
    expect(described).toMatchObject({ active: true, token_type: 'DPoP', cnf: claimsOf(set.access_token).cnf })
  })

  test.each<[string, Json, Json]>([
    ['another method', { htm: 'GET' }, {}],
    ['another URL', { htu: 'http://localhost:7468/oauth/authorize' }, {}],
    ['another host', { htu: 'https://evil.example/oauth/token' }, {}],
    ['a URL that is not a string', { htu: 5 }, {}],
    ['a URL that is an array', { htu: [TOKEN_URL] }, {}],
    ['no id', { jti: '' }, {}],
    ['an id that is not a string', { jti: 7 }, {}],
    ['no time', { iat: 'now' }, {}],
    ['another type', {}, { typ: 'JWT' }],
    ['a critical extension', {}, { crit: ['b64'], b64: true }],
    ['no key', {}, { jwk: undefined }],
  ])('A proof with %s is refused', async (_, claims, header) => {
    const { token, holder } = await start()
    const proof = await holder.proof({ ...AT_TOKEN, ...claims }, header).catch(() => 'x.y.z')
    expect(await errorOf(await token({ dpop: proof }))).toEqual([400, 'invalid_dpop_proof'])
  })

  test('A proof is accepted once; a private key in the header, a bad signature or two proofs are refused', async () => {
    const { token, holder } = await start()
    const proof = await holder.proof(AT_TOKEN)
    expect((await token({ dpop: proof })).status).toBe(200)
    expect(await errorOf(await token({ dpop: proof }))).toEqual([400, 'invalid_dpop_proof'])
    const { privateKey } = await generateKeyPair('ES256', { extractable: true })
    const own = new SignJWT({ ...AT_TOKEN, jti: 'j', iat: Date.now() / 1000 })
    const withPrivate = await own.setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: await exportJWK(privateKey) }).sign(privateKey)
    const unsigned = `${Buffer.from(JSON.stringify({ alg: 'none', typ: 'dpop+jwt', jwk: holder.jwk })).toString('base64url')}.${proof.split('.')[1]}.`
    const [one, two] = [await holder.proof(AT_TOKEN), await holder.proof(AT_TOKEN)]
    for (const dpop of [withPrivate, unsigned, `${one}, ${two}`, 'x', `${one.slice(0, -4)}AAAA`]) {
      expect(await errorOf(await token({ dpop }))).toEqual([400, 'invalid_dpop_proof'])
    }
  })

  test('A proof from a wrong clock needs a nonce, which is valid for five minutes', async () => {
    const { app, token, holder } = await start()
    const iat = Math.floor(app.clock.now().getTime() / 1000) - 3600
    const requested = await token({ dpop: await holder.proof({ ...AT_TOKEN, iat }) })
    expect(await errorOf(requested.clone())).toEqual([400, 'use_dpop_nonce'])
    const nonce = requested.headers.get('dpop-nonce') ?? ''
    expect((await token({ dpop: await holder.proof({ ...AT_TOKEN, iat, nonce }) })).status).toBe(200)
    app.clock.advance(301)
    expect(await errorOf(await token({ dpop: await holder.proof({ ...AT_TOKEN, nonce }) }))).toEqual([400, 'use_dpop_nonce'])
    expect(await errorOf(await token({ dpop: await holder.proof({ ...AT_TOKEN, nonce: 'made.up' }) }))).toEqual([400, 'use_dpop_nonce'])
  })

  test('A client registered with dpop_bound_access_tokens must send a proof', async () => {
    const { app, company, client, token, holder } = await start()
    await changeClient(app, company, client.id, { dpopBound: true })
    expect(await errorOf(await token({}))).toEqual([400, 'invalid_dpop_proof'])
    expect((await token({ dpop: await holder.proof(AT_TOKEN) })).status).toBe(200)
  })

  test('The key of the code is required for the refresh token and userinfo', async () => {
    const { app, company, client, token, holder } = await start()
    const person = await app.person(company)
    const code = await codeFor(await oauthBrowser(app, person), client, { scope: 'openid' })
    const set = await (
      await token({ dpop: await holder.proof(AT_TOKEN) }, { grant_type: 'authorization_code', code, code_verifier: VERIFIER })
    ).json()
    const other = await prover(app)
    const refresh = { grant_type: 'refresh_token', refresh_token: set.refresh_token }
    expect(await errorOf(await token({}, refresh))).toEqual([400, 'invalid_grant'])
    expect(await errorOf(await token({ dpop: await other.proof(AT_TOKEN) }, refresh))).toEqual([400, 'invalid_grant'])
    expect((await token({ dpop: await holder.proof(AT_TOKEN) }, refresh)).status).toBe(200)
    const ath = challengeOf(set.access_token)
    const at = { htm: 'GET', htu: `${ISSUER}/oauth/userinfo`, ath }
    const getUserinfo = (authorization: string, dpop?: string) =>
      app.request('/oauth/userinfo', { headers: { authorization, ...(dpop === undefined ? {} : { dpop }) } })
    expect((await getUserinfo(`DPoP ${set.access_token}`, await holder.proof(at))).status).toBe(200)
    const refused = [
      await getUserinfo(`Bearer ${set.access_token}`),
      await getUserinfo(`Bearer ${set.access_token}`, await holder.proof(at)),
      await getUserinfo(`DPoP ${set.access_token}`),
      await getUserinfo(`DPoP ${set.access_token}`, await other.proof(at)),
    ]
    for (const response of refused) expect(await errorOf(response)).toEqual([401, 'invalid_token'])
    const wrongHash = await getUserinfo(`DPoP ${set.access_token}`, await holder.proof({ ...at, ath: challengeOf('x') }))
    expect((await wrongHash.json()).error).toBe('invalid_dpop_proof')
    expect(wrongHash.headers.get('www-authenticate')).toMatch(/^DPoP /)
  })

  test('With dpop_jkt only that key redeems the code', async () => {
    const { app, company, client, token, holder } = await start()
    const { calculateJwkThumbprint } = await import('jose')
    const browser = await oauthBrowser(app, await app.person(company))
    const code = await codeFor(browser, client, { scope: 'openid', dpop_jkt: await calculateJwkThumbprint(holder.jwk) })
    const form = { grant_type: 'authorization_code', code, code_verifier: VERIFIER }
    expect(await errorOf(await token({}, form))).toEqual([400, 'invalid_grant'])
    expect(await errorOf(await token({ dpop: await (await prover(app)).proof(AT_TOKEN) }, form))).toEqual([400, 'invalid_grant'])
    expect((await token({ dpop: await holder.proof(AT_TOKEN) }, form)).status).toBe(200)
  })
})

describe('Client assertion (RFC 7523 section 2.2)', () => {
  const withKeys = async (env: Readonly<Record<string, string>> = {}) => {
    const s = await start(env)
    const { privateKey, publicKey } = await generateKeyPair('ES256')
    const jwk: JWK = { ...(await exportJWK(publicKey)), kid: 'k1' }
    await changeClient(s.app, s.company, s.client.id, { tokenEndpointAuthMethod: 'private_key_jwt', jwks: { keys: [jwk as Json] } })
    let count = 0
    const now = Math.floor(s.app.clock.now().getTime() / 1000)
    const assertion = (claims: Json = {}, header: Json = {}, key = privateKey) =>
      new SignJWT({ iss: s.client.id, sub: s.client.id, aud: ISSUER, jti: `a-${s.client.id}-${count++}`, iat: now, exp: now + 60, ...claims })
        .setProtectedHeader({ alg: 'ES256', kid: 'k1', ...header })
        .sign(key)
    const authenticate = (client_assertion: string, more: Readonly<Record<string, string>> = {}) =>
      postForm(s.app, '/oauth/token', {
        ...CLIENT_CREDENTIALS,
        client_assertion,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        ...more,
      })
    return { ...s, assertion, authenticate, now }
  }

  test('An assertion authenticates the client once, and its secret is no longer accepted', async () => {
    const { assertion, authenticate, token } = await withKeys()
    const one = await assertion()
    expect((await authenticate(one)).status).toBe(200)
    expect(await errorOf(await authenticate(one))).toEqual([401, 'invalid_client'])
    expect((await authenticate(await assertion())).status).toBe(200)
    expect(await errorOf(await token({}))).toEqual([401, 'invalid_client'])
  })

  test('Of twenty parallel uses of one assertion one succeeds', async () => {
    const { assertion, authenticate } = await withKeys()
    const one = await assertion()
    const all = await Promise.all(Array.from({ length: 20 }, () => authenticate(one)))
    expect(all.filter(({ status }) => status === 200)).toHaveLength(1)
  })

  test('An assertion for another audience, from another issuer or outside its lifetime is refused', async () => {
    const { app, company, assertion, authenticate, now } = await withKeys()
    const other = await newOauthClient(app, company)
    const foreign = await generateKeyPair('ES256')
    const assertions: Record<string, string> = {
      'the token endpoint': await assertion({ aud: TOKEN_URL }),
      'an array': await assertion({ aud: [ISSUER] }),
      'an array of two': await assertion({ aud: [ISSUER, 'https://evil.example'] }),
      'another spelling': await assertion({ aud: `${ISSUER}/` }),
      'no audience': await assertion({ aud: undefined }),
      'no expiry': await assertion({ exp: undefined }),
      'an expiry too far ahead': await assertion({ exp: now + 3600 }),
      'an expiry in the past': await assertion({ exp: now - 60 }),
      'a future nbf': await assertion({ nbf: now + 300 }),
      'no id': await assertion({ jti: undefined }),
      'another subject': await assertion({ sub: other.id }),
      'another issuer': await assertion({ iss: other.id }),
      'another client': await assertion({ iss: other.id, sub: other.id }),
      'another key': await assertion({}, {}, foreign.privateKey),
      'an unknown key': await assertion({}, { kid: 'k2' }),
      'another type': await assertion({}, { typ: 'at+jwt' }),
    }
    for (const [name, one] of Object.entries(assertions)) expect(await errorOf(await authenticate(one)), name).toEqual([401, 'invalid_client'])
    expect(await errorOf(await authenticate(await assertion(), { client_id: other.id }))).toEqual([401, 'invalid_client'])
    expect(await errorOf(await authenticate(await assertion(), { client_assertion_type: 'x' }))).toEqual([400, 'invalid_request'])
  })

  test('COMPATIBILITY=authsec also accepts the token endpoint as audience, and no other endpoint', async () => {
    const { assertion, authenticate } = await withKeys({ COMPATIBILITY: 'authsec' })
    const one = await assertion({ aud: TOKEN_URL })
    expect((await authenticate(one)).status).toBe(200)
    expect(await errorOf(await authenticate(one))).toEqual([401, 'invalid_client'])
    expect((await authenticate(await assertion())).status).toBe(200)
    for (const aud of [[TOKEN_URL], `${ISSUER}/oauth/par`, `${TOKEN_URL}/`, `${TOKEN_URL}?x=1`])
      expect(await errorOf(await authenticate(await assertion({ aud })))).toEqual([401, 'invalid_client'])
  })
})

describe('Pushed authorization request (RFC 9126)', () => {
  const pushed = (more: Readonly<Record<string, string>> = {}) => ({
    response_type: 'code',
    redirect_uri: REDIRECT,
    code_challenge: challengeOf(VERIFIER),
    code_challenge_method: 'S256',
    state: 'st-9',
    scope: 'openid',
    ...more,
  })

  test('A pushed request is validated at once, its request_uri works once, and the browser cannot change it', async () => {
    const { app, company, client } = await start()
    const push = (form: Readonly<Record<string, string>>) => postForm(app, '/oauth/par', form, { authorization: client.authorization })
    expect(await errorOf(await push(pushed({ redirect_uri: 'https://evil.example/' })))).toEqual([400, 'invalid_request'])
    expect(await errorOf(await push(pushed({ scope: 'nothing:known' })))).toEqual([400, 'invalid_scope'])
    expect(await errorOf(await push(pushed({ request_uri: 'urn:x' })))).toEqual([400, 'invalid_request'])
    const response = await push(pushed())
    expect(response.status).toBe(201)
    const { request_uri, expires_in } = await response.json()
    expect(expires_in).toBe(90)
    const browser = await oauthBrowser(app, await app.person(company))
    const path = `/oauth/authorize?${new URLSearchParams({ client_id: client.id, request_uri, state: 'changed', scope: 'openid email', redirect_uri: 'https://evil.example/' })}`
    const continued = (await browser.get(path)).headers.get('location') ?? ''
    expect(continued).toMatch(/^\/oauth\/authorize\?/)
    const html = await (await browser.get(continued)).text()
    expect(html).not.toContain('e-mail address')
    const answered = await browser.press(continued, html, 'allow')
    expect([answerIn(answered).get('state'), answered.headers.get('location')]).toEqual([
      'st-9',
      expect.stringMatching(/^https:\/\/app\.example\.com/),
    ])
    expect((await browser.get(path)).status).toBe(400)
  })

  test('A foreign or expired request_uri is refused, and a client that must push cannot do without', async () => {
    const { app, company, client } = await start()
    const other = await newOauthClient(app, company)
    const push = async () => (await (await postForm(app, '/oauth/par', pushed(), { authorization: client.authorization })).json()).request_uri
    const browser = await oauthBrowser(app, await app.person(company))
    const open = (id: string, request_uri: string) => browser.get(`/oauth/authorize?${new URLSearchParams({ client_id: id, request_uri })}`)
    expect((await open(other.id, await push())).status).toBe(400)
    const expired = await push()
    app.clock.advance(90)
    expect((await open(client.id, expired)).status).toBe(400)
    await changeClient(app, company, client.id, { requiresPar: true })
    expect(answerIn(await browser.get(authorizePath(client))).get('error')).toBe('invalid_request')
    expect((await open(client.id, await push())).status).toBe(303)
    expect(await errorOf(await postForm(app, '/oauth/par', pushed({ client_id: client.id })))).toEqual([401, 'invalid_client'])
  })
})
