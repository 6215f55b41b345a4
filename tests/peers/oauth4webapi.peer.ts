// oauth4webapi as client and as resource server.
import * as oauth from 'oauth4webapi'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CIBA, DEVICE_CODE } from '#shared/domains/oauth/supported'
import { newOauthClient, newResource, type OauthTestClient, REDIRECT, type ResourceServer } from '../support/oauth.ts'
import { type AuthorizationServer, startAuthorizationServer } from './oauth-system.ts'
import { unmetChecks } from './unmet-checks.ts'

const insecure = { [oauth.allowInsecureRequests]: true, [oauth.customFetch]: unmetChecks }
let server: AuthorizationServer
let api: ResourceServer
let made: OauthTestClient
let as: oauth.AuthorizationServer
const discover = async (algorithm: 'oauth2' | 'oidc'): Promise<oauth.AuthorizationServer> => {
  const issuer = new URL(server.issuer)
  return oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { ...insecure, algorithm }))
}
beforeAll(async () => {
  server = await startAuthorizationServer()
  api = await newResource(server.where, server.company, [{ name: 'tools:read' }])
  made = await newOauthClient(server.where, server.company, { at: [api] })
  as = await discover('oauth2')
}, 180_000)
afterAll(() => server?.stop())

test.each(['oauth2', 'oidc'] as const)('smoke: the metadata of %s is the issuer\u2019s', async (algorithm) => {
  expect(await discover(algorithm)).toMatchObject({
    issuer: server.issuer,
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
  })
})

test('a code is redeemed for tokens that a resource server can verify on its own', async () => {
  const client: oauth.Client = { client_id: made.id }
  const auth = oauth.ClientSecretPost(made.secret)
  const [verifier, state, nonce] = [oauth.generateRandomCodeVerifier(), oauth.generateRandomState(), oauth.generateRandomNonce()]
  const url = new URL(as.authorization_endpoint ?? '')
  const challenge = await oauth.calculatePKCECodeChallenge(verifier)
  const asked = {
    client_id: made.id,
    redirect_uri: REDIRECT,
    response_type: 'code',
    scope: 'openid tools:read',
    code_challenge: challenge,
    code_challenge_method: 'S256',
    state,
    nonce,
  }
  for (const [name, value] of Object.entries(asked)) url.searchParams.set(name, value)
  const back = await server.walk(url.href)
  const params = oauth.validateAuthResponse(as, client, back, state)
  const response = await oauth.authorizationCodeGrantRequest(as, client, auth, params, REDIRECT, verifier, insecure)
  const tokens = await oauth.processAuthorizationCodeResponse(as, client, response, { expectedNonce: nonce, requireIdToken: true })
  await oauth.validateApplicationLevelSignature(as, response, insecure)
  const request = new Request(api.resource, { headers: { authorization: `Bearer ${tokens.access_token}` } })
  const claims = await oauth.validateJwtAccessToken(as, request, api.resource, insecure)
  expect(claims).toMatchObject({ client_id: made.id, scope: 'openid tools:read', iss: server.issuer })
  const refreshed = await oauth.processRefreshTokenResponse(
    as,
    client,
    await oauth.refreshTokenGrantRequest(as, client, auth, tokens.refresh_token ?? '', insecure),
  )
  expect(refreshed.refresh_token).toBeDefined()
  const again = await oauth.authorizationCodeGrantRequest(as, client, auth, params, REDIRECT, verifier, insecure)
  await expect(oauth.processAuthorizationCodeResponse(as, client, again)).rejects.toMatchObject({ error: 'invalid_grant', status: 400 })
  const dead = await oauth.refreshTokenGrantRequest(as, client, auth, refreshed.refresh_token ?? '', insecure)
  await expect(oauth.processRefreshTokenResponse(as, client, dead)).rejects.toMatchObject({ error: 'invalid_grant' })
})

test('a client that registered the fragment reads its answer there', async () => {
  const shown = await newOauthClient(server.where, server.company, { at: [api], responseModes: ['fragment'] })
  const client: oauth.Client = { client_id: shown.id }
  const auth = oauth.ClientSecretBasic(shown.secret)
  const [verifier, state] = [oauth.generateRandomCodeVerifier(), oauth.generateRandomState()]
  const url = new URL(as.authorization_endpoint ?? '')
  const asked = {
    client_id: shown.id,
    redirect_uri: REDIRECT,
    response_type: 'code',
    response_mode: 'fragment',
    scope: 'tools:read',
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
  }
  for (const [name, value] of Object.entries(asked)) url.searchParams.set(name, value)
  const back = await server.walk(url.href)
  expect(back.search).toBe('')
  const params = oauth.validateAuthResponse(as, client, new URLSearchParams(back.hash.slice(1)), state)
  const response = await oauth.authorizationCodeGrantRequest(as, client, auth, params, REDIRECT, verifier, insecure)
  expect(await oauth.processAuthorizationCodeResponse(as, client, response)).toMatchObject({ scope: 'tools:read' })
})

test('a client registers with its own key, starts a device grant and a backchannel request, bound to its key', async () => {
  const open = await newResource(server.where, server.company, [{ name: 'tools:read' }], { registrationModes: ['dcr'] })
  const metadata = { client_name: 'TV', grant_types: [DEVICE_CODE, 'refresh_token'], token_endpoint_auth_method: 'none' }
  const registered = await oauth.processDynamicClientRegistrationResponse(await oauth.dynamicClientRegistrationRequest(as, metadata, insecure))
  const client: oauth.Client = { client_id: registered.client_id }
  const auth = oauth.None()
  const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'))
  const parameters = new URLSearchParams({ scope: 'openid tools:read', resource: open.resource })
  const device = await oauth.processDeviceAuthorizationResponse(
    as,
    client,
    await oauth.deviceAuthorizationRequest(as, client, auth, parameters, insecure),
  )
  const poll = () => oauth.deviceCodeGrantRequest(as, client, auth, device.device_code, { ...insecure, DPoP })
  await expect(oauth.processDeviceCodeResponse(as, client, await poll())).rejects.toMatchObject({ error: 'authorization_pending', status: 400 })
  await server.walk(device.verification_uri_complete ?? '')
  const tokens = await oauth.processDeviceCodeResponse(as, client, await poll())
  expect(tokens).toMatchObject({ token_type: 'dpop', scope: 'openid tools:read' })
  await expect(oauth.processDeviceCodeResponse(as, client, await poll())).rejects.toMatchObject({ error: 'invalid_grant' })
})

test('a service starts a backchannel request', async () => {
  const asker = await newOauthClient(server.where, server.company, { at: [api], grantTypes: [CIBA] })
  const client: oauth.Client = { client_id: asker.id }
  const auth = oauth.ClientSecretBasic(asker.secret)
  const phone = await server.newPhone()
  const parameters = new URLSearchParams({ scope: 'openid tools:read', login_hint: server.email })
  const sent = await oauth.backchannelAuthenticationRequest(as, client, auth, parameters, insecure)
  const asked = await oauth.processBackchannelAuthenticationResponse(as, client, sent)
  const poll = () => oauth.backchannelAuthenticationGrantRequest(as, client, auth, asked.auth_req_id, insecure)
  await expect(oauth.processBackchannelAuthenticationGrantResponse(as, client, await poll())).rejects.toMatchObject({
    error: 'authorization_pending',
  })
  await phone.approve()
  const tokens = await oauth.processBackchannelAuthenticationGrantResponse(as, client, await poll())
  expect(tokens.scope).toBe('openid tools:read')
})
