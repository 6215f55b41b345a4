import { expect, test } from 'vitest'
import { problem } from '#shared/platform/http/problem'
import { startApp } from '#tests/support/app'
import { PRODUCTION } from '#tests/support/production'
import { oauthRoutes } from '../oauth/routes.ts'
import { wellknownRoutes } from './routes.ts'

const start = () => startApp(wellknownRoutes, { render: problem, env: { BASE_URL: 'https://id.acme.com' } })
const DOCUMENTS = ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration']

test('both paths return the same bytes, and the issuer is the prefix of their URL', async () => {
  const app = await start()
  const [one, other] = await Promise.all(DOCUMENTS.map(async (path) => (await app.request(path)).text()))
  expect(one).toBe(other)
  expect(JSON.parse(one ?? '')).toMatchObject({
    issuer: 'https://id.acme.com',
    code_challenge_methods_supported: ['S256'],
    response_types_supported: ['code'],
    authorization_response_iss_parameter_supported: true,
    backchannel_token_delivery_modes_supported: ['poll'],
    backchannel_user_code_parameter_supported: false,
    // MCP clients look for this member before they let the company's identity provider assert who a person is.
    identity_chaining_requested_token_types_supported: ['urn:ietf:params:oauth:token-type:id-jag'],
    authorization_grant_profiles_supported: ['urn:ietf:params:oauth:grant-profile:id-jag'],
  })
})

test('a request with the current ETag gets 304', async () => {
  const app = await start()
  const first = await app.request(DOCUMENTS[0] ?? '')
  const etag = first.headers.get('etag') ?? ''
  expect(first.headers.get('cache-control')).toBe('public, max-age=300')
  const again = await app.request(DOCUMENTS[0] ?? '', { headers: { 'if-none-match': etag } })
  expect([again.status, await again.text()]).toEqual([304, ''])
})

test('every endpoint in the metadata is a declared route', async () => {
  const app = await start()
  const paths = new Set([...wellknownRoutes, ...oauthRoutes].map(({ on }) => on.slice(on.indexOf(' ') + 1)))
  for (const path of [...DOCUMENTS, '/.well-known/oauth-protected-resource']) {
    const document = (await (await app.request(path)).json()) as Readonly<Record<string, unknown>>
    const named = Object.entries(document).filter(([name]) => /_(?:endpoint|uri)$/.test(name))
    expect(named.length).toBeGreaterThan(0)
    for (const [name, value] of named) expect(paths, name).toContain(new URL(String(value)).pathname)
  }
})

test('the metadata of the protected resource is published too', async () => {
  const app = await start()
  expect(await (await app.request('/.well-known/oauth-protected-resource')).json()).toMatchObject({
    resource: 'https://id.acme.com',
    authorization_servers: ['https://id.acme.com'],
    bearer_methods_supported: ['header'],
  })
})

test('a browser client of any origin can read the metadata, register, get tokens and use them, without cookies', async () => {
  const app = await startApp([...wellknownRoutes, ...oauthRoutes], { render: problem, env: PRODUCTION })
  const metadata = (await (await app.request(DOCUMENTS[0] ?? '')).json()) as Readonly<Record<string, string>>
  const named = ['token', 'revocation', 'userinfo', 'registration', 'device_authorization', 'pushed_authorization_request']
  const forAll = [...DOCUMENTS, '/.well-known/oauth-protected-resource', '/oauth/jwks', '/oauth2/token', '/oauth/register/one']
    .concat(named.map((name) => new URL(metadata[`${name}_endpoint`] ?? '').pathname))
    .concat(new URL(metadata.jwks_uri ?? '').pathname)
  const corsOf = async (path: string, method: string) => {
    const { headers } = await app.request(path, { method, headers: { origin: 'https://spa.anywhere.example' } })
    return { origin: headers.get('access-control-allow-origin'), cookies: headers.get('access-control-allow-credentials'), headers }
  }
  for (const path of forAll) {
    expect(await corsOf(path, 'GET'), path).toMatchObject({ origin: '*', cookies: null })
    const { headers, ...preflight } = await corsOf(path, 'OPTIONS')
    expect(preflight, path).toEqual({ origin: '*', cookies: null })
    for (const header of ['Authorization', 'Content-Type', 'DPoP', 'MCP-Protocol-Version'])
      expect(headers.get('access-control-allow-headers')?.split(', '), path).toContain(header)
  }
  const others = [
    '/oauth/authorize',
    '/oauth2/auth',
    '/oauth/consent',
    '/oauth/logout',
    '/oauth/introspect',
    '/oauth/consent-grants',
    '/oauth/bc-authorize',
  ]
  for (const path of [...others, '/oauth/token/', '/oauth/tokens', '/oauth/register/one/two', '/authsec/oauth/token', '/x/.well-known/jwks.json'])
    for (const method of ['GET', 'OPTIONS']) expect((await corsOf(path, method)).origin, path).toBeNull()
  const own = await app.request('/oauth/token', { method: 'POST', headers: { origin: 'https://app.example.com' } })
  expect([own.headers.get('access-control-allow-origin'), own.headers.get('access-control-allow-credentials')]).toEqual([
    'https://app.example.com',
    'true',
  ])
})
