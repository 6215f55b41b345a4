import { expect, test } from 'vitest'
import { problem } from '#shared/http/problem'
import { startApp } from '#shared/testing/app'
import { oauthRoutes } from '../oauth/routes.ts'
import { wellknownRoutes } from './routes.ts'

const start = () => startApp(wellknownRoutes, { render: problem, env: { BASE_URL: 'https://id.acme.com' } })
const DOCUMENTS = ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration']

test('both places have the same bytes, with the issuer that their address begins with', async () => {
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
  })
})

test('whoever has them already is told so', async () => {
  const app = await start()
  const first = await app.request(DOCUMENTS[0] ?? '')
  const etag = first.headers.get('etag') ?? ''
  expect(first.headers.get('cache-control')).toBe('public, max-age=300')
  const again = await app.request(DOCUMENTS[0] ?? '', { headers: { 'if-none-match': etag } })
  expect([again.status, await again.text()]).toEqual([304, ''])
})

test('every address in them is a route of ours', async () => {
  const app = await start()
  const paths = new Set([...wellknownRoutes, ...oauthRoutes].map(({ on }) => on.slice(on.indexOf(' ') + 1)))
  for (const path of [...DOCUMENTS, '/.well-known/oauth-protected-resource']) {
    const document = (await (await app.request(path)).json()) as Readonly<Record<string, unknown>>
    const named = Object.entries(document).filter(([name]) => /_(?:endpoint|uri)$/.test(name))
    expect(named.length).toBeGreaterThan(0)
    for (const [name, value] of named) expect(paths, name).toContain(new URL(String(value)).pathname)
  }
})

test('what this server is as a resource is said, too', async () => {
  const app = await start()
  expect(await (await app.request('/.well-known/oauth-protected-resource')).json()).toMatchObject({
    resource: 'https://id.acme.com',
    authorization_servers: ['https://id.acme.com'],
    bearer_methods_supported: ['header'],
  })
})
