import { expect, test } from 'vitest'
import { forTenant } from '#db/engine/tenant'
import { findFactors } from '#db/store/factors'
import { pageError } from '#shared/platform/pages/error.tsx'
import { type Company, type Person, startApp, type TestApp } from '#tests/support/app'
import { formsOf, noteOf, openBrowser, signInQueryOf, summaryOf, type TestBrowser, titleOf } from '#tests/support/browser'
import { unchanged } from '#tests/support/rows'
import { codeIn, configure, leaked, setStatus } from '#tests/support/sign-in'
import { appCode } from '#tests/support/totp'
import { accountPageRoutes } from '../account-pages/routes.ts'
import { loginRoutes } from './routes.ts'

const pages = [...loginRoutes, ...accountPageRoutes]
const start = async () => {
  const app = await startApp(pages, { render: pageError })
  const company = await app.company()
  return { app, company, pat: await app.person(company) }
}
const seedIn = ({ html }: { readonly html: string }): string => (/<p class="code seed"[^>]*>([^<]*)/.exec(html)?.[1] ?? '').replace(/\s/g, '')
const backupCodesIn = ({ html }: { readonly html: string }): string[] => [...html.matchAll(/<li>(\d\d-[\w-]+)<\/li>/g)].map(([, code]) => code ?? '')
/** Signs in with a password and adds an app on the account page. */
const withApp = async (app: TestApp, company: Company, person: Person) => {
  const browser = openBrowser(app)
  await browser.signIn(person, signInQueryOf(company))
  const seed = seedIn(await browser.read('/me/app'))
  const codes = backupCodesIn(await browser.send({ code: appCode(seed, app.clock.now()) }))
  app.clock.advance(60)
  return { browser, seed, codes }
}
const halfway = async (app: TestApp, company: Company, person: Person): Promise<TestBrowser> => {
  const browser = openBrowser(app)
  await browser.signIn(person, signInQueryOf(company))
  return browser
}

test('an app is added with a code, its backup codes appear once, and later sign-ins require the app', async () => {
  const { app, company, pat } = await start()
  const { browser, seed, codes } = await withApp(app, company, pat)
  expect(seed).toMatch(/^[A-Z2-7]{32}$/)
  expect(codes).toHaveLength(10)
  expect((await browser.read('/me')).html).toContain('Authenticator')
  expect(JSON.stringify([...browser.jar.kept])).not.toContain(seed)
  const other = await halfway(app, company, pat)
  expect(titleOf(other.page())).toBe('Enter your second factor')
  expect((await other.read('/me')).url).toContain('/signin')
  await other.read(`/signin/factor?client_id=${company.clientId}`)
  expect(summaryOf(await other.send({ code: '000000' }))).toContain('The code is wrong')
  expect(titleOf(await other.send({ code: appCode(seed, app.clock.now()) }))).toBe('Account security')
  expect(await leaked(app, [company.tenantId], [seed, ...codes])).toEqual([])
})

test('reloading the setup page keeps the key of the app; starting again creates a new one', async () => {
  const { app, company, pat } = await start()
  const browser = await halfway(app, company, pat)
  const first = seedIn(await browser.read('/me/app'))
  expect(summaryOf(await browser.send({ code: '000000' }))).toContain('The code is wrong')
  expect(seedIn(await browser.read('/me/app'))).toBe(first)
  const another = await browser.send({}, { action: '/me/app/again' })
  expect(seedIn(another)).not.toBe(first)
  expect((await browser.send({ code: appCode(first, app.clock.now()) })).html).toContain('The code is wrong')
})

test('the key of an app is in no cookie and works once, in the session that began the setup', async () => {
  const { app, company, pat } = await start()
  const [browser, elsewhere] = [await halfway(app, company, pat), await halfway(app, company, pat)]
  const seed = seedIn(await browser.read('/me/app'))
  const kept = [...browser.jar.kept.values()].flatMap((value) => [value, Buffer.from(value, 'base64url').toString()])
  expect(kept.filter((text) => text.includes(seed) || text.includes('otpauth'))).toEqual([])
  expect(seedIn(await elsewhere.read('/me/app'))).not.toBe(seed)
  // The attempt counts against the pending enrolment of that session.
  const foreign = () => elsewhere.send({ code: appCode(seed, app.clock.now()) })
  expect(summaryOf(await unchanged(app, [company], foreign, ['pending_enrolments']))).toContain('The code is wrong')
  await browser.read('/me/app')
  const form = { form_token: formsOf(browser.page())[0]?.fields.form_token ?? '', code: appCode(seed, app.clock.now()) }
  const answers = await Promise.all(Array.from({ length: 20 }, () => browser.post('/me/app', form)))
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  expect((await app.events(company.tenantId)).filter(({ event }) => event === 'factor.added')).toHaveLength(1)
})

test('a backup code signs in once', async () => {
  const { app, company, pat } = await start()
  const { codes } = await withApp(app, company, pat)
  const browser = await halfway(app, company, pat)
  await browser.read(`/signin/factor?client_id=${company.clientId}&by=backup`)
  expect(titleOf(await browser.send({ code: (codes[0] ?? '').toLowerCase() }))).toBe('Account security')
  const again = await halfway(app, company, pat)
  await again.read(`/signin/factor?client_id=${company.clientId}&by=backup`)
  // The attempt is counted.
  expect(summaryOf(await unchanged(app, [company], () => again.send({ code: codes[0] ?? '' }), ['backup_code_tries']))).toContain('wrong')
})

test('a code of an app is accepted once, in any browser', async () => {
  const { app, company, pat } = await start()
  const { seed } = await withApp(app, company, pat)
  const code = appCode(seed, app.clock.now())
  expect(titleOf(await (await halfway(app, company, pat)).send({ code }))).toBe('Account security')
  const again = await halfway(app, company, pat)
  // The attempt is counted in the row of the app.
  expect(summaryOf(await unchanged(app, [company], () => again.send({ code }), ['factors']))).toContain('wrong')
})

test('five wrong codes pause the factor, and the page says for how long', async () => {
  const { app, company, pat } = await start()
  const { seed } = await withApp(app, company, pat)
  const browser = await halfway(app, company, pat)
  for (let n = 0; n < 5; n++) await browser.send({ code: '000000' })
  expect(summaryOf(await browser.send({ code: appCode(seed, app.clock.now()) }))).toMatch(/too many wrong codes\. Try again in \d+ minutes/)
  expect((await browser.read('/me')).url).toContain('/signin')
})

test('where a factor is required and none exists, the person proves the mailbox and adds an app before the session begins', async () => {
  const { app, company, pat } = await start()
  await configure(app, company, { requireSecondFactor: true })
  app.clock.advance(2 * 3600)
  const browser = await halfway(app, company, pat)
  expect([browser.page().url.split('?')[0], titleOf(browser.page())]).toEqual(['/signin/mailbox', 'Verify your email address first'])
  // The page first offers to send a code; the field for a code is inside a closed `details` element.
  expect(formsOf(browser.page())[0]?.action.split('?')[0]).toBe('/signin/mailbox/send')
  expect(browser.page().html).toMatch(/class="primary"[^>]*>Send me a code<.*<details><summary>I already have a code<\/summary>/s)
  expect(noteOf(await browser.send({}, { action: '/signin/mailbox/send' }))).toBe('We sent you a new code.')
  expect(Object.keys(formsOf(browser.page())[0]?.fields ?? {})).toContain('otp')
  expect(browser.page().html).not.toContain('<details><summary>I already')
  expect(summaryOf(await browser.send({ otp: '000000' }))).toContain('wrong or has expired')
  const setup = await browser.send({ otp: codeIn(await app.mailsTo(pat.email)) })
  expect(titleOf(setup)).toBe('Add an authenticator app')
  const codes = await browser.send({ code: appCode(seedIn(setup), app.clock.now()) })
  expect(backupCodesIn(codes)).toHaveLength(10)
  expect(browser.jar.kept.has('authsec_session')).toBe(false)
  expect(titleOf(await browser.send({}))).toBe('Account security')
})

test('a stolen password adds no app: the page requires the existing factor or a proof of the mailbox', async () => {
  const { app, company, pat } = await start()
  const { seed } = await withApp(app, company, pat)
  const thief = await halfway(app, company, pat)
  expect((await thief.read(`/signin/enrol?client_id=${company.clientId}`)).url).toContain('/signin/factor')
  const form_token = formsOf(thief.page())[0]?.fields.form_token ?? ''
  const response = await unchanged(app, [company], () => thief.post('/signin/enrol', { form_token, code: appCode(seed, app.clock.now()) }))
  expect(response.status).toBe(303)
  expect(await findFactors(forTenant(app.db, company.tenantId), pat.id)).toHaveLength(1)
  // The login transaction counts the refused attempt.
  const finish = await unchanged(app, [company], () => thief.post('/signin/finish', { form_token }), ['tickets'])
  expect(finish.headers.get('location')).toContain('/signin/factor')
  expect(thief.jar.kept.has('authsec_session')).toBe(false)
})

test('a sign-in that has expired or belongs to another browser is reported as expired, and a suspended company gets no session', async () => {
  const { app, company, pat } = await start()
  const { seed } = await withApp(app, company, pat)
  expect(titleOf(await openBrowser(app).read('/signin/factor'))).toBe('This sign-in has expired')
  const browser = await halfway(app, company, pat)
  app.clock.advance(601)
  const late = () => browser.send({ code: appCode(seed, app.clock.now()) })
  expect(titleOf(await unchanged(app, [company], late))).toBe('This sign-in has expired')
  const gone = await halfway(app, company, pat)
  await setStatus(app, company, 'suspended')
  await gone.send({ code: appCode(seed, app.clock.now()) })
  expect(gone.jar.kept.has('authsec_session')).toBe(false)
})

test('a second factor is removed only after a recent sign-in with it, and the page confirms the removal', async () => {
  const { app, company, pat } = await start()
  const { browser, seed } = await withApp(app, company, pat)
  const [factor] = await findFactors(forTenant(app.db, company.tenantId), pat.id)
  // The session began with a password alone, so the page requires the second factor.
  const confirmation = await browser.read(`/me/method?id=${factor?.id}`)
  expect(titleOf(confirmation)).toBe('Confirm your identity')
  expect(titleOf(await browser.send({ password: pat.password }))).toBe('Enter your second factor')
  const page = await browser.send({ code: appCode(seed, app.clock.now()) })
  expect([titleOf(page), summaryOf(page)]).toEqual(['Remove this sign-in method?', undefined])
  expect(noteOf(await browser.send({}))).toBe('The sign-in method was removed.')
  expect(await findFactors(forTenant(app.db, company.tenantId), pat.id)).toEqual([])
})

test('new backup codes replace the old ones', async () => {
  const { app, company, pat } = await start()
  const { seed, codes } = await withApp(app, company, pat)
  const browser = await halfway(app, company, pat)
  await browser.send({ code: appCode(seed, app.clock.now()) })
  const renewed = backupCodesIn(await browser.send({}, { action: '/me/backup-codes' }))
  expect(renewed).toHaveLength(10)
  const other = await halfway(app, company, pat)
  await other.read(`/signin/factor?client_id=${company.clientId}&by=backup`)
  expect(summaryOf(await other.send({ code: codes[3] ?? '' }))).toContain('wrong')
  expect(titleOf(await other.send({ code: renewed[3] ?? '' }))).toBe('Account security')
})
