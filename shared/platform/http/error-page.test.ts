// Errors of addresses that are meant for programs: a page for a person who opens one in a browser, the API's format for programs.
import { expect, test } from 'vitest'
import type { RequestCtx } from '#shared/domains/context'
import { AppError } from '#shared/kernel/errors'
import { startApp } from '#tests/support/app'
import { open, user } from './access.ts'
import { problem } from './problem.ts'
import { empty, routeFor } from './route.ts'

const route = routeFor<RequestCtx>()
const common = { reply: empty(204), emits: 'nothing', summary: 'A test.' } as const
const routes = [
  route({ ...common, id: 'e.user', on: 'GET /e/user', access: user(), errors: [], handle: async () => undefined }),
  route({
    ...common,
    id: 'e.gone',
    on: 'GET /e/gone',
    access: open('A test.', { class: 'general' }),
    errors: ['conflict'],
    handle: async () => {
      throw new AppError('conflict', 'It is <b>there</b>.')
    },
  }),
]
/** As Chromium opens an address. */
const BROWSER = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8', 'accept-language': 'de-DE,de;q=0.9' }
const titleOf = (html: string): string | undefined => /<h1[^>]*>(.*?)<\/h1>/.exec(html)?.[1]

test.each([
  ['/nowhere', 404, 'Seite nicht gefunden', 'not_found'],
  ['/authsec/nowhere', 404, 'Seite nicht gefunden', 'not_found'],
  ['/e/user', 401, 'Diese Adresse ist für Programme gedacht', 'unauthorized'],
  ['/e/gone', 409, 'Etwas ist schiefgelaufen', 'conflict'],
] as const)('%s is a page for a browser, with the status, the reference and the code', async (path, status, title, code) => {
  const app = await startApp(routes, { render: problem })
  const response = await app.request(path, { headers: BROWSER })
  const html = await response.text()
  expect([response.status, response.headers.get('content-type'), titleOf(html)]).toEqual([status, 'text/html; charset=utf-8', title])
  expect(html).toContain(`data-code="${code}"`)
  expect(html).toContain(`Referenz: ${response.headers.get('x-request-id')}`)
  expect(html).not.toContain('<b>')
  expect(response.headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-[\w+/=]{44}'; img-src data:;/)
  expect(response.headers.get('vary')).toContain('Accept')
})

test.each([
  ['no Accept header', {}],
  ['any type', { accept: '*/*' }],
  ['JSON', { accept: 'application/json' }],
  ['JSON or HTML', { accept: 'application/json, text/html' }],
  ['credentials in a header', { ...BROWSER, authorization: 'Bearer x' }],
] as const)('a program gets a problem: %s', async (_, headers) => {
  const app = await startApp(routes, { render: problem })
  for (const path of ['/nowhere', '/e/user', '/e/gone'])
    expect((await app.request(path, { headers })).headers.get('content-type'), path).toBe('application/problem+json')
  expect((await app.request('/authsec/nowhere', { headers })).headers.get('content-type')).toBe('application/json')
})

test('what a browser posts to such an address is answered in the format of the API', async () => {
  const app = await startApp(routes, { render: problem })
  const response = await app.request('/e/gone', { method: 'POST', headers: BROWSER })
  expect([response.status, response.headers.get('content-type')]).toEqual([405, 'application/problem+json'])
})
