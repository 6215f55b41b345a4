import { expect, test } from 'vitest'
import { browser as inBrowser } from '#shared/platform/http/access'
import { html } from '#shared/platform/http/route'
import { pageError } from '#shared/platform/pages/error.tsx'
import { startApp } from '#tests/support/app'
import { openBrowser, summaryOf, titleOf } from '#tests/support/browser'
import { accountPageRoutes } from '../account-pages/routes.ts'
import { route } from './group.ts'
import { loginRoutes } from './routes.ts'

const pages = [...loginRoutes, ...accountPageRoutes]
/** A page that requires a sign-in within the last five minutes. */
const danger = route({
  id: 'test.danger',
  on: 'GET /me/danger',
  summary: 'A dangerous step.',
  access: inBrowser({ stepUp: { withinSeconds: 300 } }),
  reply: html(200),
  errors: [],
  emits: 'nothing',
  handle: async () => '<h1>Done</h1>',
})
const start = () => startApp([...pages, danger], { render: pageError })

test('a page that needs a recent sign-in requires the password again, then opens', async () => {
  const app = await start()
  const { admin, tenantId } = await app.company()
  const browser = openBrowser(app)
  await browser.signIn(admin)
  expect(titleOf(await browser.read('/me/danger'))).toBe('Done')
  app.clock.advance(301)
  const confirmation = await browser.read('/me/danger')
  expect([confirmation.url, titleOf(confirmation)]).toEqual(['/confirm?max_age=300&return_to=%2Fme%2Fdanger', 'Confirm your identity'])
  expect(summaryOf(await browser.send({ password: 'wrong' }))).toContain('email address or the password is')
  expect(titleOf(await browser.send({ password: admin.password }))).toBe('Done')
  const events = (await app.events(tenantId)).map(({ event }) => event)
  // A new session replaced the old one.
  expect(events.filter((event) => event === 'session.created')).toHaveLength(2)
  expect(events.filter((event) => event === 'user.signed_out')).toHaveLength(1)
})

test('the page handles a step-up demand of an application (RFC 9470), and redirects at once where it is already met', async () => {
  const app = await start()
  const { admin } = await app.company()
  const browser = openBrowser(app)
  await browser.signIn(admin)
  expect((await browser.read('/confirm?max_age=300&return_to=%2Fme%2Femail')).url).toBe('/me/email')
  expect((await browser.read('/confirm?acr_values=aal1&return_to=%2Fme%2Femail')).url).toBe('/me/email')
  expect(titleOf(await browser.read('/confirm?max_age=300&acr_values=aal3&return_to=%2Fme%2Femail'))).toBe('Add a second factor first')
  app.clock.advance(301)
  expect(titleOf(await browser.read('/confirm?max_age=300'))).toBe('Confirm your identity')
})

test('a person confirms only their own session', async () => {
  const app = await start()
  const acme = await app.company()
  const pat = await app.person(acme)
  const browser = openBrowser(app)
  await browser.signIn(acme.admin)
  app.clock.advance(301)
  await browser.read('/me/danger')
  const page = await browser.send({ email: pat.email, password: pat.password })
  expect(titleOf(page)).toBe('Done')
  // The address in the form is ignored: the signed-in administrator confirms, with the password that both have.
  expect((await browser.read('/me')).html).toContain(`Signed in as ${acme.admin.email}`)
})
