// The language that a person chose on their account page is stored and used in everything sent to them.
import { expect, test } from 'vitest'
import { atomically, forTenant } from '#db/engine/tenant'
import { mailSetPasswordLink } from '#shared/domains/recovery/set-password-link'
import { fixedClock } from '#shared/kernel/clock'
import type { Route } from '#shared/platform/http/route'
import { localPush } from '#shared/platform/outbox/push/local'
import { pageError } from '#shared/platform/pages/error.tsx'
import { type Company, type Person, startApp, TEST_START, type TestApp } from '#tests/support/app'
import { formsOf, openBrowser, signInQueryOf, titleOf } from '#tests/support/browser'
import { newCibaClient, requestCiba } from '#tests/support/ciba'
import { unchanged } from '#tests/support/rows'
import { configure, rowOf } from '#tests/support/sign-in'
import { cibaRoutes } from '../ciba/routes.ts'
import { loginRoutes } from '../login/routes.ts'
import { accountPageRoutes } from './routes.ts'

const routes = [...loginRoutes, ...accountPageRoutes, ...cibaRoutes] as readonly Route<never>[]
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'

const world = async () => {
  const push = localPush(fixedClock(TEST_START))
  const app = await startApp(routes, { render: pageError, extra: { push } })
  const company = await app.company()
  return { app, push, company, pat: await app.person(company) }
}
const signedIn = async (app: TestApp, company: Company, person: Person) => {
  const browser = openBrowser(app, { 'user-agent': FIREFOX })
  await browser.signIn(person, signInQueryOf(company))
  return browser
}
const chosen = async (app: TestApp, company: Company, person: Person, lang = 'de') => {
  const browser = await signedIn(app, company, person)
  await browser.send({ lang }, { action: '/me/language' })
  return browser
}
const textsTo = async (app: TestApp, { email }: Person) => (await app.mailsTo(email)).map(({ subject, text }) => `${subject}\n${text}`)

test('the choice is stored, is in the audit log once, and returns to the page it was made on', async () => {
  const { app, company, pat } = await world()
  const browser = await signedIn(app, company, pat)
  await browser.read('/me/password')
  const page = await browser.send({ lang: 'de' }, { action: '/me/language' })
  expect([page.url, titleOf(page)]).toEqual(['/me/password', 'Passwort ändern'])
  expect(page.html).toContain('<html lang="de">')
  expect((await rowOf(app, pat))?.language).toBe('de')
  await browser.send({ lang: 'de' }, { action: '/me/language' })
  expect(await app.events(company.tenantId, { event: 'user.updated' })).toMatchObject([{ actorId: pat.id, targetId: pat.id }])
  expect((await browser.read('/me')).html).toContain('Firefox auf Linux')
})

test('an unknown language and a return address on another origin are ignored', async () => {
  const { app, company, pat } = await world()
  const browser = await signedIn(app, company, pat)
  const form = formsOf(browser.page()).find(({ action }) => action === '/me/language')
  await unchanged(app, [company], () => browser.post('/me/language', { ...form?.fields, lang: 'xx' }))
  const led = await browser.post('/me/language', { ...form?.fields, lang: 'de', return_to: 'https://evil.example/' })
  expect(led.headers.get('location')).toBe('/me')
})

test('a choice made before sign-in applies to this browser only', async () => {
  const { app, company, pat } = await world()
  await signedIn(app, company, pat)
  const browser = openBrowser(app)
  const page = await browser.read(`${signInQueryOf(company)}&lang=de`)
  expect(formsOf(page).map(({ action }) => action)).not.toContain('/me/language')
  await browser.signIn(pat, signInQueryOf(company))
  expect((await rowOf(app, pat))?.language).toBeNull()
})

test('mails use the chosen language, regardless of the requesting browser and the tenant setting', async () => {
  const { app, company, pat } = await world()
  await configure(app, company, { language: 'en' })
  const [other, browser] = [await app.person(company), await chosen(app, company, pat)]
  await browser.read('/me/email')
  await browser.send({ new_email: `new-${pat.email}`, current_password: pat.password })
  const attacker = openBrowser(app, { 'user-agent': FIREFOX, 'accept-language': 'en' })
  await attacker.read(signInQueryOf(company))
  await attacker.send({ email: pat.email })
  for (let n = 0; n < 5; n++) await attacker.send({ password: 'wrong' })
  await atomically(forTenant(app.db, company.tenantId), (t) =>
    mailSetPasswordLink(t, app.ctx, { userId: pat.id, email: pat.email, purpose: 'invitation' }),
  )
  const texts = await textsTo(app, pat)
  expect(texts).toHaveLength(3)
  for (const text of texts) expect(text).toMatch(/ (?:Ihr|Sie) /)
  for (const text of texts.slice(0, 2)) expect(text).toContain('Firefox auf Linux')
  // Mails to other people keep their own language.
  await attacker.read(signInQueryOf(company))
  await attacker.send({ email: other.email })
  for (let n = 0; n < 5; n++) await attacker.send({ password: 'wrong' })
  expect((await textsTo(app, other)).join()).toContain('Firefox on Linux')
})

test('SMS codes and push prompts use the chosen language', async () => {
  const { app, push, company, pat } = await world()
  const browser = await chosen(app, company, pat)
  await browser.read('/me/phone')
  await browser.send({ phone_number: '+491701234567' })
  expect(app.sms.outbox.at(-1)?.text).toMatch(/^\d{6} ist Ihr Code für localhost/)
  const client = await newCibaClient(app, company)
  const token = await app.token(pat)
  await app.request('/authsec/uflow/auth/ciba/register-device', { token, body: { device_token: `phone-${pat.id}`, platform: 'ios' } })
  await requestCiba(app, client, pat.email, { binding_message: 'W4SCT' })
  expect(push.outbox.at(-1)).toMatchObject({
    body: 'Shop bittet Sie, eine Anmeldung zu bestätigen: \u201eW4SCT\u201c',
    data: { language: 'de' },
  })
})
