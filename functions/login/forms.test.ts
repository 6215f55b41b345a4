// Guarantees of every form and every page.
import { expect, test } from 'vitest'
import { forTenant } from '#db/engine/tenant'
import { findUserByEmail } from '#db/store/users'
import { methodOf, pathOf } from '#shared/platform/http/route'
import { pageError } from '#shared/platform/pages/error.tsx'
import { startApp } from '#tests/support/app'
import { formsOf, HOST, openBrowser, signInQueryOf, summaryOf, titleOf } from '#tests/support/browser'
import { unchanged } from '#tests/support/rows'
import { eventsOf } from '#tests/support/sign-in'
import { accountPageRoutes } from '../account-pages/routes.ts'
import { loginRoutes } from './routes.ts'

const pages = [...loginRoutes, ...accountPageRoutes]
const start = () => startApp(pages, { render: pageError })
const OPEN = pages.filter((route) => methodOf(route) === 'GET' && route.access.rule === 'page' && !pathOf(route).includes(':'))
const GUARDED = pages.filter((route) => route.access.rule === 'browser' && !pathOf(route).includes(':'))
const POSTS = pages.filter((route) => methodOf(route) === 'POST' && !pathOf(route).includes(':'))

test('every form declares its fields, so that its token is required', () => {
  expect(POSTS.filter(({ form }) => form === undefined).map(({ id }) => id)).toEqual([])
  expect(pages.filter((route) => methodOf(route) === 'GET' && route.form !== undefined)).toEqual([])
})

test.each(POSTS.map((route) => [route.on, route] as const))('%s from another site is refused and changes nothing', async (_, route) => {
  const app = await start()
  const { admin, tenantId } = await app.company()
  const browser = openBrowser(app)
  await browser.signIn(admin)
  const before = (await app.events(tenantId)).length
  const { form_token = '' } = formsOf(await browser.read('/me'))[0]?.fields ?? {}
  for (const headers of [
    { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
    { origin: `http://${HOST}`, 'sec-fetch-site': 'same-site' },
    { origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' },
    { origin: 'null', 'sec-fetch-site': 'same-origin' },
    { origin: 'null', 'sec-fetch-site': '' },
  ]) {
    const attack = () => browser.post(pathOf(route), { form_token, email: admin.email, password: admin.password }, headers)
    const response = await unchanged(app, [{ tenantId }], attack)
    expect(response.status).toBe(403)
    expect(await response.text()).toContain('data-code="cross_site"')
  }
  const events = await app.events(tenantId)
  expect(events.slice(0, events.length - before).every(({ event, reason }) => event === 'request.refused' && reason === 'cross_site')).toBe(true)
})

test('a form without a token, or with the token of another browser or session, is refused and can be sent again', async () => {
  const app = await start()
  const acme = await app.company()
  const pat = await app.person(acme)
  const browser = openBrowser(app)
  const tokenIn = () => formsOf(browser.page())[0]?.fields.form_token ?? ''
  await browser.read('/signin')
  const early = tokenIn()
  await browser.signIn(acme.admin)
  await browser.read('/me')
  const other = openBrowser(app)
  await other.signIn(pat, signInQueryOf(acme))
  await other.read('/me')
  const foreign = formsOf(other.page())[0]?.fields.form_token ?? ''
  for (const form_token of [early, foreign, '', 'x'.repeat(43)]) {
    await browser.read('/me')
    const response = await unchanged(app, [acme], () => browser.post('/me/sessions/end-others', { form_token }))
    expect([response.status, response.headers.get('location')]).toEqual([303, '/me'])
    expect(summaryOf(await browser.read('/me'))).toBe('This page was open for too long. Please try again.')
  }
  const without = await unchanged(app, [acme], () => browser.post('/signout', {}))
  expect(without.status).toBe(303)
  expect(titleOf(await browser.read('/me'))).toBe('Account security')
  expect(await eventsOf(app, acme.tenantId, 'login.signOut')).not.toContain('user.signed_out')
})

test('a browser without cookies gets an explanation, and nothing changes', async () => {
  const app = await start()
  const response = await unchanged(app, [], () => openBrowser(app).post('/signin', { form_token: 'x', email: 'a@b.example' }))
  expect(response.status).toBe(400)
  expect(await response.text()).toContain('It was open for too long, or your browser blocks cookies.')
})

test.each(OPEN.map((route) => [pathOf(route)]))('%s cannot be framed, runs only its own script and refers to no other site', async (path) => {
  const app = await start()
  const page = await openBrowser(app).read(path)
  expect(page.status).toBe(200)
  const policy = page.headers.get('content-security-policy') ?? ''
  const nonce = /style-src 'nonce-([\w-]{43})'/.exec(policy)?.[1] ?? 'none'
  expect(policy).toMatch(/^default-src 'none'; .*form-action 'self'; frame-ancestors 'none'$/)
  expect(policy).not.toContain('unsafe')
  expect(page.headers.get('x-frame-options')).toBe('DENY')
  expect(page.headers.get('cache-control')).toBe('no-store')
  expect(page.headers.get('referrer-policy')).toBe('same-origin')
  for (const [, tag] of page.html.matchAll(/<(script[^>]*|style[^>]*)>/g)) expect(tag).toContain(`nonce="${nonce}"`)
  expect(page.html).not.toMatch(/ style=|\son\w+=|<script[^>]*src|https?:\/\/(?!www\.w3\.org)/)
})

test.each(GUARDED.map((route) => [route.on, route] as const))(
  '%s sends an unauthenticated caller to the sign-in page and changes nothing',
  async (_, route) => {
    const app = await start()
    const browser = openBrowser(app)
    const path = pathOf(route)
    if (methodOf(route) === 'GET') {
      expect((await browser.read(path)).url).toBe(`/signin?${new URLSearchParams({ return_to: path })}`)
      return
    }
    const response = await unchanged(app, [], () => browser.post(path, {}))
    expect(response.status).toBe(303)
    expect(response.headers.get('location')).toMatch(/^\/signin\?return_to=%2F/)
  },
)

test('a return address that is not a hosted page leads to the account page', async () => {
  const app = await start()
  const { admin } = await app.company()
  for (const evil of ['https://evil.example/', '//evil.example', '/\\evil.example', '/me/../signout', 'javascript:alert(1)']) {
    const browser = openBrowser(app)
    await browser.signIn(admin, `/signin?${new URLSearchParams({ return_to: evil })}`)
    expect(browser.page().url).toBe('/me')
    expect((await browser.read(`/signin?${new URLSearchParams({ return_to: evil })}`)).url).toBe('/me')
  }
})

test('values from forms and links appear as text on the page, never as markup', async () => {
  const app = await start()
  const browser = openBrowser(app)
  await browser.read('/signup')
  const page = await browser.send({ name: '<script>alert(1)</script>', tenant_domain: '"><img src=x>', email: 'x', password: 'p' })
  expect(page.html).not.toContain('<script>alert')
  expect(page.html).not.toContain('<img src=x')
})

test('an invalid link is reported in the reader\u2019s language', async () => {
  const app = await start()
  const browser = openBrowser(app, { 'accept-language': 'de' })
  const wrong = await browser.read('/signin?nonsense=1')
  expect([wrong.status, titleOf(wrong)]).toEqual([400, 'Dieser Link kann nicht verwendet werden'])
  // No link to try again: the same link would lead to the same page.
  expect(wrong.html).not.toContain('<a ')
  expect(wrong.html).toContain('data-code="invalid_request"')
  expect(wrong.headers.get('content-security-policy')).toMatch(/style-src 'sha256-[\w+/=]{44}'; img-src data:; .*frame-ancestors 'none'/)
})

test('a malformed form changes nothing', async () => {
  const app = await start()
  const acme = await app.company()
  const browser = openBrowser(app)
  await browser.read(`/signup?client_id=${acme.clientId}`)
  const sent = { email: 'new@acme.example', password: 'seven purple lanterns over water', admin: 'true' }
  expect(summaryOf(await unchanged(app, [acme], () => browser.send(sent)))).toContain('The form contains an invalid value.')
  expect(await findUserByEmail(forTenant(app.db, acme.tenantId), 'new@acme.example')).toBeUndefined()
})
