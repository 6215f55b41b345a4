// What browsers and password managers ask for at addresses of their own choosing, and the catalogue of errors.
import { expect, test } from 'vitest'
import { ERRORS } from '#shared/kernel/errors'
import { adviceFor, CATALOGUE } from '#shared/platform/http/error-catalogue'
import { problem } from '#shared/platform/http/problem'
import { startApp } from '#tests/support/app'
import { loginRoutes } from '../login/routes.ts'
import { wellknownRoutes } from './routes.ts'

const start = () => startApp([...wellknownRoutes, ...loginRoutes], { render: problem })
const BROWSER = { accept: 'text/html' }

test('the icon, the page to change a password, and the root lead somewhere', async () => {
  const app = await start()
  const icon = await app.request('/favicon.ico')
  expect([icon.status, icon.headers.get('content-type'), (await icon.text()).slice(0, 5)]).toEqual([200, 'image/svg+xml', '<svg '])
  const password = await app.request('/.well-known/change-password')
  expect([password.status, password.headers.get('location')]).toEqual([303, '/me/password'])
  const root = await app.request('/')
  expect([root.status, root.headers.get('location')]).toEqual([303, '/signin'])
})

test('the type of a problem leads to the page of its error', async () => {
  const app = await start()
  const { type } = (await (await app.request('/nowhere')).json()) as { readonly type: string }
  expect(type).toBe('http://localhost:7468/errors/not_found')
  const page = await app.request(new URL(type).pathname, { headers: BROWSER })
  expect(page.status).toBe(200)
  expect(await page.text()).toContain(ERRORS.not_found.title)
})

test('every error has a page within the budget, with its status, and is listed once', async () => {
  const app = await start()
  const list = await (await app.request('/errors')).text()
  for (const [code, { status }] of Object.entries(ERRORS)) {
    const response = await app.request(`/errors/${code}`)
    const html = await response.text()
    expect([response.status, response.headers.get('content-type')], code).toEqual([200, 'text/html; charset=utf-8'])
    expect(html).toContain(`${status} `)
    expect(html.length, code).toBeLessThan(15 * 1024)
    expect(html, code).not.toMatch(/(?:src|href)="(?!\/|data:)/)
    expect(list.split(`href="/errors/${code}"`), code).toHaveLength(2)
  }
  for (const { status, meaning, codes } of CATALOGUE) {
    expect(meaning, String(status)).not.toBe('')
    for (const code of codes) expect(adviceFor(code).advice, code).not.toBe('Correct the request.')
  }
})

test('an unknown code is not found: a page for browsers, a problem for programs', async () => {
  const app = await start()
  for (const code of ['nonsense', 'toString', '__proto__']) {
    const page = await app.request(`/errors/${code}`, { headers: BROWSER })
    expect([page.status, page.headers.get('content-type')], code).toEqual([404, 'text/html; charset=utf-8'])
    expect((await app.request(`/errors/${code}`)).headers.get('content-type')).toBe('application/problem+json')
  }
})
