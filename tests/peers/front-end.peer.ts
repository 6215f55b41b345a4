// openid-client 6 at a company with its own front end: the client has only the issuer, the front end only the documented API.
import * as client from 'openid-client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { atomically, forTenant } from '#db/engine/tenant'
import { findTenant, updateTenantSettings } from '#db/store/tenants'
import { cookieJar, PASSWORD } from '../support/app.ts'
import { newOauthClient, newResource, REDIRECT, type ResourceServer } from '../support/oauth.ts'
import { type CustomFrontEnd, startCustomFrontEnd } from './custom-front-end.ts'
import { type AuthorizationServer, startAuthorizationServer } from './oauth-system.ts'
import { unmetChecks } from './unmet-checks.ts'

let server: AuthorizationServer
let frontEnd: CustomFrontEnd
let api: ResourceServer
beforeAll(async () => {
  server = await startAuthorizationServer()
  frontEnd = await startCustomFrontEnd(server.issuer)
  const { ctx, db } = server.where
  await atomically(forTenant(db, server.company.tenantId), async (t) =>
    updateTenantSettings(t, { ...(await findTenant(t))?.settings, loginUi: frontEnd.origin }, ctx.clock.now()),
  )
  api = await newResource(server.where, server.company, [
    { name: 'tools:read', description: 'Read your tools' },
    { name: 'tools:list', description: 'List your tools' },
  ])
}, 180_000)
afterAll(async () => {
  frontEnd?.stop()
  await server?.stop()
})

/** A browser between the two: follows redirects, keeps cookies for each, and stops where it leaves both. */
const browse = async (address: string, jar = cookieJar()): Promise<URL> => {
  let url = new URL(address)
  for (let steps = 0; steps < 20; steps++) {
    const response = await unmetChecks(url, { redirect: 'manual', headers: url.origin === server.issuer ? jar.header() : {} })
    if (url.origin === server.issuer) jar.take(response)
    const location = response.headers.get('location')
    if (location === null) throw new Error(`${url.pathname}: ${response.status} ${(await response.text()).slice(-500)}`)
    url = new URL(location, url)
    if (url.origin !== server.issuer && url.origin !== frontEnd.origin) return url
  }
  throw new Error('the redirects do not end')
}

const begin = async (scope: string) => {
  const made = await newOauthClient(server.where, server.company, { at: [api] })
  const insecure: client.DiscoveryRequestOptions = { execute: [client.allowInsecureRequests], [client.customFetch]: unmetChecks }
  const config = await client.discovery(new URL(server.issuer), made.id, made.secret, undefined, insecure)
  const [pkceCodeVerifier, expectedState, expectedNonce] = [client.randomPKCECodeVerifier(), client.randomState(), client.randomNonce()]
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: REDIRECT,
    scope,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expectedState,
    nonce: expectedNonce,
    resource: api.resource,
  })
  const redeem = (back: URL) => client.authorizationCodeGrant(config, back, { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true })
  return { made, config, url: url.href, redeem }
}

test('smoke: sign-in and consent at the front end, then code, tokens and userinfo; for the second client the person is already signed in', async () => {
  frontEnd.visitedBy({ email: server.email, password: PASSWORD, grants: ['openid', 'email', 'tools:read'] })
  const first = await begin('openid email tools:read tools:list')
  const jar = cookieJar()
  const tokens = await first.redeem(await browse(first.url, jar))
  expect(tokens.scope).toBe('openid email tools:read')
  const { sub = '' } = (tokens.claims() ?? {}) as Partial<client.IDToken>
  expect(await client.fetchUserInfo(first.config, tokens.access_token, sub)).toMatchObject({ sub, email: server.email })
  expect(frontEnd.asked).toMatchObject([
    { success: true, client_id: first.made.id, client_name: 'Shop' },
    { subject: server.email, client: { client_id: first.made.id, redirect_host: 'app.example.com' } },
  ])
  const signIns = frontEnd.asked.length
  const second = await begin('openid tools:list')
  frontEnd.visitedBy({ email: server.email, password: PASSWORD })
  expect((await second.redeem(await browse(second.url, jar))).scope).toBe('openid tools:list')
  // Only consent was asked.
  expect(frontEnd.asked.slice(signIns).map((one) => 'subject' in one)).toEqual([true])
})

test('a denial at either step is access_denied at the client', async () => {
  const { url, redeem } = await begin('openid')
  frontEnd.visitedBy({ email: '', password: '', says: 'no' })
  await expect(redeem(await browse(url))).rejects.toMatchObject({ error: 'access_denied' })
  const other = await begin('openid')
  frontEnd.visitedBy({ email: server.email, password: PASSWORD, says: 'no' })
  await expect(other.redeem(await browse(other.url))).rejects.toMatchObject({ error: 'access_denied' })
})
