// A person connects an account at Google, GitHub or the company's provider on their own page, and disconnects it. Another site cannot do so,
// another person's account cannot be taken over, and the last way to sign in stays.
import { expect, test } from 'vitest'
import type { Route } from '#shared/platform/http/route'
import { pageError } from '#shared/platform/pages/error.tsx'
import { accountPageRoutes } from '../functions/account-pages/routes.ts'
import { federationRoutes } from '../functions/federation/routes.ts'
import { loginRoutes } from '../functions/login/routes.ts'
import type { Company, Person, TestApp } from './support/app.ts'
import { noteOf, openBrowser, signInQueryOf, summaryOf, type TestBrowser, titleOf } from './support/browser.ts'
import { addProvider, BASE, CLIENT, type Federation, identitiesOf, startFederation } from './support/federation.ts'
import { unchanged } from './support/rows.ts'
import { change } from './support/sign-in.ts'
import { upstreamDouble } from './support/upstream-double.ts'

const ROUTES = [...loginRoutes, ...accountPageRoutes, ...federationRoutes] as readonly Route<never>[]
const PAGE = '/me/providers'
/** The headers of a browser for a link that a person followed on one of our pages. */
const FOLLOWED = { 'sec-fetch-site': 'same-origin', 'sec-fetch-user': '?1' }

const start = () => startFederation(ROUTES, { render: pageError })
const signedIn = async (company: Company, person: Person, app: TestApp): Promise<TestBrowser> => {
  const browser = openBrowser(app)
  await browser.signIn(person, signInQueryOf(company))
  return browser
}
const connect = (browser: TestBrowser, provider: string, headers: Readonly<Record<string, string>> = FOLLOWED): Promise<Response> =>
  browser.follow(`${PAGE}/connect?provider=${provider}`, headers)
/** To the provider and back. */
const dance = async ({ upstream, provider }: Federation, browser: TestBrowser, sub: string) => {
  const gone = (await connect(browser, provider)).headers.get('location') ?? ''
  return browser.read(`${BASE}/callback?${upstream.authorize(gone, { sub, email: 'elsewhere@example.com', email_verified: false })}`)
}
const successes = async (app: TestApp, { tenantId }: Company) =>
  (await app.events(tenantId)).filter(({ event, outcome }) => outcome === 'success' && event.startsWith('identity.')).map(({ event }) => event)

test('a connected account signs in, a disconnected one does not; the owner is notified both times, and other sessions end', async () => {
  const world = await start()
  const { app, company, provider, upstream } = world
  const pat = await app.person(company)
  const browser = await signedIn(company, pat, app)
  expect((await browser.read('/me')).html).toContain('none connected')
  const page = await browser.read(PAGE)
  expect(titleOf(page)).toBe('Connected accounts')
  expect(page.html).toContain(`href="${PAGE}/connect?provider=${provider}"`)
  const back = await dance(world, browser, 'pat-there')
  expect([back.url, noteOf(back)]).toEqual([PAGE, 'The account is connected. You can now sign in with it.'])
  expect(back.html).toContain('elsewhere@example.com')
  expect(back.html).not.toContain(`${PAGE}/connect?provider=${provider}`)
  expect(await identitiesOf(app, pat)).toMatchObject([{ subject: 'pat-there' }])
  const elsewhere = openBrowser(app)
  const gone = (await elsewhere.follow(`/signin/provider?client_id=${company.clientId}&provider=${provider}`)).headers.get('location') ?? ''
  expect((await elsewhere.read(`${BASE}/callback?${upstream.authorize(gone, { sub: 'pat-there' })}`)).url).toBe('/me')
  await browser.read(PAGE)
  const removed = await browser.send({}, { action: `${PAGE}/remove` })
  expect(noteOf(removed)).toBe('The account is disconnected. All other sessions were ended.')
  expect(await identitiesOf(app, pat)).toEqual([])
  expect((await elsewhere.read('/me')).url).toContain('/signin')
  expect((await browser.read('/me')).url).toBe('/me')
  expect(await successes(app, company)).toEqual(expect.arrayContaining(['identity.linked', 'identity.unlinked']))
  const subjects = (await app.mailsTo(pat.email)).map(({ subject }) => subject)
  expect(subjects).toEqual(expect.arrayContaining([expect.stringContaining('was connected'), expect.stringContaining('was disconnected')]))
})

test('a link of another site, a script and a typed address start nothing', async () => {
  const { app, company, provider } = await start()
  const browser = await signedIn(company, await app.person(company), app)
  for (const headers of [
    {},
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-user': '?1' },
    { 'sec-fetch-site': 'same-site', 'sec-fetch-user': '?1' },
    { 'sec-fetch-site': 'none', 'sec-fetch-user': '?1' },
    { 'sec-fetch-site': 'same-origin' },
  ]) {
    const answer = await unchanged(app, [company], () => connect(browser, provider, headers))
    expect([answer.status, answer.headers.get('location')]).toEqual([403, null])
  }
  expect((await connect(browser, provider)).status).toBe(303)
})

test('the result is accepted only in the browser and the session that started', async () => {
  const { app, company, provider, upstream } = await start()
  const [pat, mallory] = [await app.person(company), await app.person(company)]
  const [victim, thief] = [await signedIn(company, pat, app), await signedIn(company, mallory, app)]
  const gone = (await connect(thief, provider)).headers.get('location') ?? ''
  const path = `${BASE}/callback?${upstream.authorize(gone, { sub: 'mallory-there' })}`
  // The victim's browser follows the attacker's result; then with the attacker's cookie as well.
  expect(titleOf(await unchanged(app, [company], () => victim.read(path)))).toBe('This sign-in has expired')
  victim.jar.kept.set('authsec_oidc', thief.jar.kept.get('authsec_oidc') ?? '')
  const refused = await unchanged(app, [company], () => victim.read(path), ['federation_states'])
  expect([refused.url, summaryOf(refused)]).toEqual([
    PAGE,
    'The provider did not sign you in, or you cancelled there. Try again, or choose another sign-in method.',
  ])
  expect([await identitiesOf(app, pat), await identitiesOf(app, mallory)]).toEqual([[], []])
  // Signed out meanwhile, and in again: a different session.
  const again = (await connect(thief, provider)).headers.get('location') ?? ''
  await thief.read('/me')
  await thief.send({}, { action: '/signout' })
  const late = `${BASE}/callback?${upstream.authorize(again, { sub: 'mallory-there' })}`
  expect((await unchanged(app, [company], () => thief.read(late), ['federation_states'])).url.split('?')[0]).toBe('/signin')
  expect(await identitiesOf(app, mallory)).toEqual([])
})

test('another person\u2019s account is not taken over, and a refusal at the provider is displayed', async () => {
  const world = await start()
  const { app, company, provider, upstream, link } = world
  const [owner, other] = [await app.person(company), await app.person(company)]
  await link(owner, 'owned')
  const browser = await signedIn(company, other, app)
  const taken = await unchanged(app, [company], () => dance(world, browser, 'owned'), ['federation_states'])
  expect([taken.url, summaryOf(taken)]).toEqual([PAGE, 'This sign-in is connected to another account.'])
  const gone = new URL((await connect(browser, provider)).headers.get('location') ?? '')
  const no = new URLSearchParams({ error: 'access_denied', state: gone.searchParams.get('state') ?? '', iss: upstream.url })
  const said = await browser.read(`${BASE}/callback?${no}`)
  expect([said.url, summaryOf(said)]).toEqual([
    PAGE,
    'The provider did not sign you in, or you cancelled there. Try again, or choose another sign-in method.',
  ])
  expect(await identitiesOf(app, other)).toEqual([])
})

test('a sign-in older than 15 minutes must be confirmed first, for each of the three', async () => {
  const { app, company, provider, link } = await start()
  const pat = await app.person(company)
  await link(pat, 'there')
  const browser = await signedIn(company, pat, app)
  await browser.read(PAGE)
  const form_token = /name="form_token" value="([^"]+)"/.exec(browser.page().html)?.[1] ?? ''
  app.clock.advance(901)
  expect(titleOf(await browser.read(PAGE))).toBe('Confirm your identity')
  for (const attempt of [() => connect(browser, provider), () => browser.post(`${PAGE}/remove`, { form_token, provider })]) {
    const answer = await unchanged(app, [company], attempt)
    expect(answer.headers.get('location')).toMatch(/^\/confirm\?/)
  }
  expect(await identitiesOf(app, pat)).toHaveLength(1)
})

test('the last way to sign in cannot be removed, and the page says what to do first', async () => {
  const { app, company, link, provider } = await start()
  const pat = await app.person(company)
  await link(pat, 'only')
  const browser = await signedIn(company, pat, app)
  await change(app, pat, { passwordHash: null })
  await browser.read(PAGE)
  const said = await unchanged(app, [company], () => browser.send({ provider }, { action: `${PAGE}/remove` }))
  expect([said.url, summaryOf(said)]).toEqual([PAGE, 'This is the only way to sign in to your account. Add a password or a passkey first.'])
  expect(await identitiesOf(app, pat)).toHaveLength(1)
})

test('a provider of another company and an unknown one cannot be connected', async () => {
  const { app, company, provider } = await start()
  const [globex, other] = [await app.company('globex'), await upstreamDouble(CLIENT)]
  const theirs = await addProvider(app, { issuer: other.url }, globex.tenantId)
  const browser = await signedIn(company, await app.person(company), app)
  expect((await browser.read(PAGE)).html).not.toContain(theirs)
  for (const name of [theirs, 'nothing']) {
    expect((await unchanged(app, [company, globex], () => connect(browser, name))).headers.get('location')).toBe(PAGE)
    expect(summaryOf(await browser.read(PAGE))).toContain('This sign-in method is no longer available.')
  }
  expect((await connect(browser, provider)).status).toBe(303)
  other.close()
})
