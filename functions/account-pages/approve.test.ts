// A backchannel request is decided on the hosted page: by the person it is for, with a user gesture, once.
import { expect, test } from 'vitest'
import type { Route } from '#shared/platform/http/route'
import { pageError } from '#shared/platform/pages/error.tsx'
import { verifySessionToken } from '#shared/platform/tokens/session-token'
import type { Company, Person, TestApp } from '#tests/support/app'
import { formsOf, openBrowser, signInQueryOf, type TestBrowser, titleOf } from '#tests/support/browser'
import { newCibaClient, newPhone, pollCiba, requestCibaFor, startCiba } from '#tests/support/ciba'
import { bodyOf, configure, enrol, textIn } from '#tests/support/sign-in'
import { cibaRoutes } from '../ciba/routes.ts'
import { loginRoutes } from '../login/routes.ts'
import { accountPageRoutes } from './routes.ts'

const routes = [...loginRoutes, ...accountPageRoutes, ...cibaRoutes] as readonly Route<never>[]

const world = async () => {
  const { app, push } = await startCiba(routes, { render: pageError })
  const company = await app.company()
  const person = await app.person(company)
  return { app, push, company, person, client: await newCibaClient(app, company), phone: await newPhone(app, person) }
}
const signedIn = async (app: TestApp, company: Company, person: Person): Promise<TestBrowser> => {
  const browser = openBrowser(app)
  await browser.signIn(person, signInQueryOf(company))
  return browser
}
/** A request, and a browser with its page open. */
const opened = async (message = 'Order 4711') => {
  const w = await world()
  const authReqId = await requestCibaFor(w.app, w.client, w.person.email, { binding_message: message })
  const path = new URL(w.push.outbox.at(-1)?.data.approve_url ?? '')
  const browser = await signedIn(w.app, w.company, w.person)
  const page = await browser.read(`${path.pathname}${path.search}`)
  const poll = async () => {
    const response = await pollCiba(w.app, w.client.clientId, authReqId)
    return { status: response.status, body: await bodyOf(response) }
  }
  return { ...w, authReqId, browser, page, path: `${path.pathname}${path.search}`, poll }
}
const decisions = async (app: TestApp, company: Company) =>
  (await app.events(company.tenantId)).filter(({ event }) => event === 'ciba.approved' || event === 'ciba.denied')

test('the link of the message leads to the request; approval gives the client a token whose amr does not claim the push channel', async () => {
  const { app, company, person, browser, page, poll, client } = await opened()
  expect(titleOf(page)).toBe('Approve this sign-in?')
  for (const text of ['Shop', 'Order 4711', person.email, 'unverified', 'Know who you are']) expect(page.html).toContain(text)
  expect(page.headers.get('content-security-policy')).toContain(`frame-ancestors 'none'`)
  expect(page.headers.get('x-frame-options')).toBe('DENY')
  expect((await poll()).body.error).toBe('authorization_pending')
  expect((await browser.read('/me')).html).toContain('Pending requests')
  expect(titleOf(await browser.read('/approve'))).toBe('Approve this sign-in?')
  expect(titleOf(await browser.send({ decision: 'approve' }))).toBe('The sign-in was approved')
  app.clock.advance(6)
  const { status, body } = await poll()
  expect(status).toBe(200)
  expect(await verifySessionToken(app.ctx, textIn(body, 'access_token'))).toMatchObject({
    userId: person.id,
    clientId: client.clientId,
    amr: ['pwd'],
  })
  expect(await decisions(app, company)).toMatchObject([{ event: 'ciba.approved', actorId: person.id }])
})

test('a denied request is denied; an ended request is displayed as ended and cannot be decided again', async () => {
  const { app, company, browser, path, poll } = await opened()
  expect(titleOf(await browser.send({ decision: 'deny' }))).toBe('The sign-in was denied')
  expect(titleOf(await browser.read(path))).toBe('This request has expired')
  expect(titleOf(await browser.read('/approve'))).toBe('No pending requests')
  app.clock.advance(6)
  expect((await poll()).body.error).toBe('access_denied')
  expect(await decisions(app, company)).toHaveLength(1)
})

test('a request expires after five minutes and cannot be decided then', async () => {
  const { app, company, browser, path } = await opened()
  app.clock.advance(301)
  expect(titleOf(await browser.send({ decision: 'deny' }))).toBe('This request has expired')
  expect(titleOf(await browser.read(path))).toBe('This request has expired')
  expect(await decisions(app, company)).toEqual([])
})

test('the person must enter the number that the client displays; a wrong number denies', async () => {
  for (const isRight of [true, false]) {
    const w = await world()
    await configure(w.app, w.company, { cibaNumberMatching: true })
    const requested = await bodyOf(
      await w.app.request('/authsec/uflow/auth/tenant/ciba/initiate', { body: { client_id: w.client.sdkClientId, email: w.person.email } }),
    )
    const number = textIn(requested, 'match_number')
    const browser = await signedIn(w.app, w.company, w.person)
    expect((await browser.read('/approve')).html).toContain('Number displayed in the app')
    const other = String((Number(number) + 1) % 100).padStart(2, '0')
    const done = await browser.send({ decision: 'approve', match_number: isRight ? number : other })
    expect(titleOf(done)).toBe(isRight ? 'The sign-in was approved' : 'The number was wrong')
    w.app.clock.advance(6)
    expect((await pollCiba(w.app, w.client.clientId, textIn(requested, 'auth_req_id'))).status).toBe(isRight ? 200 : 400)
  }
})

test('a form without a user gesture or from another site is refused, and the request stays pending', async () => {
  const { app, company, browser, path, page, poll } = await opened()
  const fields = { ...formsOf(page)[0]?.fields, decision: 'approve' }
  for (const headers of [{ 'sec-fetch-user': '' }, { 'sec-fetch-site': 'cross-site' }, { origin: 'https://evil.example' }]) {
    await browser.post(path, fields, headers)
    expect(await decisions(app, company)).toEqual([])
  }
  expect((await poll()).body.error).toBe('authorization_pending')
  expect((await browser.post(path, fields)).headers.get('location')).toBe('/approve/done?state=approved')
})

test('approval needs a sign-in of the last five minutes: the page asks to confirm first', async () => {
  const w = await world()
  const browser = await signedIn(w.app, w.company, w.person)
  w.app.clock.advance(301)
  await requestCibaFor(w.app, w.client, w.person.email)
  await browser.read('/approve')
  const confirmPage = await browser.send({ decision: 'approve' })
  expect(titleOf(confirmPage)).toBe('Confirm your identity')
  expect(await decisions(w.app, w.company)).toEqual([])
  const back = await browser.send({ password: w.person.password })
  expect(titleOf(back)).toBe('Approve this sign-in?')
  expect(titleOf(await browser.send({ decision: 'approve' }))).toBe('The sign-in was approved')
})

test('with a second factor enrolled, a session with only a password approves nothing', async () => {
  const w = await world()
  const browser = await signedIn(w.app, w.company, w.person)
  await requestCibaFor(w.app, w.client, w.person.email)
  await browser.read('/approve')
  await enrol(w.app, w.person)
  expect(titleOf(await browser.send({ decision: 'approve' }))).toBe('Confirm your identity')
  expect(await decisions(w.app, w.company)).toEqual([])
})

test('a request of another person is unknown and cannot be decided', async () => {
  const { app, company, path } = await opened()
  const globex = await app.company('globex')
  for (const [application, other] of [
    [company, await app.person(company)],
    [globex, await app.person(globex)],
  ] as const) {
    const browser = await signedIn(app, application, other)
    const seen = await browser.read(path)
    expect(titleOf(seen)).toBe('This request has expired')
    expect(seen.html).not.toContain('Order 4711')
    const { form_token = '' } = formsOf(await browser.read('/me'))[0]?.fields ?? {}
    const id = new URLSearchParams(path.split('?')[1]).get('id') ?? ''
    expect((await browser.post(path, { form_token, id, decision: 'approve' })).headers.get('location')).toBe(`/approve?id=${id}`)
    expect((await browser.read('/me')).html).not.toContain('Pending requests')
  }
  expect(await decisions(app, company)).toEqual([])
})

test('one of twenty concurrent decisions counts', async () => {
  const { app, company, browser, path, page } = await opened()
  const fields = { ...formsOf(page)[0]?.fields }
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, n) => browser.post(path, { ...fields, decision: n % 2 === 0 ? 'approve' : 'deny' })),
  )
  expect(answers.filter(({ headers }) => headers.get('location')?.startsWith('/approve/done'))).toHaveLength(1)
  expect(await decisions(app, company)).toHaveLength(1)
})

test('the binding message is plain text without bidirectional control characters', async () => {
  const { page } = await opened('<b>\u202eevil</b> "now"')
  expect(page.html).not.toContain('<b>')
  expect(page.html).not.toContain('\u202e')
  expect(page.html).toContain('evil')
})

test('a person who is not signed in signs in first and returns', async () => {
  const { app, person, client, path } = await opened()
  const browser = openBrowser(app)
  const to = new URL((await browser.read(path)).url, 'http://localhost')
  expect([to.pathname, to.searchParams.get('client_id'), to.searchParams.get('return_to')]).toEqual(['/signin', client.clientId, path])
  await browser.send({ email: person.email })
  expect(titleOf(await browser.send({ password: person.password }))).toBe('Approve this sign-in?')
})
