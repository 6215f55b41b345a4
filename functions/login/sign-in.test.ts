import { expect, test } from 'vitest'
import { pageError } from '#shared/platform/pages/error.tsx'
import { startApp, type TestApp } from '#tests/support/app'
import { openBrowser, signInQueryOf, summaryOf, titleOf } from '#tests/support/browser'
import { unchanged } from '#tests/support/rows'
import { change, configure, eventsOf, setStatus, verifyDomain } from '#tests/support/sign-in'
import { accountPageRoutes } from '../account-pages/routes.ts'
import { loginRoutes } from './routes.ts'

const pages = [...loginRoutes, ...accountPageRoutes]
const start = (env: Readonly<Record<string, string>> = {}) => startApp(pages, { render: pageError, env })
const REFUSED = 'The email address or the password is incorrect. Check both and try again.'
const sessions = (app: TestApp, tenantId: Parameters<TestApp['events']>[0]) =>
  app.events(tenantId).then((events) => events.filter(({ event, outcome }) => event === 'session.created' && outcome === 'success').length)

test('an administrator signs in on the platform\u2019s page: address, password, and the account page', async () => {
  const app = await start()
  const { admin, tenantId } = await app.company()
  const browser = openBrowser(app)
  expect(titleOf(await browser.read('/me'))).toBe('Sign in')
  expect(browser.page().url).toBe('/signin?return_to=%2Fme')
  expect(titleOf(await browser.send({ email: admin.email }))).toBe('Enter your password')
  const me = await browser.send({ password: admin.password })
  expect([me.status, me.url, titleOf(me)]).toEqual([200, '/me', 'Account security'])
  expect(me.html).toContain(`Signed in as ${admin.email}`)
  expect(await eventsOf(app, tenantId, 'login.checkPassword')).toEqual(['session.created', 'user.signed_in'])
  // The next visit to the sign-in page leads to the account page.
  expect((await browser.read('/signin')).url).toBe('/me')
})

test('a signed-in person can choose another account, and the previous session ends', async () => {
  const app = await start()
  const acme = await app.company()
  const [pat, ann] = [await app.person(acme), await app.person(acme)]
  const browser = openBrowser(app)
  await browser.signIn(pat, signInQueryOf(acme))
  const path = `${signInQueryOf(acme)}&return_to=%2Fme`
  expect((await browser.read(path)).url).toBe('/me')
  expect(titleOf(await browser.read(`${path}&other=1`))).toContain('Sign in')
  await browser.send({ email: ann.email })
  const me = await browser.send({ password: ann.password })
  expect([me.url, me.html]).toEqual(['/me', expect.stringContaining(`Signed in as ${ann.email}`)])
  const ended = (await app.events(acme.tenantId, { event: 'user.signed_out' })).map(({ actorId }) => actorId)
  expect(ended).toEqual([pat.id])
  expect((await browser.read(`${path}&other=2`)).status).toBe(400)
})

test('the session cookie is HttpOnly; over TLS cookies are bound to the host', async () => {
  const app = await start()
  const { admin } = await app.company()
  const browser = openBrowser(app)
  await browser.read('/signin')
  await browser.send({ email: admin.email })
  const form = { form_token: /name="form_token" value="([^"]+)"/.exec(browser.page().html)?.[1] ?? '', email: admin.email, password: admin.password }
  const response = await browser.post('/signin/password', form)
  const cookies = response.headers.getSetCookie()
  expect(cookies.find((line) => line.startsWith('authsec_session='))).toMatch(/; Path=\/; Max-Age=86400; HttpOnly; SameSite=Lax$/)
  expect(response.headers.get('cache-control')).toBe('no-store')
  const secure = await app.app.request('https://localhost:7468/signin', {}, { peer: { address: '192.0.2.1', secure: true } })
  expect(secure.headers.getSetCookie().find((line) => line.startsWith('__Host-authsec_visit='))).toMatch(
    /; Path=\/; .*HttpOnly; SameSite=Lax; Secure$/,
  )
})

test('the API never accepts the session cookie, and a page never accepts a bearer token', async () => {
  const { accountRoutes } = await import('../account/routes.ts')
  const app = await startApp([...pages, ...accountRoutes], { render: pageError })
  const { admin } = await app.company()
  const browser = openBrowser(app)
  await browser.signIn(admin)
  expect((await browser.read('/account/sessions')).status).toBe(401)
  const bearer = await app.request('/me', { token: await app.token(admin) })
  expect([bearer.status, bearer.headers.get('location')]).toEqual([303, '/signin?return_to=%2Fme'])
})

test('one answer for an unknown address, a wrong password, a disabled person, a suspended, another or an unknown company', async () => {
  const app = await start()
  const [acme, globex, gone] = [await app.company(), await app.company('globex'), await app.company('gone')]
  const [pat, dora] = [await app.person(acme), await app.person(acme)]
  await change(app, dora, { active: false })
  await setStatus(app, gone, 'suspended')
  const tries = [
    [signInQueryOf(acme), { email: 'unknown@acme.example', password: pat.password }],
    [signInQueryOf(acme), { email: pat.email, password: 'wrong' }],
    [signInQueryOf(acme), dora],
    [signInQueryOf(globex), pat],
    [signInQueryOf(gone), gone.admin],
    ['/signin?client_id=0190aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee', pat],
    ['/signin?tenant=no-such-company', pat],
    // Not an administrator, on the sign-in page for administrators.
    ['/signin', pat],
  ] as const
  for (const [path, who] of tries) {
    const browser = openBrowser(app)
    await browser.read(path)
    const second = await browser.send({ email: who.email })
    expect(titleOf(second), path).toBe('Enter your password')
    // A wrong password is counted in the row of the person.
    const answer = await unchanged(app, [acme, globex, gone], () => browser.send({ password: who.password }), ['users'])
    expect([answer.status, titleOf(answer), summaryOf(answer)], path).toEqual([200, 'Enter your password', REFUSED])
    expect(browser.jar.kept.has('authsec_session')).toBe(false)
  }
})

test('the client, the name or a verified domain decides to which company the sign-in page belongs', async () => {
  const app = await start()
  const acme = await app.company()
  const pat = await app.person(acme)
  const own = `login.${acme.name}.example`
  await verifyDomain(app, acme, own)
  for (const path of [signInQueryOf(acme), `/signin?tenant=${acme.name}`, `/signin?tenant=${acme.domain}`, `/signin?tenant=${own}`]) {
    const browser = openBrowser(app)
    expect(titleOf(await browser.read(path))).toBe(`Sign in to ${acme.name}`)
    expect((await browser.signIn(pat, path)).url).toBe('/me')
  }
  const there = await app.app.request(`http://${own}/signin`, { headers: { host: own } }, { peer: { address: '192.0.2.1', secure: false } })
  expect(await there.text()).toContain(`Sign in to ${acme.name}`)
})

test('the page keeps typed values except secrets and shows an error once; reloading repeats nothing', async () => {
  const app = await start()
  const { admin, tenantId } = await app.company()
  const browser = openBrowser(app)
  await browser.read('/signin')
  const malformed = await browser.send({ email: 'nobody' })
  expect(summaryOf(malformed)).toBe('Enter an email address, for example name@example.com.')
  expect(malformed.html).toContain('value="nobody"')
  await browser.send({ email: admin.email })
  expect(summaryOf(await browser.send({ password: '' }))).toBe('Enter a password.')
  const wrong = await browser.send({ password: 'not the one that it is' })
  expect(wrong.html).not.toContain('not the one')
  expect(Buffer.from(browser.jar.kept.get('authsec_visit') ?? '', 'base64url').toString()).not.toContain('not the one')
  expect(summaryOf(wrong)).toBe(REFUSED)
  const failures = (await app.events(tenantId)).length
  expect(summaryOf(await browser.read(browser.page().url))).toBeUndefined()
  expect((await app.events(tenantId)).length).toBe(failures)
})

test('the reason of a refusal is disclosed only after the right password', async () => {
  const app = await start()
  const acme = await app.company()
  const [reset, old, unproved] = [await app.person(acme), await app.person(acme), await app.person(acme)]
  await change(app, reset, { passwordResetRequired: true })
  await change(app, old, { temporaryPassword: true, temporaryPasswordExpiresAt: new Date(0) })
  await change(app, unproved, { emailVerifiedAt: null })
  for (const [who, words] of [
    [reset, 'Choose “Forgot password?” to set a new one.'],
    [old, 'Ask your administrator for a new one.'],
    [unproved, 'Choose “Forgot password?” to receive a code that verifies it.'],
  ] as const) {
    expect(summaryOf(await openBrowser(app).signIn(who, signInQueryOf(acme)))).toContain(words)
    expect(summaryOf(await openBrowser(app).signIn({ ...who, password: 'wrong' }, signInQueryOf(acme)))).toBe(REFUSED)
  }
})

test('a person with a temporary password chooses a new one before going on', async () => {
  const app = await start()
  const acme = await app.company()
  const pat = await app.person(acme)
  await change(app, pat, { temporaryPassword: true })
  const browser = openBrowser(app)
  const page = await browser.signIn(pat, `${signInQueryOf(acme)}&return_to=${encodeURIComponent('/me/email')}`)
  expect(page.url).toBe('/me/password?return_to=%2Fme%2Femail')
  expect(page.html).toContain('Choose a new one to continue.')
  const next = await browser.send({ current_password: pat.password, new_password: 'seven purple lanterns over water' })
  expect(next.url).toBe('/me/email')
})

test('where a second factor is required, the password alone creates no session', async () => {
  const app = await start()
  const acme = await app.company()
  const pat = await app.person(acme)
  await configure(app, acme, { requireSecondFactor: true })
  const browser = openBrowser(app)
  await browser.signIn(pat, signInQueryOf(acme))
  expect(browser.page().url).toMatch(/^\/signin\/enrol\?client_id=/)
  expect(browser.jar.kept.has('authsec_session')).toBe(false)
  expect(browser.jar.kept.has('authsec_login')).toBe(true)
  expect(await sessions(app, acme.tenantId)).toBe(0)
  expect(titleOf(await browser.read('/me'))).toBe('Sign in')
})

test('signing in with another account ends the previous session', async () => {
  const app = await start()
  const [acme, globex] = [await app.company(), await app.company('globex')]
  const browser = openBrowser(app)
  await browser.signIn(acme.admin)
  await browser.signIn(globex.admin, signInQueryOf(globex))
  expect(browser.page().html).toContain(`Signed in as ${globex.admin.email}`)
  expect((await app.events(acme.tenantId)).filter(({ event }) => event === 'user.signed_out')).toHaveLength(1)
})

test('signing out ends the session, even for a kept copy of the cookie', async () => {
  const app = await start()
  const { admin } = await app.company()
  const browser = openBrowser(app)
  await browser.signIn(admin)
  const kept = browser.jar.kept.get('authsec_session') ?? ''
  expect(kept).not.toBe('')
  const out = await browser.send({}, { action: '/signout' })
  expect([out.url, titleOf(out)]).toEqual(['/signin', 'Sign in'])
  expect(out.html).toContain('You are signed out.')
  browser.jar.kept.set('authsec_session', kept)
  expect((await browser.read('/me')).url).toContain('/signin')
})

test('after too many attempts the page states the time left, and an unknown address gets the same message', async () => {
  const app = await start({ RATE_LIMIT: 'on' })
  const acme = await app.company()
  const pat = await app.person(acme)
  const tried = async (email: string): Promise<string | undefined> => {
    const browser = openBrowser(app)
    await browser.read(signInQueryOf(acme))
    await browser.send({ email })
    let reported: string | undefined
    for (let n = 0; n < 6; n++) reported = summaryOf(await browser.send({ password: 'wrong' }))
    return reported
  }
  const message = await tried(pat.email)
  expect(message).toMatch(/^Too many attempts\. Try again in \d+ (seconds|minutes)\.$/)
  app.clock.advance(120)
  expect(await tried('unknown@acme.example')).toBe(message)
})

test('the pages use the language of the browser or the one chosen by hand', async () => {
  const app = await start()
  const { admin } = await app.company()
  const browser = openBrowser(app, { 'accept-language': 'de-AT,de;q=0.9' })
  const page = await browser.read('/signin')
  expect(page.html).toContain('<html lang="de">')
  expect(page.headers.get('content-language')).toBe('de')
  await browser.send({ email: admin.email })
  expect(summaryOf(await browser.send({ password: 'wrong' }))).toContain('E-Mail-Adresse oder das Passwort')
  expect(titleOf(await browser.read('/signin/password?lang=en'))).toBe('Enter your password')
  expect(titleOf(await browser.read('/signin/password'))).toBe('Enter your password')
})
