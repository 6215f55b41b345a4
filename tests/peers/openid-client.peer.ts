// openid-client 6 as a relying party that has only the issuer.
import { exportJWK, generateKeyPair } from 'jose'
import * as client from 'openid-client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CIBA, DEVICE_CODE } from '#shared/domains/oauth/supported'
import { cookieJar } from '../support/app.ts'
import { newOauthClient, newResource, REDIRECT, type ResourceServer } from '../support/oauth.ts'
import { type AuthorizationServer, startAuthorizationServer } from './oauth-system.ts'
import { unmetChecks } from './unmet-checks.ts'

let server: AuthorizationServer
let api: ResourceServer
beforeAll(async () => {
  server = await startAuthorizationServer()
  api = await newResource(server.where, server.company, [{ name: 'tools:read', description: 'Read your tools' }])
}, 180_000)
afterAll(() => server?.stop())

const insecure: client.DiscoveryRequestOptions = { execute: [client.allowInsecureRequests], [client.customFetch]: unmetChecks }
const discover = (id: string, secret: string | undefined, auth?: client.ClientAuth) =>
  client.discovery(new URL(server.issuer), id, secret, auth, insecure)

const flow = async (config: client.Configuration, scope: string, options: { readonly par?: boolean; readonly DPoP?: client.DPoPHandle } = {}) => {
  const [pkceCodeVerifier, expectedState, expectedNonce] = [client.randomPKCECodeVerifier(), client.randomState(), client.randomNonce()]
  const parameters = {
    redirect_uri: REDIRECT,
    scope,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expectedState,
    nonce: expectedNonce,
    resource: api.resource,
  }
  const url = options.par
    ? await client.buildAuthorizationUrlWithPAR(config, parameters, options.DPoP ? { DPoP: options.DPoP } : undefined)
    : client.buildAuthorizationUrl(config, parameters)
  const back = await server.walk(url.href)
  const checks = { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true }
  return client.authorizationCodeGrant(config, back, checks, undefined, options.DPoP ? { DPoP: options.DPoP } : undefined)
}

test('smoke: code flow, ID token, userinfo, refresh, introspection and revocation', async () => {
  const made = await newOauthClient(server.where, server.company, { at: [api] })
  const config = await discover(made.id, made.secret)
  const tokens = await flow(config, 'openid profile email tools:read')
  const { sub = '', email } = (tokens.claims() ?? {}) as Partial<client.IDToken>
  expect(email).toBe(server.email)
  expect(await client.fetchUserInfo(config, tokens.access_token, sub)).toMatchObject({ sub, email, email_verified: true })
  const next = await client.refreshTokenGrant(config, tokens.refresh_token ?? '')
  expect(next.scope).toBe('openid profile email tools:read')
  const asApi = await discover(api.id, api.secret, client.ClientSecretBasic(api.secret))
  expect(await client.tokenIntrospection(asApi, next.access_token)).toMatchObject({ active: true, sub, aud: [api.resource] })
  await client.tokenRevocation(config, next.refresh_token ?? '')
  expect(await client.tokenIntrospection(asApi, next.access_token)).toMatchObject({ active: false })
})

test('smoke: the answer is posted to a client that registered form_post', async () => {
  const open = await newResource(server.where, server.company, [{ name: 'tools:read' }], { registrationModes: ['dcr'] })
  const metadata = { client_name: 'Forms', redirect_uris: [REDIRECT], response_modes: ['form_post'] }
  const config = await client.dynamicClientRegistration(new URL(server.issuer), metadata, undefined, insecure)
  expect(config.serverMetadata().response_modes_supported).toEqual(['query', 'fragment', 'form_post'])
  const [pkceCodeVerifier, expectedState] = [client.randomPKCECodeVerifier(), client.randomState()]
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: REDIRECT,
    scope: 'openid tools:read',
    resource: open.resource,
    response_mode: 'form_post',
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expectedState,
  })
  const back = await server.walk(url.href)
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const posted = new Request(REDIRECT, { method: 'POST', body: back.hash.slice(1), headers })
  const tokens = await client.authorizationCodeGrant(config, posted, { pkceCodeVerifier, expectedState, idTokenExpected: true })
  expect(tokens.scope).toBe('openid tools:read')
})

test('two resources in one request are refused, at the place where the client reads answers', async () => {
  const other = await newResource(server.where, server.company, [{ name: 'tools:read' }])
  const made = await newOauthClient(server.where, server.company, { at: [api, other] })
  const config = await discover(made.id, made.secret)
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: REDIRECT,
    scope: 'tools:read',
    code_challenge: await client.calculatePKCECodeChallenge(client.randomPKCECodeVerifier()),
    code_challenge_method: 'S256',
    state: 's',
  })
  for (const one of [api, other]) url.searchParams.append('resource', one.resource)
  const back = await server.walk(url.href)
  await expect(client.authorizationCodeGrant(config, back, { expectedState: 's' })).rejects.toMatchObject({ error: 'invalid_target' })
})

test('a public client with a pushed request and a bound token', async () => {
  const made = await newOauthClient(server.where, server.company, { at: [api], isPublic: true, requiresPar: true, dpopBound: true })
  const config = await discover(made.id, undefined, client.None())
  const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'))
  const tokens = await flow(config, 'openid tools:read', { par: true, DPoP })
  expect(tokens.token_type).toBe('dpop')
  const { sub = '' } = (tokens.claims() ?? {}) as Partial<client.IDToken>
  expect(await client.fetchUserInfo(config, tokens.access_token, sub, { DPoP })).toEqual({ sub })
  expect((await client.refreshTokenGrant(config, tokens.refresh_token ?? '', undefined, { DPoP })).token_type).toBe('dpop')
})

test('a service with its own key, in its own name', async () => {
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k1' } as Readonly<Record<string, unknown>>
  const made = await newOauthClient(server.where, server.company, { at: [api], tokenEndpointAuthMethod: 'private_key_jwt', jwks: { keys: [jwk] } })
  const config = await discover(made.id, undefined, client.PrivateKeyJwt({ key: privateKey, kid: 'k1' }))
  const tokens = await client.clientCredentialsGrant(config, { scope: 'tools:read', resource: api.resource })
  expect(tokens).toMatchObject({ token_type: 'bearer', scope: 'tools:read', expires_in: 300 })
})

test('smoke: a device uses a code, a service a backchannel request; both receive what the person allows', async () => {
  const made = await newOauthClient(server.where, server.company, { at: [api], grantTypes: ['refresh_token', DEVICE_CODE, CIBA] })
  const config = await discover(made.id, made.secret)
  const device = await client.initiateDeviceAuthorization(config, { scope: 'openid tools:read', resource: api.resource })
  expect((await server.walk(device.verification_uri_complete ?? '')).pathname).toBe('/activate/done')
  const tokens = await client.pollDeviceAuthorizationGrant(config, { ...device, interval: 1 })
  expect(tokens).toMatchObject({ scope: 'openid tools:read', token_type: 'bearer' })
  const { sub = '' } = tokens.claims() ?? {}
  const phone = await server.newPhone()
  const asked = await client.initiateBackchannelAuthentication(config, {
    scope: 'openid tools:read',
    login_hint: server.email,
    binding_message: 'W4SCT',
  })
  await phone.approve()
  const answered = await client.pollBackchannelAuthenticationGrant(config, { ...asked, interval: 1 })
  expect(answered.claims()?.sub).toBe(sub)
  expect((await client.refreshTokenGrant(config, answered.refresh_token ?? '')).scope).toBe('openid tools:read')
})

test('smoke: an unknown client registers, signs a person in, and signs the person out', async () => {
  const open = await newResource(server.where, server.company, [{ name: 'tools:read' }], { registrationModes: ['dcr'] })
  const after = 'https://app.example.com/bye'
  const metadata = {
    client_name: 'Inspector',
    redirect_uris: [REDIRECT],
    post_logout_redirect_uris: [after],
    grant_types: ['authorization_code', 'refresh_token'],
  }
  const config = await client.dynamicClientRegistration(new URL(server.issuer), metadata, undefined, insecure)
  const [pkceCodeVerifier, expectedState] = [client.randomPKCECodeVerifier(), client.randomState()]
  const jar = cookieJar()
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: REDIRECT,
    scope: 'openid tools:read',
    resource: open.resource,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expectedState,
  })
  const back = await server.walk(url.href, jar)
  const tokens = await client.authorizationCodeGrant(config, back, { pkceCodeVerifier, expectedState, idTokenExpected: true })
  expect(tokens.scope).toBe('openid tools:read')
  const out = client.buildEndSessionUrl(config, { id_token_hint: tokens.id_token ?? '', post_logout_redirect_uri: after, state: 'bye' })
  expect((await server.walk(out.href, jar)).href).toBe(`${after}?state=bye`)
  expect([...jar.kept.keys()].filter((name) => name.endsWith('session'))).toEqual([])
  await expect(client.refreshTokenGrant(config, tokens.refresh_token ?? '')).rejects.toMatchObject({ error: 'invalid_grant' })
})
