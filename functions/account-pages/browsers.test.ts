// Devices that receive sign-in prompts, on the account page: this browser is added, listed and removed, by its owner only.
import { expect, test } from 'vitest'
import { forTenant } from '#db/engine/tenant'
import { findPushDevices } from '#db/store/push-devices'
import type { Route } from '#shared/platform/http/route'
import { pageError } from '#shared/platform/pages/error.tsx'
import { type Company, type Person, startApp, type TestApp } from '#tests/support/app'
import { formsOf, noteOf, openBrowser, signInQueryOf, type TestBrowser, titleOf } from '#tests/support/browser'
import { vapidKeys } from '#tests/support/push-service'
import { loginRoutes } from '../login/routes.ts'
import { accountPageRoutes } from './routes.ts'

const routes = [...loginRoutes, ...accountPageRoutes] as readonly Route<never>[]
const vapid = vapidKeys()
const ON = { VAPID_PUBLIC_KEY: vapid.publicKey, VAPID_PRIVATE_KEY: vapid.privateKey, VAPID_SUBJECT: vapid.subject }
const subscription = (n: number | string): string =>
  JSON.stringify({ endpoint: `https://push.example.com/${n}`, keys: { p256dh: `B${'A'.repeat(86)}`, auth: 'A'.repeat(22) } })

const world = async (env: Readonly<Record<string, string>> = ON) => {
  const app = await startApp(routes, { render: pageError, env })
  const company = await app.company()
  return { app, company, pat: await app.person(company) }
}
const signedIn = async (app: TestApp, company: Company, person: Person): Promise<TestBrowser> => {
  const browser = openBrowser(app)
  await browser.signIn(person, signInQueryOf(company))
  return browser
}
const tokenOf = (browser: TestBrowser): string => /name="form_token" value="([^"]+)"/.exec(browser.page().html)?.[1] ?? ''
/** Sends the form as the script of the page does. */
const add = async (browser: TestBrowser, n: number | string = 1): Promise<Response> => {
  await browser.read('/me/browser')
  return browser.post('/me/browser', { form_token: tokenOf(browser), subscription: subscription(n) })
}
const devicesOf = async (app: TestApp, { tenantId, id }: Person) =>
  (await findPushDevices(forTenant(app.db, tenantId), id)).filter(({ isActive }) => isActive)
const pushEvents = async (app: TestApp, { tenantId }: Company) =>
  (await app.events(tenantId)).map(({ event }) => event).filter((event) => event.startsWith('push_device.'))

test('this browser is added and listed as the current one; after removal it gets no prompts; each change is mailed', async () => {
  const { app, company, pat } = await world()
  const browser = await signedIn(app, company, pat)
  expect((await browser.read('/me')).html).toContain('href="/me/browser"')
  const page = await browser.read('/me/browser')
  expect(titleOf(page)).toBe('Approve sign-ins on this browser')
  expect(page.html).toContain(`data-key="${vapid.publicKey}"`)
  // Without a script there is no form, and the page explains why.
  expect(formsOf(page).map(({ action }) => action)).toEqual(['/me/language'])
  expect(page.html).toContain(
    'This browser cannot approve sign-ins: it does not support notifications, does not run scripts, or is in a private window.',
  )
  expect((await add(browser)).headers.get('location')).toBe('/me')
  const me = await browser.read('/me')
  expect(noteOf(me)).toBe('This browser can now approve sign-ins.')
  expect(me.html).not.toContain('href="/me/browser"')
  const [device] = await devicesOf(app, pat)
  expect(device).toMatchObject({ platform: 'web', userId: pat.id })
  expect(noteOf(await browser.send({}, { action: '/me/browser/remove' }))).toBe('The device can no longer approve sign-ins.')
  expect(await devicesOf(app, pat)).toEqual([])
  expect(await pushEvents(app, company)).toEqual(['push_device.removed', 'push_device.registered'])
  expect((await app.mailsTo(pat.email)).map(({ subject }) => subject)).toEqual([expect.stringMatching(/added/), expect.stringMatching(/removed/)])
})

test('the content security policy of the page adds only a worker source of this origin, and the worker makes no requests', async () => {
  const { app, company, pat } = await world()
  const browser = await signedIn(app, company, pat)
  const policyOf = async (path: string) => (await browser.read(path)).headers.get('content-security-policy') ?? ''
  expect(await policyOf('/me/browser')).toContain(`worker-src 'self'`)
  expect(await policyOf('/me/browser')).not.toContain('unsafe')
  expect(await policyOf('/me/password')).not.toContain('worker-src')
  const worker = await app.request('/me/push.js')
  expect(worker.headers.get('content-type')).toMatch(/^text\/javascript/)
  expect(await worker.text()).not.toMatch(/fetch|https?:\/\//)
})

test('adding a browser needs a sign-in of the last 15 minutes', async () => {
  const { app, company, pat } = await world()
  const browser = await signedIn(app, company, pat)
  await browser.read('/me/browser')
  const token = tokenOf(browser)
  app.clock.advance(901)
  expect(titleOf(await browser.read('/me/browser'))).toBe('Confirm your identity')
  const answer = await browser.post('/me/browser', { form_token: token, subscription: subscription(1) })
  expect(answer.headers.get('location')).toMatch(/^\/confirm\?/)
  expect(await devicesOf(app, pat)).toEqual([])
  expect(await pushEvents(app, company)).toEqual([])
})

test.each([
  ['no subscription', 'x'],
  ['an invalid endpoint', JSON.stringify({ endpoint: 'push', keys: { p256dh: `B${'A'.repeat(86)}`, auth: 'A'.repeat(22) } })],
  ['no keys', JSON.stringify({ endpoint: 'https://push.example.com/1' })],
  ['a subscription that is too long', subscription('x'.repeat(2000))],
])('%s adds nothing', async (_, sent) => {
  const { app, company, pat } = await world()
  const browser = await signedIn(app, company, pat)
  await browser.read('/me/browser')
  expect((await browser.post('/me/browser', { form_token: tokenOf(browser), subscription: sent })).status).toBe(303)
  expect((await browser.read('/me/browser')).html).toContain('The form contains an invalid value.')
  expect(await devicesOf(app, pat)).toEqual([])
})

test('a form from another site or with the token of another session adds and removes nothing', async () => {
  const { app, company, pat } = await world()
  const [browser, other] = [await signedIn(app, company, pat), await signedIn(app, company, await app.person(company))]
  await add(browser)
  const [device] = await devicesOf(app, pat)
  await other.read('/me/browser')
  const body = { form_token: tokenOf(other), device_id: device?.id ?? '', subscription: subscription(2) }
  for (const path of ['/me/browser', '/me/browser/remove']) {
    const { subscription: sent, ...removing } = body
    const fields: Record<string, string> = path.endsWith('remove') ? removing : { form_token: body.form_token, subscription: sent }
    await browser.post(path, fields)
    await browser.read('/me/browser')
    await browser.post(path, { ...fields, form_token: tokenOf(browser) }, { 'sec-fetch-site': 'cross-site' })
  }
  expect(await devicesOf(app, pat)).toMatchObject([{ id: device?.id }])
  expect(await pushEvents(app, company)).toEqual(['push_device.registered'])
})

test('a device of another person, in the same tenant or another, is as unknown as a missing one', async () => {
  const { app, company, pat } = await world()
  await add(await signedIn(app, company, pat))
  const [device] = await devicesOf(app, pat)
  const globex = await app.company('globex')
  for (const [application, person] of [
    [company, await app.person(company)],
    [globex, await app.person(globex)],
  ] as const) {
    const browser = await signedIn(app, application, person)
    const reported: (string | undefined)[] = []
    for (const device_id of [device?.id ?? '', app.ctx.random.id()]) {
      await browser.read('/me')
      const answer = await browser.post('/me/browser/remove', { form_token: tokenOf(browser), device_id })
      expect(answer.headers.get('location')).toBe('/me')
      reported.push(/This no longer exists\./.exec((await browser.read('/me')).html)?.[0])
    }
    expect(reported[0]).toBe('This no longer exists.')
    expect(reported[1]).toBe(reported[0])
  }
  expect(await devicesOf(app, pat)).toHaveLength(1)
})

test('at most ten browsers; the eleventh is refused with a message', async () => {
  const { app, company, pat } = await world()
  for (let n = 0; n < 10; n++) await add(await signedIn(app, company, pat), n)
  const browser = await signedIn(app, company, pat)
  await add(browser, 10)
  expect((await browser.read('/me/browser')).html).toContain('You have reached the limit of sign-in methods.')
  expect(await devicesOf(app, pat)).toHaveLength(10)
})

test('without push configuration the page is neither linked nor available', async () => {
  const { app, company, pat } = await world({})
  const browser = await signedIn(app, company, pat)
  const me = await browser.read('/me')
  expect(me.html).not.toContain('/me/browser')
  expect((await browser.read('/me/browser')).url).toBe('/me')
  expect((await browser.post('/me/browser', { form_token: tokenOf(browser), subscription: subscription(1) })).status).toBe(303)
  expect(await devicesOf(app, pat)).toEqual([])
})
