// Second factors on the account page: adding a passkey or a phone, clearing a clone alarm, and confirming with a passkey.
import { expect, test } from 'vitest'
import { atomically, forTenant } from '#db/engine/tenant'
import { findFactors } from '#db/store/factors'
import { raiseCounterAlarm } from '#db/store/passkeys'
import type { Route } from '#shared/platform/http/route'
import { pageError } from '#shared/platform/pages/error.tsx'
import { type Company, type Person, startApp, type TestApp } from '#tests/support/app'
import { authenticator } from '#tests/support/authenticator'
import { formsOf, noteOf, openBrowser, signInQueryOf, summaryOf, type TestBrowser, titleOf } from '#tests/support/browser'
import { givePasskey, type Options, optionsOf, PAGE } from '#tests/support/passkeys'
import { bodyOf, change } from '#tests/support/sign-in'
import { appCode } from '#tests/support/totp'
import { loginRoutes } from '../login/routes.ts'
import { webauthnRoutes } from '../webauthn/routes.ts'
import { accountPageRoutes } from './routes.ts'

const routes = [...loginRoutes, ...accountPageRoutes, ...webauthnRoutes] as readonly Route<never>[]

const world = async () => {
  const app = await startApp(routes, { render: pageError })
  const company = await app.company()
  return { app, company, pat: await app.person(company) }
}
const signedIn = async (app: TestApp, company: Company, person: Person): Promise<TestBrowser> => {
  const browser = openBrowser(app)
  await browser.signIn(person, signInQueryOf(company))
  return browser
}
const kindsOf = async (app: TestApp, { tenantId, id }: Person) => (await findFactors(forTenant(app.db, tenantId), id)).map(({ kind }) => kind)
const seedIn = (html: string): string => (/<p class="code seed"[^>]*>([^<]*)/.exec(html)?.[1] ?? '').replace(/\s/g, '')
const withApp = async (app: TestApp, browser: TestBrowser): Promise<string> => {
  const seed = seedIn((await browser.read('/me/app')).html)
  await browser.send({ code: appCode(seed, app.clock.now()) })
  app.clock.advance(60)
  return seed
}

/** The form token of the current page, as the script of the page sends it. */
const tokenOf = (browser: TestBrowser): string => /name="form_token" value="([^"]+)"/.exec(browser.page().html)?.[1] ?? ''
const begin = async (browser: TestBrowser, at: string): Promise<Options> =>
  optionsOf(await browser.post(`${at}/begin`, { form_token: tokenOf(browser) }, { 'sec-fetch-user': '' }))
const finish = (browser: TestBrowser, at: string, session_id: string, credential: unknown): Promise<Response> =>
  browser.post(`${at}/finish`, { form_token: tokenOf(browser), session_id, credential: JSON.stringify(credential) }, { 'sec-fetch-user': '' })

test('a passkey is added with the session and the form token of the page, once', async () => {
  const { app, company, pat } = await world()
  const browser = await signedIn(app, company, pat)
  const device = authenticator(PAGE)
  const page = await browser.read('/me/passkey')
  expect(titleOf(page)).toBe('Add a passkey')
  expect(page.html).toContain('data-begin="/me/passkey/begin"')
  const options = await begin(browser, '/me/passkey')
  const credential = device.create(options)
  const answers = await Promise.all(Array.from({ length: 20 }, () => finish(browser, '/me/passkey', options.session_id, credential)))
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  expect(await kindsOf(app, pat)).toEqual(['webauthn'])
  expect((await app.events(company.tenantId)).filter(({ event }) => event === 'factor.added')).toHaveLength(1)
})

test('a ceremony is refused from another site, without the form token, from another session, or with a malformed credential', async () => {
  const { app, company, pat } = await world()
  const [browser, other] = [await signedIn(app, company, pat), await signedIn(app, company, await app.person(company))]
  await browser.read('/me/passkey')
  await other.read('/me/passkey')
  const options = await begin(browser, '/me/passkey')
  const credential = authenticator(PAGE).create(options)
  const fields = { form_token: tokenOf(browser), session_id: options.session_id, credential: JSON.stringify(credential) }
  const post = async (more: Record<string, string>, headers = {}) =>
    (await browser.post('/me/passkey/finish', { ...fields, ...more }, headers)).status
  expect(await post({}, { 'sec-fetch-site': 'cross-site' })).not.toBe(200)
  expect(await post({ form_token: tokenOf(other) })).not.toBe(200)
  expect(await post({ credential: '{"id":1}' })).not.toBe(200)
  expect((await finish(other, '/me/passkey', options.session_id, credential)).status).not.toBe(200)
  expect(await kindsOf(app, pat)).toEqual([])
  expect(await post({})).toBe(200)
  expect(noteOf(await browser.read('/me'))).toBe('The sign-in method was added.')
})

test('adding a second factor needs confirmation with the first', async () => {
  const { app, company, pat } = await world()
  const browser = await signedIn(app, company, pat)
  await withApp(app, browser)
  for (const path of ['/me/passkey', '/me/phone']) expect(titleOf(await browser.read(path))).toBe('Confirm your identity')
})

test('confirming with a passkey steps the session up, replaces its token and continues to the page', async () => {
  const { app, company, pat } = await world()
  const device = authenticator(PAGE)
  const browser = await signedIn(app, company, pat)
  await givePasskey(app, pat, device)
  app.clock.advance(20 * 60)
  const confirmPage = await browser.read('/me/app')
  expect(titleOf(confirmPage)).toBe('Confirm your identity')
  expect(confirmPage.html).toContain('data-next="/me/app"')
  const before = browser.jar.kept.get('authsec_session')
  const options = await begin(browser, '/confirm/passkey')
  const done = await finish(browser, '/confirm/passkey', options.session_id, device.get(options))
  expect([done.status, await bodyOf(done)]).toEqual([200, { success: true }])
  expect(browser.jar.kept.get('authsec_session')).not.toBe(before)
  expect(titleOf(await browser.read('/me/app'))).toBe('Add an authenticator app')
  const stale = openBrowser(app)
  stale.jar.kept.set('authsec_session', before ?? '')
  expect((await stale.read('/me')).url).toContain('/signin')
  expect((await app.events(company.tenantId)).filter(({ event }) => event === 'session.stepped_up')).toHaveLength(1)
})

test('a person without a password confirms with a passkey; the passkey of another person confirms nothing', async () => {
  const { app, company, pat } = await world()
  const browser = await signedIn(app, company, pat)
  const theirs = authenticator(PAGE)
  await givePasskey(app, await app.person(company), theirs)
  await givePasskey(app, pat, authenticator(PAGE))
  await change(app, pat, { passwordHash: null })
  app.clock.advance(20 * 60)
  const confirmPage = await browser.read('/me/app')
  expect(confirmPage.html).not.toContain('type="password"')
  const options = await begin(browser, '/confirm/passkey')
  expect((await finish(browser, '/confirm/passkey', options.session_id, theirs.get(options))).status).not.toBe(200)
  expect(titleOf(await browser.read('/me/app'))).toBe('Confirm your identity')
})

test('a phone is added with the code sent to it; no cookie contains the number', async () => {
  const { app, company, pat } = await world()
  const browser = await signedIn(app, company, pat)
  expect((await browser.read('/me')).html).toContain('/me/phone')
  await browser.read('/me/phone')
  expect(summaryOf(await browser.send({ phone_number: '0151 1234' }))).toContain('country code')
  const waiting = await browser.send({ phone_number: '+49 151 1234-5678' })
  expect(titleOf(waiting)).toBe('Enter the code from the message')
  const kept = [...browser.jar.kept.values()].flatMap((value) => [value, Buffer.from(value, 'base64url').toString()])
  expect(kept.filter((text) => text.includes('15112345678'))).toEqual([])
  const [sms] = app.sms.outbox
  expect(sms?.to).toBe('+4915112345678')
  const code = /\d{6}/.exec(sms?.text ?? '')?.[0] ?? ''
  expect(summaryOf(await browser.send({ code: code === '000000' ? '000001' : '000000' }))).toContain('The code is wrong')
  expect(await kindsOf(app, pat)).toEqual([])
  expect(noteOf(await browser.send({ code }))).toBe('The sign-in method was added.')
  expect(await kindsOf(app, pat)).toEqual(['sms'])
  expect((await browser.read('/me/phone/code')).url).not.toBe('/me/phone/code')
})

test('without SMS configuration no phone is offered', async () => {
  const { unconfiguredSms } = await import('#shared/platform/outbox/sms/configured')
  const app = await startApp(routes, { render: pageError, extra: { sms: unconfiguredSms } })
  const company = await app.company()
  const browser = await signedIn(app, company, await app.person(company))
  expect((await browser.read('/me')).html).not.toContain('/me/phone')
  await browser.read('/me/phone')
  expect(summaryOf(await browser.send({ phone_number: '+4915112345678' }))).toContain('Text messages are not available here.')
})

test('a passkey with a clone alarm is marked, and its owner accepts it again after another factor', async () => {
  const { app, company, pat } = await world()
  const browser = await signedIn(app, company, pat)
  const seed = await withApp(app, browser)
  const { factorId } = await givePasskey(app, pat, authenticator(PAGE))
  await atomically(forTenant(app.db, pat.tenantId), (t) => raiseCounterAlarm(t, factorId, app.clock.now()))
  expect((await browser.read('/me')).html).toContain('blocked: it may have been copied')
  expect(titleOf(await browser.read(`/me/method?id=${factorId}`))).toBe('Confirm your identity')
  await browser.send({ password: pat.password })
  const review = await browser.send({ code: appCode(seed, app.clock.now()) })
  expect(titleOf(review)).toBe('This passkey may have been copied')
  expect(formsOf(review).map(({ action }) => action)).toEqual(['/me/method/clear-alarm', '/me/method/remove', '/me/language'])
  expect(noteOf(await browser.send({}, { action: '/me/method/clear-alarm' }))).toBe('The passkey can be used again.')
  expect((await browser.read('/me')).html).not.toContain('may have been copied')
  expect((await app.events(company.tenantId)).filter(({ event }) => event === 'passkey.alarm_cleared')).toHaveLength(1)
})
