// Third-party clients exchange tokens, redeem assertions and verify the results: an agent that acts for a person, and an agent that acts for that agent.
import * as jose from 'jose'
import * as oauth from 'oauth4webapi'
import * as client from 'openid-client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { atomically, directory, forTenant } from '#db/engine/tenant'
import { insertIssuer } from '#db/store/oauth-issuers'
import { findAdministeredTenants } from '#db/store/users'
import { JWT_BEARER, TOKEN_EXCHANGE, TOKEN_TYPES } from '#shared/domains/oauth/supported'
import { emailHash } from '#shared/platform/crypto/email-hash'
import { newAgent, newDetailType, newExchanger, newPolicy, payment } from '../support/agents.ts'
import { basicOf, newResource, type OauthTestClient, REDIRECT, type ResourceServer } from '../support/oauth.ts'
import { type AuthorizationServer, startAuthorizationServer } from './oauth-system.ts'
import { unmetChecks } from './unmet-checks.ts'

const insecure = { [oauth.allowInsecureRequests]: true, [oauth.customFetch]: unmetChecks }
let server: AuthorizationServer
let api: ResourceServer
let app: OauthTestClient
let agents: readonly [OauthTestClient, OauthTestClient]
let userId: string
let as: oauth.AuthorizationServer

beforeAll(async () => {
  server = await startAuthorizationServer()
  const { where, company, email } = server
  const t = forTenant(where.db, company.tenantId)
  expect(await findAdministeredTenants(directory(where.db), emailHash(where.ctx, email))).toEqual([company.tenantId])
  const [row] = (await t.run({
    text: 'select id from authsec.users where tenant_id = $1 and email = $2',
    params: [company.tenantId, email],
    arrays: true,
  })) as string[][]
  userId = row?.[0] ?? ''
  api = await newResource(where, company, [{ name: 'tools:read' }, { name: 'tools:write' }])
  app = await newExchanger(where, company, { at: [api] })
  agents = [await newAgent(where, company, userId, { at: [api] }), await newAgent(where, company, userId, { at: [api], type: 'helper' })]
  for (const type of ['assistant', 'helper']) await newPolicy(where, company, [{ userId }], { allowed: ['tools:read', 'tools:write'], type })
  await newDetailType(where, company)
  const issuer = new URL(server.issuer)
  as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { ...insecure, algorithm: 'oauth2' }))
}, 180_000)
afterAll(() => server?.stop())

/** A person authorizes the application with openid-client. */
const tokensOfPerson = async (more: Readonly<Record<string, string>> = {}) => {
  const config = await client.discovery(new URL(server.issuer), app.id, app.secret, undefined, {
    execute: [client.allowInsecureRequests],
    [client.customFetch]: unmetChecks as client.CustomFetch,
  })
  const verifier = client.randomPKCECodeVerifier()
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: REDIRECT,
    scope: 'openid tools:read tools:write',
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...more,
  })
  return client.authorizationCodeGrant(config, await server.walk(url.href), { pkceCodeVerifier: verifier })
}

const exchange = async (by: OauthTestClient, subject: string, more: Readonly<Record<string, string>> = {}) => {
  const request = { subject_token: subject, subject_token_type: TOKEN_TYPES.access, ...more }
  const of: oauth.Client = { client_id: by.id }
  const response = await oauth.genericTokenEndpointRequest(as, of, oauth.ClientSecretBasic(by.secret), TOKEN_EXCHANGE, request, insecure)
  return oauth.processGenericTokenEndpointResponse(as, of, response)
}

test('smoke: the metadata lists the supported features', () => {
  expect(as.grant_types_supported).toEqual(expect.arrayContaining([TOKEN_EXCHANGE, JWT_BEARER]))
})

test('smoke: oauth4webapi exchanges down a chain; the token is verified by RFC 9068 and introspected', async () => {
  const { access_token: subject } = await tokensOfPerson()
  const first = await exchange(agents[0], subject)
  const second = await exchange(agents[1], first.access_token, { scope: 'tools:read' })
  const request = new Request(api.resource, { headers: { authorization: `Bearer ${second.access_token}` } })
  const claims = await oauth.validateJwtAccessToken(as, request, api.resource, insecure)
  const act = { sub: agents[1].id, client_id: agents[1].id, act: { sub: agents[0].id, client_id: agents[0].id } }
  expect(claims).toMatchObject({ sub: userId, client_id: agents[1].id, scope: 'tools:read', act })
  const asker: oauth.Client = { client_id: api.id }
  const asked = await oauth.introspectionRequest(as, asker, oauth.ClientSecretBasic(api.secret), second.access_token, insecure)
  expect(await oauth.processIntrospectionResponse(as, asker, asked)).toMatchObject({ active: true, act, agent_type: 'helper', owner_id: userId })
  await expect(exchange(agents[1], second.access_token, { scope: 'tools:write' })).rejects.toMatchObject({ error: 'invalid_scope', status: 400 })
})

test('openid-client exchanges with its generic grant and a proof of possession', async () => {
  const { access_token: subject } = await tokensOfPerson()
  const [agent] = agents
  const config = await client.discovery(new URL(server.issuer), agent.id, agent.secret, undefined, {
    execute: [client.allowInsecureRequests],
    [client.customFetch]: unmetChecks as client.CustomFetch,
  })
  const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'))
  const parameters = { subject_token: subject, subject_token_type: TOKEN_TYPES.access }
  const set = await client.genericGrantRequest(config, TOKEN_EXCHANGE, parameters, { DPoP })
  expect(set).toMatchObject({ token_type: 'dpop', issued_token_type: TOKEN_TYPES.access })
  expect(jose.decodeJwt(set.access_token)).toMatchObject({ cnf: { jkt: expect.any(String) }, act: { sub: agent.id } })
})

test('authorization details go from the consent page to the token, and the resource server spends their budget', async () => {
  const request = [payment({ max_calls: 2 })]
  const { access_token: subject } = await tokensOfPerson({ authorization_details: JSON.stringify(request) })
  const acted = await exchange(agents[0], subject)
  expect(acted.authorization_details).toEqual(request)
  const spend = () =>
    unmetChecks(`${server.issuer}/oauth/spend`, {
      method: 'POST',
      body: new URLSearchParams({ token: acted.access_token }),
      headers: { authorization: basicOf(api.id, api.secret) },
    })
  expect([(await spend()).status, (await spend()).status, (await spend()).status]).toEqual([200, 200, 409])
})

test('an assertion signed with jose is redeemed for a token once', async () => {
  const { where, company } = server
  const { privateKey, publicKey } = await jose.generateKeyPair('ES256')
  const iss = 'https://idp.peers.example.com'
  const at = where.ctx.clock.now()
  const key = { ...(await jose.exportJWK(publicKey)), kid: 'one' }
  await atomically(forTenant(where.db, company.tenantId), (t) =>
    insertIssuer(t, {
      id: where.ctx.random.id(),
      name: 'Workforce',
      issuer: iss,
      acceptsIdentity: true,
      jwks: { keys: [key] },
      subjectMapping: 'user_id',
      validFrom: at,
      createdAt: at,
      updatedAt: at,
    }),
  )
  const assertion = await new jose.SignJWT({ client_id: app.id, resource: api.resource, scope: 'tools:read' })
    .setProtectedHeader({ alg: 'ES256', kid: 'one', typ: 'oauth-id-jag+jwt' })
    .setIssuer(iss)
    .setSubject(userId)
    .setAudience(server.issuer)
    .setJti(where.ctx.random.id())
    .setIssuedAt()
    .setExpirationTime('5m')
    .sign(privateKey)
  const of: oauth.Client = { client_id: app.id }
  const redeem = async () => {
    const response = await oauth.genericTokenEndpointRequest(as, of, oauth.ClientSecretPost(app.secret), JWT_BEARER, { assertion }, insecure)
    return oauth.processGenericTokenEndpointResponse(as, of, response)
  }
  expect(await redeem()).toMatchObject({ scope: 'tools:read', token_type: 'bearer' })
  await expect(redeem()).rejects.toMatchObject({ error: 'invalid_grant' })
})

test('the revocation feed is a JWT that jose verifies with the published keys', async () => {
  const { access_token: token } = await tokensOfPerson()
  const of: oauth.Client = { client_id: app.id }
  await oauth.processRevocationResponse(await oauth.revocationRequest(as, of, oauth.ClientSecretBasic(app.secret), token, insecure))
  const answer = await unmetChecks(`${server.issuer}/oauth/revocations`, { headers: { authorization: basicOf(api.id, api.secret) } })
  const keys = (await (await unmetChecks(as.jwks_uri ?? '')).json()) as jose.JSONWebKeySet
  const { payload } = await jose.jwtVerify(await answer.text(), jose.createLocalJWKSet(keys), {
    issuer: server.issuer,
    audience: api.resource,
    typ: 'revocations+jwt',
  })
  expect((payload.revoked as unknown[]).length).toBeGreaterThan(0)
})
