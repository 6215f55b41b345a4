// Lost factors on our own pages: a pass, or a waiting period that mails announce and their links cancel.
import { expect, test } from 'vitest'
import { forTenant } from '#db/engine/tenant'
import { findFactors } from '#db/store/factors'
import type { Route } from '#shared/platform/http/route'
import { pageError } from '#shared/platform/pages/error.tsx'
import { type Company, type Person, startApp, type TestApp } from '#tests/support/app'
import { formsOf, noteOf, openBrowser, signInQueryOf, summaryOf, titleOf } from '#tests/support/browser'
import { unchanged } from '#tests/support/rows'
import { bodyOf, change, codeIn, configure, enrol, leaked, textIn } from '#tests/support/sign-in'
import { accountPageRoutes } from '../account-pages/routes.ts'
import { factorRoutes } from '../factors/routes.ts'
import { loginRoutes } from './routes.ts'

const routes = [...loginRoutes, ...accountPageRoutes, ...factorRoutes] as readonly Route<never>[]
const DAY = 24 * 3600

const world = async () => {
  const app = await startApp(routes, { render: pageError })
  const company = await app.company()
  const pat = await app.person(company)
  await enrol(app, pat)
  return { app, company, pat }
}
/** Signs in with the password and stops at the second factor. */
const halfway = async (app: TestApp, company: Company, person: Person) => {
  const browser = openBrowser(app)
  expect(titleOf(await browser.signIn(person, signInQueryOf(company)))).toBe('Enter your second factor')
  return browser
}
const factorsOf = async (app: TestApp, person: Person): Promise<number> => (await findFactors(forTenant(app.db, person.tenantId), person.id)).length
const passFor = async (app: TestApp, company: Company, person: Person): Promise<string> =>
  textIn(await bodyOf(await app.request(`/people/${person.id}/recovery-pass`, { method: 'POST', token: await app.token(company.admin) })), 'pass')
const ACCESS = (company: Company) => `/recover/access?client_id=${company.clientId}`
const WAITING = (company: Company) => `/recover/access/waiting?client_id=${company.clientId}`
const events = async (app: TestApp, company: Company) => (await app.events(company.tenantId)).map(({ event }) => event)

test('a pass after the password removes the lost factor and signs the person in; a wrong pass gets one generic refusal', async () => {
  const { app, company, pat } = await world()
  const browser = await halfway(app, company, pat)
  const page = await browser.read(ACCESS(company))
  expect(page.html).toContain('With a one-time pass')
  expect(page.html).not.toContain('With a waiting period')
  const pass = await passFor(app, company, pat)
  expect(summaryOf(await unchanged(app, [company], () => browser.send({ pass: `${pass}x` })))).toContain('wrong, already used or expired')
  expect(await factorsOf(app, pat)).toBe(1)
  expect(titleOf(await browser.send({ pass }))).toBe('Account security')
  expect(await factorsOf(app, pat)).toBe(0)
  expect(await leaked(app, [company.tenantId], [pass])).toEqual([])
  const again = await halfway(app, company, await app.person(company)).catch(() => undefined)
  expect(again).toBeUndefined()
})

test('where everyone needs a second factor, a new one is added before the session begins', async () => {
  const { app, company, pat } = await world()
  await configure(app, company, { requireSecondFactor: true })
  const browser = await halfway(app, company, pat)
  await browser.read(ACCESS(company))
  const back = await browser.send({ pass: await passFor(app, company, pat) })
  expect(titleOf(back)).toBe('Add an authenticator app')
  expect(noteOf(back)).toContain('The lost sign-in methods were removed.')
  expect((await browser.read('/me')).url).toContain('/signin')
})

test('a pass is refused without the password, and in the sign-in of another person', async () => {
  const { app, company, pat } = await world()
  const other = await app.person(company)
  await enrol(app, other)
  const pass = await passFor(app, company, pat)
  const unauthenticated = openBrowser(app)
  await unauthenticated.read(ACCESS(company))
  expect(summaryOf(await unchanged(app, [company], () => unauthenticated.send({ email: pat.email, pass })))).toContain(
    'wrong, already used or expired',
  )
  const theirs = await halfway(app, company, other)
  await theirs.read(ACCESS(company))
  expect(summaryOf(await unchanged(app, [company], () => theirs.send({ email: pat.email, pass })))).toContain('wrong, already used or expired')
  expect([await factorsOf(app, pat), await factorsOf(app, other)]).toEqual([1, 1])
})

test('of twenty simultaneous uses of one pass, one succeeds', async () => {
  const { app, company, pat } = await world()
  const browser = await halfway(app, company, pat)
  const page = await browser.read(ACCESS(company))
  const form = formsOf(page).find(({ action }) => action.startsWith('/recover/access/pass'))
  const fields = { ...form?.fields, pass: await passFor(app, company, pat) }
  const answers = await Promise.all(Array.from({ length: 20 }, () => browser.post(form?.action ?? '', fields)))
  expect(answers.filter(({ headers }) => headers.get('location') === '/me')).toHaveLength(1)
  expect((await events(app, company)).filter((event) => event === 'recovery_pass.used')).toHaveLength(1)
})

const begun = async (days = 3) => {
  const w = await world()
  await configure(w.app, w.company, { recovery: { waitingDays: days, administratorPass: false } })
  const browser = await halfway(w.app, w.company, w.pat)
  expect((await browser.read(ACCESS(w.company))).html).not.toContain('With a one-time pass')
  const waiting = await browser.send({})
  expect(titleOf(waiting)).toBe('The waiting period has started')
  const key = /<p class="code seed"[^>]*>([^<]*)/.exec(waiting.html)?.[1] ?? ''
  return { ...w, browser, waiting, key }
}

test('mails announce the waiting period and remind of it, and the browser that began it finishes with a mailed code', async () => {
  const { app, company, pat, browser } = await begun()
  const subjects = async () => (await app.mailsTo(pat.email)).map(({ subject }) => subject.replace(` at ${company.name}`, ''))
  expect(await subjects()).toEqual(['A recovery of your account was requested'])
  app.clock.advance(1.5 * DAY + 1)
  expect(await subjects()).toHaveLength(2)
  app.clock.advance(DAY / 2)
  expect(await subjects()).toHaveLength(3)
  expect(titleOf(await browser.read(WAITING(company)))).toBe('The waiting period has started')
  app.clock.advance(DAY)
  expect((await subjects()).slice(1)).toEqual([
    'A recovery is in progress for your account',
    'A recovery is in progress for your account',
    'Your account can now be recovered',
  ])
  expect(titleOf(await browser.read(WAITING(company)))).toBe('The waiting period is over')
  expect(noteOf(await browser.send({}, { action: '/recover/access/send' }))).toContain('We sent you a new code.')
  const code = codeIn(await app.mailsTo(pat.email))
  expect(summaryOf(await browser.send({ otp: code === '000000' ? '000001' : '000000' }))).toContain('wrong, already used or expired')
  expect(titleOf(await browser.send({ otp: code }))).toBe('Account security')
  expect(await factorsOf(app, pat)).toBe(0)
  expect(await events(app, company)).toContain('recovery.completed')
})

test('a recovery cannot finish early, and another browser continues it only with its key', async () => {
  const { app, company, key } = await begun()
  const other = openBrowser(app)
  expect(titleOf(await other.read(WAITING(company)))).toBe('Continue a recovery')
  expect(summaryOf(await other.send({ recovery: `${company.tenantId}.${'x'.repeat(43)}` }))).toContain('wrong, already used or expired')
  const held = await other.send({ recovery: key })
  expect(titleOf(held)).toBe('The waiting period has started')
  const { form_token = '' } = formsOf(await other.read(ACCESS(company)))[0]?.fields ?? {}
  for (const [path, fields] of [
    ['send', {}],
    ['finish', { otp: '123456' }],
  ] as const) {
    const answer = await unchanged(app, [company], () => other.post(`/recover/access/${path}`, { form_token, ...fields }))
    expect(answer.headers.get('location')).toBe('/recover/access/waiting')
  }
  expect(summaryOf(await other.read('/recover/access/waiting')) ?? '').not.toContain('code')
  expect(await events(app, company)).not.toContain('recovery.completed')
})

test.each(['the first mail', 'a reminder'])(
  'the link in %s cancels the recovery, in either language, and withdraws the other reminders',
  async (which) => {
    const { app, company, pat, browser } = await begun()
    if (which === 'a reminder') app.clock.advance(1.5 * DAY + 1)
    const mails = await app.mailsTo(pat.email)
    const link = new URL(/https?:\/\/\S+\/account\/recovery\/cancel\?ticket=\S+/.exec(mails.at(-1)?.text ?? '')?.[0] ?? '')
    const owner = openBrowser(app)
    const page = await owner.read(`${link.pathname}${link.search}&lang=de`)
    expect(titleOf(page)).toBe('Wiederherstellung abbrechen')
    expect(page.html).toContain('<html lang="de">')
    expect(await events(app, company)).not.toContain('recovery.cancelled')
    expect(titleOf(await owner.send({}))).toBe('Die Wiederherstellung wurde abgebrochen')
    expect(await events(app, company)).toContain('recovery.cancelled')
    app.clock.advance(4 * DAY)
    expect(await app.mailsTo(pat.email)).toHaveLength(mails.length)
    expect(titleOf(await browser.read(WAITING(company)))).toBe('Continue a recovery')
    expect(await factorsOf(app, pat)).toBe(1)
  },
)

test('the page gives one answer for every address while the password is not proved', async () => {
  const { app, company, pat } = await world()
  await configure(app, company, { recovery: { waitingDays: 3 } })
  const keyless = await app.person(company)
  await change(app, keyless, { passwordHash: null })
  for (const email of [pat.email, keyless.email, `unknown@${company.name}.example`]) {
    const browser = openBrowser(app)
    await browser.read(ACCESS(company))
    expect(titleOf(await browser.send({ email }, { action: '/recover/access/wait' }))).toBe('The waiting period has started')
  }
  expect((await events(app, company)).filter((event) => event === 'recovery.started')).toHaveLength(1)
  expect(await app.mailsTo(pat.email)).toEqual([])
  expect(await app.mailsTo(keyless.email)).toHaveLength(1)
})

test('the platform\u2019s own page offers only a pass, and a way that is not offered cannot begin', async () => {
  const { app, company, pat } = await world()
  const browser = openBrowser(app)
  const page = await browser.read('/recover/access')
  expect(page.html).toContain('With a one-time pass')
  expect(page.html).not.toContain('With a waiting period')
  const { form_token = '' } = formsOf(page)[0]?.fields ?? {}
  for (const path of ['/recover/access/wait', `/recover/access/wait?client_id=${company.clientId}`]) {
    const begun = await unchanged(app, [company], () => browser.post(path, { form_token, email: pat.email }))
    expect(begun.headers.get('location')).toContain('/recover/access')
  }
  expect(await events(app, company)).not.toContain('recovery.started')
  await configure(app, company, { recovery: { administratorPass: false } })
  expect(titleOf(await browser.read(ACCESS(company)))).toBe('Contact your administrator')
})
