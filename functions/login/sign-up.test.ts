import { expect, test } from 'vitest'
import { forTenant } from '#db/engine/tenant'
import { findUserByEmail } from '#db/store/users'
import { pageError } from '#shared/platform/pages/error.tsx'
import { startApp } from '#tests/support/app'
import { noteOf, openBrowser, summaryOf, titleOf } from '#tests/support/browser'
import { unchanged } from '#tests/support/rows'
import { codeIn, wrongCode } from '#tests/support/sign-in'
import { accountPageRoutes } from '../account-pages/routes.ts'
import { loginRoutes } from './routes.ts'

const pages = [...loginRoutes, ...accountPageRoutes]
const PASSWORD = 'seven purple lanterns over water'
const start = (env: Readonly<Record<string, string>> = {}) => startApp(pages, { render: pageError, env })
const newAddress = (app: Awaited<ReturnType<typeof start>>): string => `ada-${app.ctx.random.id().slice(-10)}@new.example`

test('a company signs up, proves its address with the code, and its administrator signs in', async () => {
  const app = await start()
  const email = newAddress(app)
  const browser = openBrowser(app)
  expect(titleOf(await browser.read('/signup'))).toBe('Register your company')
  const code = await browser.send({ name: 'Ada', tenant_domain: `new-${app.ctx.random.id().slice(-10)}`, email, password: PASSWORD })
  expect([code.url, titleOf(code)]).toEqual(['/signup/code', 'Enter the code from the email'])
  expect(code.html).toContain(email)
  const otp = codeIn(await app.mailsTo(email))
  expect(summaryOf(await browser.send({ otp: wrongCode(otp) }))).toContain('Check the latest email, or request a new code.')
  expect(summaryOf(await browser.send({ otp: '12' }))).toBe('Enter the six digits from the email.')
  const ready = await browser.send({ otp: ` ${otp.slice(0, 3)} ${otp.slice(3)}` })
  expect([ready.url, noteOf(ready)]).toEqual(['/signin/password', 'Your account is ready. Sign in to continue.'])
  expect(titleOf(await browser.send({ password: PASSWORD }))).toBe('Account security')
  // Going back to the page of the code: the sign-up was already used.
  await browser.read('/signup/code')
  expect(titleOf(browser.page())).toBe('This sign-up has expired')
})

test('a browser that remembers an address but requested no code gets no page to enter one', async () => {
  const app = await start()
  const acme = await app.company()
  const browser = openBrowser(app)
  await browser.read(`/signin?client_id=${acme.clientId}`)
  await browser.send({ email: acme.admin.email })
  expect(titleOf(await browser.read('/signup/code'))).toBe('This sign-up has expired')
  expect(titleOf(await browser.read('/recover/code'))).toBe('This password reset has expired')
})

test('a person signs up on a company\u2019s page; an address that is taken gets the same answer', async () => {
  const app = await start()
  const acme = await app.company()
  const [email, taken] = [newAddress(app), acme.admin.email]
  const path = `/signup?client_id=${acme.clientId}`
  const pages: string[] = []
  for (const address of [email, taken]) {
    const browser = openBrowser(app)
    await browser.read(path)
    const page = await browser.send({ email: address, password: PASSWORD })
    pages.push(`${page.status} ${page.url} ${titleOf(page)} ${page.html.length - address.length * (page.html.split(address).length - 1)}`)
    const wrong = await browser.send({ otp: '000000' })
    pages.push(`${titleOf(wrong)} ${summaryOf(wrong)}`)
    if (address !== email) continue
    expect(titleOf(await browser.send({ otp: codeIn(await app.mailsTo(email)) }))).toBe('Enter your password')
    expect(titleOf(await browser.send({ password: PASSWORD }))).toBe('Account security')
  }
  expect(pages[2]).toBe(pages[0])
  expect(pages[3]).toBe(pages[1])
  expect(await findUserByEmail(forTenant(app.db, acme.tenantId), email)).toMatchObject({ emailVerifiedAt: expect.any(Date) })
})

test('the field of the password explains every rule, with the required length', async () => {
  const app = await start()
  const acme = await app.company()
  const browser = openBrowser(app)
  await browser.read(`/signup?client_id=${acme.clientId}`)
  for (const [password, words] of [
    ['too short', 'Use at least 15 characters.'],
    ['long '.repeat(30), 'Use at most 128 characters.'],
    ['passwordpassword', 'lists of leaked passwords'],
    ['someone-new@new.example', 'This password contains your name or address.'],
  ] as const) {
    const page = await unchanged(app, [acme], () => browser.send({ email: 'someone-new@new.example', password }))
    expect(summaryOf(page)).toContain(words)
    expect(page.html).toMatch(/id="password-error"[^>]*>[^<]/)
    if (!password.includes('@')) expect(page.html).not.toContain(password)
  }
  expect(await app.mailsTo('someone-new@new.example')).toEqual([])
})

test('a taken or invalid name is reported at its field, and a code requested too soon with the time left', async () => {
  const app = await start()
  const acme = await app.company()
  const email = newAddress(app)
  const browser = openBrowser(app)
  await browser.read('/signup')
  const form = { name: 'Ada', email, password: PASSWORD }
  expect(summaryOf(await browser.send({ ...form, tenant_domain: acme.name }))).toBe('This name is taken. Choose another one.')
  expect(browser.page().html).toContain('value="Ada"')
  expect(summaryOf(await browser.send({ ...form, tenant_domain: '1x' }))).toContain('3 to 63 letters')
  await browser.send({ ...form, tenant_domain: `t${app.ctx.random.id().slice(-10)}` })
  const again = await browser.send({}, { action: '/signup/code/again' })
  expect(again.html).toContain('Too many codes were requested. Request a new one in 60 seconds.')
  app.clock.advance(61)
  expect(noteOf(await browser.send({}, { action: '/signup/code/again' }))).toBe('We sent you a new code.')
  expect(await app.mailsTo(email)).toHaveLength(2)
})

test('where sign-up is closed the page says so, and the form is refused', async () => {
  const app = await start({ SIGN_UP: 'closed' })
  const browser = openBrowser(app)
  const page = await browser.read('/signup')
  expect(titleOf(page)).toBe('Sign-up is closed')
  expect((await browser.read('/signin')).html).not.toContain('/signup')
  const form_token = /name="form_token" value="([^"]+)"/.exec(browser.page().html)?.[1] ?? ''
  const sent = { form_token, name: 'Ada', tenant_domain: 'newone', email: 'a@new.example', password: PASSWORD }
  await unchanged(app, [], () => browser.post('/signup', sent))
  expect(await app.mailsTo('a@new.example')).toEqual([])
})

test('the sign-up of a company reports the errors of all fields together, each at its field', async () => {
  const app = await start()
  const acme = await app.company()
  const browser = openBrowser(app)
  await browser.read('/signup')
  const errorsIn = (html: string) =>
    Object.fromEntries([...html.matchAll(/data-error-of="(\w+)"(?! hidden)[^>]*>([^<]+)</g)].map(([, field = '', text = '']) => [field, text]))
  const all = await unchanged(app, [acme], () => browser.send({ name: 'Ada', tenant_domain: '1x', email: 'none', password: 'short' }))
  expect(errorsIn(all.html)).toEqual({
    tenant_domain: expect.stringContaining('3 to 63 letters'),
    email: expect.stringContaining('Enter an email address'),
    password: expect.stringContaining('Use at least 15 characters.'),
  })
  expect(summaryOf(all)).toBe('Correct the marked fields.')
  expect(all.html).toContain('value="Ada"')
  expect(all.html).not.toContain('value="short"')
  const two = await browser.send({ name: 'Ada', tenant_domain: acme.name, email: 'ada@new.example', password: '' })
  expect(errorsIn(two.html)).toEqual({
    tenant_domain: expect.stringContaining('This name is taken'),
    password: expect.stringContaining('at least 15'),
  })
  const one = await browser.send({ name: 'Ada', tenant_domain: `n${app.ctx.random.id().slice(-10)}`, email: 'none', password: PASSWORD })
  expect(errorsIn(one.html)).toEqual({ email: expect.stringContaining('Enter an email address') })
})

test('each field tells the keyboard and the password manager what it is for', async () => {
  const app = await start()
  const { html } = await openBrowser(app).read('/signup')
  const fieldOf = (id: string): string => new RegExp(`<input id="${id}"[^>]*>`).exec(html)?.[0] ?? ''
  expect(fieldOf('name')).toMatch(/autocomplete="name" autocapitalize="words"/)
  expect(fieldOf('tenant_domain')).toMatch(/autocomplete="organization" autocapitalize="none"/)
  expect(fieldOf('email')).toMatch(/type="email".*autocomplete="username" autocapitalize="none".*inputmode="email"/)
  expect(fieldOf('password')).toMatch(/autocomplete="new-password" autocapitalize="none"/)
})

test('a forged message in the cookie shows one of the known texts', async () => {
  const app = await start()
  const browser = openBrowser(app)
  for (const said of [{ code: 'constructor' }, { code: '__proto__' }, { code: 'invalid_request', fields: { email: 'toString', __proto__: 'x' } }]) {
    const visit = { browser: 'b'.repeat(43), said: { page: '/signup', ...said } }
    browser.jar.kept.set('authsec_visit', Buffer.from(JSON.stringify(visit)).toString('base64url'))
    const page = await browser.read('/signup')
    expect([page.status, summaryOf(page)]).toEqual([200, expect.stringMatching(/^(Something went wrong\.|Correct the marked fields\.)/)])
  }
})
