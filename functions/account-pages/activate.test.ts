// Device activation on the hosted pages (RFC 8628 section 3.3).
import { expect, test } from 'vitest'
import { pageError } from '#shared/platform/pages/error.tsx'
import { startApp } from '#tests/support/app'
import { openBrowser, signInQueryOf, summaryOf, titleOf } from '#tests/support/browser'
import { DEVICE, pollDevice } from '#tests/support/grants'
import { bodyOf, eventsOf, textIn } from '#tests/support/sign-in'
import { deviceRoutes } from '../device/routes.ts'
import { loginRoutes } from '../login/routes.ts'
import { accountPageRoutes } from './routes.ts'

const start = async (device_info?: Record<string, unknown>) => {
  const app = await startApp([...loginRoutes, ...accountPageRoutes, ...deviceRoutes] as never, { render: pageError })
  const company = await app.company()
  const begun = await bodyOf(
    await app.request(`${DEVICE}/code`, { body: { client_id: company.clientId, device_info, scopes: ['openid', 'odd:scope'] } }),
  )
  const codes = { deviceCode: textIn(begun, 'device_code'), userCode: textIn(begun, 'user_code') }
  return { app, company, codes, pat: await app.person(company), uri: textIn(begun, 'verification_uri_complete') }
}

test('the verification address leads a signed-in person to the client, its request and the decision', async () => {
  const { app, company, codes, pat, uri } = await start({ model: 'TV 55\u202e<b>', os: 'linux' })
  const browser = openBrowser(app)
  await browser.signIn(pat, signInQueryOf(company))
  const first = await browser.read(uri.replace('http://localhost:7468', ''))
  expect([first.url, titleOf(first)]).toEqual([`/activate?user_code=${codes.userCode}`, 'Connect a device'])
  expect(first.html).toContain(`value="${codes.userCode}"`)
  const prompt = await browser.send({ user_code: codes.userCode.toLowerCase().replace('-', ' ') })
  expect(titleOf(prompt)).toBe('Connect this device?')
  for (const words of ['Default client', pat.email, company.domain, codes.userCode, 'Know who you are', '<q>odd:scope</q>', 'unverified']) {
    expect(prompt.html).toContain(words)
  }
  expect(prompt.html).not.toMatch(/\u202e|<b>/)
  const done = await browser.send({ decision: 'approve' })
  expect(titleOf(done)).toBe('The device is connected')
  expect(await eventsOf(app, company.tenantId, 'accountPages.decideDevice')).toEqual(['device_grant.approved'])
  expect((await pollDevice(app, codes, company.clientId)).status).toBe(200)
  // A decided code is refused when the person goes back.
  await browser.read(`/activate/device?user_code=${codes.userCode}`)
  expect([browser.page().url, summaryOf(browser.page())]).toEqual([
    '/activate',
    'This code is unknown, expired or already used. Check the code on the device.',
  ])
})

test('a person who is not signed in signs in first and returns to the prompt; viewing it decides nothing', async () => {
  const { app, company, codes, pat } = await start()
  const browser = openBrowser(app)
  await browser.read('/activate')
  const signInPage = await browser.send({ user_code: codes.userCode })
  const to = new URL(signInPage.url, 'http://localhost')
  // An end user signs in where the application's people do, not at the platform's page.
  expect([to.pathname, to.searchParams.get('client_id'), to.searchParams.get('return_to')]).toEqual([
    '/signin',
    company.clientId,
    `/activate/device?user_code=${codes.userCode}`,
  ])
  await browser.send({ email: pat.email })
  expect(titleOf(await browser.send({ password: pat.password }))).toBe('Connect this device?')
  expect(await bodyOf(await pollDevice(app, codes, company.clientId))).toMatchObject({ error: 'authorization_pending' })
  expect(titleOf(await browser.send({ decision: 'approve' }))).toBe('The device is connected')
  app.clock.advance(6)
  expect((await pollDevice(app, codes, company.clientId)).status).toBe(200)
})

test('a signed-out person with an unknown, expired or decided code learns that before signing in', async () => {
  const { app, codes } = await start()
  const browser = openBrowser(app)
  const enter = async (user_code: string) => {
    await browser.read('/activate')
    return browser.send({ user_code })
  }
  app.clock.advance(301)
  for (const code of ['ABCD-EFGH', codes.userCode]) {
    const page = await enter(code)
    expect([page.url, summaryOf(page)]).toEqual(['/activate', 'This code is unknown, expired or already used. Check the code on the device.'])
  }
})

test('every redirect to the sign-in page names the application at which this browser signed in last', async () => {
  const { app, company, pat } = await start()
  const browser = openBrowser(app)
  const signInOf = async (path: string) => new URL((await browser.follow(path)).headers.get('location') ?? '', 'http://localhost')
  for (const path of ['/me', '/approve', '/me/password', '/confirm']) expect((await signInOf(path)).searchParams.get('client_id')).toBeNull()
  await browser.signIn(pat, signInQueryOf(company))
  app.clock.advance(25 * 3600)
  for (const path of ['/me', '/approve', '/me/password', '/confirm', '/activate/device?user_code=x']) {
    const to = await signInOf(path)
    expect([to.pathname, to.searchParams.get('client_id'), to.searchParams.get('return_to')]).toEqual(['/signin', company.clientId, path])
  }
  // At the platform's page the application is forgotten.
  await browser.signIn(company.admin)
  app.clock.advance(25 * 3600)
  expect((await signInOf('/me')).searchParams.get('client_id')).toBeNull()
})

test('an approval with a sign-in of more than five minutes ago leads through a confirmation and back to the prompt; a denial does not', async () => {
  const { app, company, pat } = await start()
  const browser = openBrowser(app)
  await browser.signIn(pat, signInQueryOf(company))
  const newCode = async () => textIn(await bodyOf(await app.request(`${DEVICE}/code`, { body: { client_id: company.clientId } })), 'user_code')
  app.clock.advance(301)
  await browser.read(`/activate/device?user_code=${await newCode()}`)
  const asked = await browser.send({ decision: 'approve' })
  expect([asked.url.split('?')[0], titleOf(asked)]).toEqual(['/confirm', 'Confirm your identity'])
  expect(await eventsOf(app, company.tenantId, 'accountPages.decideDevice')).toEqual([])
  expect(titleOf(await browser.send({ password: pat.password }))).toBe('Connect this device?')
  expect(titleOf(await browser.send({ decision: 'approve' }))).toBe('The device is connected')
  app.clock.advance(301)
  await browser.read(`/activate/device?user_code=${await newCode()}`)
  expect((await browser.send({ decision: 'deny' })).url).toContain('/activate/done')
})

test('a denied device gets no token', async () => {
  const { app, company, codes, pat } = await start()
  const browser = openBrowser(app)
  await browser.signIn(pat, signInQueryOf(company))
  await browser.read(`/activate/device?user_code=${codes.userCode}`)
  expect(titleOf(await browser.send({ decision: 'deny' }))).toBe('The device was denied')
  expect((await pollDevice(app, codes, company.clientId)).status).toBe(403)
})

test('a code of another tenant, an unknown code and an expired code get the same error', async () => {
  const { app, codes } = await start()
  const globex = await app.company('globex')
  const browser = openBrowser(app)
  await browser.signIn(globex.admin, signInQueryOf(globex))
  for (const user_code of [codes.userCode, 'ABCD-EFGH', 'x']) {
    await browser.read('/activate')
    const page = await browser.send({ user_code })
    expect([page.url, summaryOf(page)]).toEqual(['/activate', 'This code is unknown, expired or already used. Check the code on the device.'])
  }
  await browser.read('/activate')
  app.clock.advance(301)
  expect(summaryOf(await browser.send({ user_code: codes.userCode }))).toContain('This code is unknown, expired or already used.')
})

test('a decision without the form of the page decides nothing', async () => {
  const { app, company, codes, pat } = await start()
  const browser = openBrowser(app)
  await browser.signIn(pat, signInQueryOf(company))
  await browser.post('/activate/device', { user_code: codes.userCode, decision: 'approve' })
  expect(await bodyOf(await pollDevice(app, codes, company.clientId))).toMatchObject({ error: 'authorization_pending' })
})
