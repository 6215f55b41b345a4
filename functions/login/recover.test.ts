import { expect, test } from 'vitest'
import { pageError } from '#shared/platform/pages/error.tsx'
import { type Person, startApp, type TestApp } from '#tests/support/app'
import { noteOf, openBrowser, signInQueryOf, summaryOf, titleOf } from '#tests/support/browser'
import { unchanged } from '#tests/support/rows'
import { change, codeIn, configure, rowOf, wrongCode } from '#tests/support/sign-in'
import { accountPageRoutes } from '../account-pages/routes.ts'
import { loginRoutes } from './routes.ts'

const pages = [...loginRoutes, ...accountPageRoutes]
const NEXT = 'seven purple lanterns over water'
const start = () => startApp(pages, { render: pageError })

const recovered = async (app: TestApp, person: Person, path: string, password = NEXT) => {
  const browser = openBrowser(app)
  await browser.read(path)
  await browser.send({ email: person.email })
  await browser.send({ otp: codeIn(await app.mailsTo(person.email)) })
  await browser.send({ new_password: password })
  return browser
}

test.each(['an administrator on the platform\u2019s page', 'a person on a company\u2019s page'])(
  '%s sets a new password with a mailed code and signs in with it',
  async (who) => {
    const app = await start()
    const acme = await app.company()
    const person = who.startsWith('an') ? acme.admin : await app.person(acme)
    const elsewhere = openBrowser(app)
    await elsewhere.signIn(person, signInQueryOf(acme))
    const browser = await recovered(app, person, who.startsWith('an') ? '/recover' : `/recover?client_id=${acme.clientId}`)
    expect(noteOf(browser.page())).toContain('Your password was changed and you were signed out everywhere.')
    expect((await elsewhere.read('/me')).url).toContain('/signin')
    expect(titleOf(await browser.send({ password: NEXT }))).toBe('Account security')
  },
)

test('the mail uses the language of the company, otherwise the one chosen on the page, otherwise the browser\u2019s', async () => {
  const app = await start()
  const company = await app.company()
  const subjectFor = async (own: Readonly<Record<string, string>>, lang: string, language?: 'en' | 'de'): Promise<string | undefined> => {
    const person = await app.person(company)
    await configure(app, company, language === undefined ? {} : { language })
    const browser = openBrowser(app, own)
    await browser.read(`/recover?client_id=${company.clientId}${lang}`)
    await browser.send({ email: person.email })
    return (await app.mailsTo(person.email)).at(-1)?.subject
  }
  const german = { 'accept-language': 'de-AT,en;q=0.5' }
  const [english, deutsch] = [await subjectFor({}, ''), await subjectFor(german, '')]
  expect(deutsch).not.toBe(english)
  expect(await subjectFor(german, '&lang=en')).toBe(english)
  expect(await subjectFor({}, '&lang=de')).toBe(deutsch)
  expect(await subjectFor({}, '', 'de')).toBe(deutsch)
  expect(await subjectFor(german, '&lang=de', 'en')).toBe(english)
})

test('an unknown address goes through the same steps, and its code is refused like any wrong code', async () => {
  const app = await start()
  const acme = await app.company()
  const pat = await app.person(acme)
  const seen: unknown[][] = []
  for (const email of [pat.email, 'unknown@acme.example']) {
    const browser = openBrowser(app)
    await browser.read(`/recover?client_id=${acme.clientId}`)
    const code = await browser.send({ email })
    const wrong = await browser.send({ otp: '123456' })
    seen.push([code.status, code.url, titleOf(code), summaryOf(wrong), wrong.url])
  }
  expect(seen[1]).toEqual(seen[0])
})

test('a refused password can be replaced; a used, expired or missing proof leads to a page that begins again', async () => {
  const app = await start()
  const acme = await app.company()
  const pat = await app.person(acme)
  const browser = await recovered(app, pat, `/recover?client_id=${acme.clientId}`, 'too short')
  expect(summaryOf(browser.page())).toContain('at least 15 characters')
  await browser.send({ new_password: NEXT })
  expect(titleOf(await browser.read('/recover/password'))).toBe('This password reset has expired')
  expect(browser.page().html).toContain('href="/recover"')
  expect(titleOf(await openBrowser(app).read('/recover/password'))).toBe('This password reset has expired')
  app.clock.advance(61)
  const late = openBrowser(app)
  await late.read(`/recover?client_id=${acme.clientId}`)
  await late.send({ email: pat.email })
  await late.send({ otp: codeIn((await app.mailsTo(pat.email)).filter(({ text }) => /^\s*\d{6}\s*$/m.test(text))) })
  expect(titleOf(late.page())).toBe('Choose a new password')
  app.clock.advance(601)
  expect(summaryOf(await unchanged(app, [acme], () => late.send({ new_password: `${NEXT} again` })))).toBeUndefined()
  expect(titleOf(late.page())).toBe('This password reset has expired')
})

test('a proof works only in its own browser, and wrong codes in another browser do not use up the attempts', async () => {
  const app = await start()
  const acme = await app.company()
  const pat = await app.person(acme)
  const before = await rowOf(app, pat)
  const [browser, thief] = [openBrowser(app), openBrowser(app)]
  for (const one of [browser, thief]) await one.read(`/recover?client_id=${acme.clientId}`)
  await thief.send({ email: pat.email })
  await browser.send({ email: pat.email })
  const otp = codeIn(await app.mailsTo(pat.email))
  for (let n = 1; n < 3; n++) await thief.send({ otp: wrongCode(otp, n) })
  await browser.send({ otp })
  const form_token = /name="form_token" value="([^"]+)"/.exec(thief.page().html)?.[1] ?? ''
  await unchanged(app, [acme], () => thief.post('/recover/password', { form_token, email: pat.email, new_password: NEXT }))
  expect((await rowOf(app, pat))?.passwordHash).toBe(before?.passwordHash)
  expect(titleOf(browser.page())).toBe('Choose a new password')
})

test('a password reset verifies an unverified address', async () => {
  const app = await start()
  const acme = await app.company()
  const pat = await app.person(acme)
  await change(app, pat, { emailVerifiedAt: null })
  const browser = await recovered(app, pat, `/recover?client_id=${acme.clientId}`)
  expect(titleOf(await browser.send({ password: NEXT }))).toBe('Account security')
})
