// A person's own page: sessions, password and address.
import { expect, test } from 'vitest'
import { pageError } from '#shared/platform/pages/error.tsx'
import { startApp } from '#tests/support/app'
import { formsOf, noteOf, openBrowser, signInQueryOf, summaryOf, titleOf } from '#tests/support/browser'
import { letInForGood } from '#tests/support/oauth'
import { unchanged } from '#tests/support/rows'
import { codeIn, rowOf, wrongCode } from '#tests/support/sign-in'
import { loginRoutes } from '../login/routes.ts'
import { accountPageRoutes } from './routes.ts'

const NEXT = 'seven purple lanterns over water'
const start = () => startApp([...loginRoutes, ...accountPageRoutes], { render: pageError })

test('the page lists the sessions, and ends one or all others', async () => {
  const app = await start()
  const acme = await app.company()
  const pat = await app.person(acme)
  const [here, there, third] = [openBrowser(app), openBrowser(app, { 'user-agent': 'Mozilla/5.0 (iPhone) Safari/604.1' }), openBrowser(app)]
  for (const one of [third, there, here]) await one.signIn(pat, signInQueryOf(acme))
  const page = await here.read('/me')
  expect(page.html).toContain('Safari on iPhone')
  expect(page.html.match(/this browser/g)).toHaveLength(1)
  const ends = formsOf(page).filter(({ action }) => action === '/me/sessions/end')
  expect(ends).toHaveLength(2)
  expect(noteOf(await here.send({}, { action: '/me/sessions/end' }))).toBe('The session was ended.')
  // The list is newest first, so the ended session is the phone's.
  expect((await there.read('/me')).url).toContain('/signin')
  expect((await third.read('/me')).url).toBe('/me')
  expect(noteOf(await here.send({}, { action: '/me/sessions/end-others' }))).toBe('All other sessions were ended.')
  expect((await third.read('/me')).url).toContain('/signin')
  expect((await here.read('/me')).html).not.toContain('Sign out everywhere else')
})

test('a session of another person cannot be ended and is reported as not found', async () => {
  const app = await start()
  const acme = await app.company()
  const [pat, eve] = [openBrowser(app), openBrowser(app)]
  const person = await app.person(acme)
  await pat.signIn(person, signInQueryOf(acme))
  const second = openBrowser(app)
  await second.signIn(person, signInQueryOf(acme))
  const [theirs] = formsOf(await pat.read('/me')).filter(({ action }) => action === '/me/sessions/end')
  await eve.signIn(await app.person(acme), signInQueryOf(acme))
  const [own] = formsOf(await eve.read('/me'))
  const response = await eve.post('/me/sessions/end', { form_token: own?.fields.form_token ?? '', session_id: theirs?.fields.session_id ?? '' })
  expect(response.status).toBe(303)
  expect(summaryOf(await eve.read('/me'))).toBe('This no longer exists.')
  expect((await second.read('/me')).url).toBe('/me')
})

test('changing the password needs the current one, and every refused rule is explained', async () => {
  const app = await start()
  const acme = await app.company()
  const pat = await app.person(acme)
  const browser = openBrowser(app)
  await browser.signIn(pat, signInQueryOf(acme))
  await browser.read('/me/password')
  expect(summaryOf(await browser.send({ current_password: 'wrong', new_password: NEXT }))).toContain('email address or the password is')
  expect(summaryOf(await browser.send({ current_password: pat.password, new_password: pat.password }))).toContain('This is your current password.')
  expect(summaryOf(await browser.send({ current_password: pat.password, new_password: 'too short' }))).toContain('at least 15')
  expect(noteOf(await browser.send({ current_password: pat.password, new_password: NEXT }))).toContain(
    'Your password was changed. All other sessions were ended.',
  )
  expect(titleOf(await openBrowser(app).signIn({ ...pat, password: NEXT }, signInQueryOf(acme)))).toBe('Account security')
})

test('the address changes with a code from each mailbox', async () => {
  const app = await start()
  const acme = await app.company()
  const pat = await app.person(acme)
  const next = `next-${app.ctx.random.id().slice(-10)}@new.example`
  const browser = openBrowser(app)
  await browser.signIn(pat, signInQueryOf(acme))
  expect((await browser.read('/me/email/codes')).url).toBe('/me/email')
  expect(summaryOf(await browser.send({ new_email: pat.email, current_password: pat.password }))).toBe('This is already your address.')
  expect(summaryOf(await browser.send({ new_email: 'none', current_password: pat.password }))).toContain('Enter an email address')
  const codes = await browser.send({ new_email: next, current_password: pat.password })
  expect(titleOf(codes)).toBe('Enter both codes')
  const code_new = codeIn(await app.mailsTo(next))
  const code_current = codeIn(await app.mailsTo(pat.email))
  expect(summaryOf(await browser.send({ code_new, code_current: wrongCode(code_current) }))).toContain('wrong or has expired')
  expect(noteOf(await browser.send({ code_new, code_current }))).toContain('Your email address was changed.')
  expect((await rowOf(app, pat))?.email).toBe(next)
  expect((await browser.read('/me')).html).toContain(`Signed in as ${next}`)
})

test('the page lists the applications with access; removing one ends what it holds, in one record, and nothing of others', async () => {
  const app = await start()
  const acme = await app.company()
  const [pat, eve] = [await app.person(acme), await app.person(acme)]
  const [patsApp, evesApp] = [await letInForGood(app, acme, pat.id), await letInForGood(app, acme, eve.id)]
  const browser = openBrowser(app)
  await browser.signIn(pat, signInQueryOf(acme))
  const page = await browser.read('/me')
  const [removal, ...more] = formsOf(page).filter(({ action }) => action === '/me/applications/remove')
  expect([page.html.includes('<strong dir="auto">Shop</strong>'), more]).toEqual([true, []])
  expect(page.html).toContain('Keep access when you are not using the app')
  const other = openBrowser(app)
  await other.signIn(eve, signInQueryOf(acme))
  await other.read('/me')
  const foreign = await unchanged(app, [acme], () =>
    other.send({ client_id: removal?.fields.client_id ?? '' }, { action: '/me/applications/remove' }),
  )
  expect(summaryOf(foreign)).toBe('This no longer exists.')
  expect([await patsApp(), await evesApp()]).toEqual([true, true])
  expect(noteOf(await browser.send({}, { action: '/me/applications/remove' }))).toBe('The app no longer has access to your account.')
  expect([await patsApp(), await evesApp()]).toEqual([false, true])
  expect(browser.page().html).toContain('No app has access to your account.')
  const events = await app.events(acme.tenantId, { event: 'oauth.grant_revoked' })
  expect(events.map(({ actorId, targetId }) => [actorId, targetId])).toEqual([[pat.id, removal?.fields.client_id]])
})

test('what takes something away is marked, and times name their moment', async () => {
  const app = await start()
  const acme = await app.company()
  const pat = await app.person(acme)
  const browser = openBrowser(app)
  for (const one of [openBrowser(app), browser]) await one.signIn(pat, signInQueryOf(acme))
  const { html } = await browser.read('/me')
  expect(html).toMatch(/<button type="submit" class="link danger"[^>]*>Sign out</)
  const times = [...html.matchAll(/<time datetime="([^"]+)" data-local[^>]*>([^<]+)</g)]
  expect(times.length).toBeGreaterThanOrEqual(2)
  for (const [, at, text] of times) expect([at, text]).toEqual([app.clock.now().toISOString(), 'Mar 2, 2026, 09:00 UTC'])
})

test('a page that states how something ended says so by its heading and its kind', async () => {
  const app = await start()
  const browser = openBrowser(app)
  const kindOf = async (path: string) => /<h1(?: class="outcome (\w+)")?>/.exec((await browser.read(path)).html)?.[1]
  expect([
    await kindOf('/approve/done?state=approved'),
    await kindOf('/approve/done?state=denied'),
    await kindOf('/approve/done?state=wrong_number'),
    await kindOf('/activate/done?state=approved'),
    await kindOf('/activate/done?state=denied'),
    await kindOf('/signin/factor'),
    await kindOf('/signin'),
  ]).toEqual(['success', 'refused', 'failed', 'success', 'refused', 'failed', undefined])
})
