// Authorization errors that cannot be sent to the client's redirect URI: the page explains them to a developer, the log to an operator.
import { expect, test } from 'vitest'
import { SYSTEM_TENANT } from '#db/engine/tenant'
import { authorizationServerError } from '#shared/platform/http/problem'
import { startApp } from '#tests/support/app'
import { authorizePath, newOauthClient, newResource, newSelfRegistered, oauthBrowser } from '#tests/support/oauth'
import { oauthRoutes } from './routes.ts'

const ELSEWHERE = 'https://elsewhere.example/cb?secret=s3cret'

const start = async (environment: 'development' | 'test') => {
  const app = await startApp(oauthRoutes, { render: authorizationServerError, env: { ENVIRONMENT: environment, OUTBOUND_LOOPBACK: 'on' } })
  const company = await app.company()
  const closed = await newResource(app, company, [{ name: 'tools:read' }], { registrationModes: ['prereg'] })
  const client = await newOauthClient(app, company)
  const selfRegistered = await newSelfRegistered(app, { tenantId: SYSTEM_TENANT })
  const unadopted = { ...client, id: selfRegistered.id, redirectUri: selfRegistered.redirectUri }
  const unknown = { ...client, id: app.ctx.random.id() }
  const document = { ...client, id: 'https://client.example/metadata.json' }
  const nowhere = 'https://nowhere.example/mcp'
  const requests: readonly (readonly [detail: string, path: string, named: readonly string[]])[] = [
    ['client_id is missing.', authorizePath(client, { client_id: undefined }), [client.redirectUri]],
    ['client_id names no active client.', authorizePath(unknown), [unknown.id, client.redirectUri]],
    ['redirect_uri is not registered for this client.', authorizePath(client, { redirect_uri: ELSEWHERE }), [client.id, ELSEWHERE]],
    ['resource is missing:', authorizePath(unadopted), [unadopted.id]],
    ['resource is not registered here.', authorizePath(unadopted, { resource: nowhere }), [unadopted.id, nowhere]],
    [
      'The resource accepts only clients that an administrator registered.',
      authorizePath(unadopted, { resource: closed.resource }),
      [closed.resource],
    ],
    ['client_id: an address names a client only together with a resource', authorizePath(document), [document.id]],
    ['and this one is not registered here.', authorizePath(document, { resource: nowhere }), [document.id, nowhere]],
    ['client_id: the resource accepts only clients', authorizePath(document, { resource: closed.resource }), [document.id, closed.resource]],
  ]
  return { app, requests, browser: await oauthBrowser(app, await app.person(company)) }
}
const escaped = (text: string): string => text.replaceAll('&', '&amp;')

test('In development the page states the reason, the client and the redirect URI, without links', async () => {
  const { browser, requests } = await start('development')
  for (const [detail, path, named] of requests) {
    const response = await browser.get(path)
    const html = await response.text()
    expect([response.status, response.headers.get('location')], detail).toEqual([400, null])
    const [, section = ''] = /<section class="developer">(.*?)<\/section>/s.exec(html) ?? []
    expect(section).toContain(detail)
    expect(section).toContain('invalid_request')
    for (const value of named) expect(section, detail).toContain(escaped(value))
    expect(html, detail).not.toContain('<a ')
  }
})

test('Outside development the page has only a reference; the log has code, reason, client and redirect URI under it', async () => {
  const { app, browser, requests } = await start('test')
  for (const [detail, path, named] of requests) {
    app.log.lines.length = 0
    const response = await browser.get(path)
    const html = await response.text()
    const id = response.headers.get('x-request-id') ?? ''
    expect(html).toContain(`Reference: ${id}`)
    expect(html, detail).not.toMatch(/class="developer"|<a /)
    for (const value of [detail, ...named]) expect(html).not.toContain(escaped(value))
    const line = app.log.lines.map((text) => JSON.parse(text)).find(({ event }) => event === 'error_page')
    expect(line, detail).toMatchObject({ request_id: id, route: 'oauth.authorize', code: 'invalid_request' })
    expect(line.detail).toContain(detail)
    for (const value of named) expect(JSON.stringify(line), detail).toContain(value.split('?')[0])
    expect(JSON.stringify(app.log.lines)).not.toContain('s3cret')
  }
})

test('Values of the request are escaped on the page', async () => {
  const { browser } = await start('development')
  const html = await (await browser.get('/oauth/authorize?client_id=%3Cimg%20src%3Dx%3E')).text()
  expect(html).toContain('&lt;img src=x&gt;')
  expect(html).not.toContain('<img')
})
