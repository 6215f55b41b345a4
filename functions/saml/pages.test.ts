// Signing in through SAML on our own pages: buttons, discovery by email domain, and the resulting session.
import { expect, test } from 'vitest'
import { atomically, forTenant } from '#db/engine/tenant'
import { insertIdentity } from '#db/store/identities'
import { pageError } from '#shared/platform/pages/error.tsx'
import { startApp } from '#tests/support/app'
import { HOST, openBrowser, summaryOf, titleOf } from '#tests/support/browser'
import { addProvider, identitiesOf } from '#tests/support/federation'
import { addSamlProvider } from '#tests/support/saml'
import {
  type AssertionContent,
  assertionXml,
  base64,
  keyPair,
  type ReceivedAuthnRequest,
  readRequest,
  responseXml,
  signedXml,
} from '#tests/support/saml-idp'
import { codeIn, enrol, verifyDomain } from '#tests/support/sign-in'
import { accountPageRoutes } from '../account-pages/routes.ts'
import { federationRoutes } from '../federation/routes.ts'
import { loginRoutes } from '../login/routes.ts'
import { samlRoutes } from './routes.ts'

const start = async (more = {}) => {
  const app = await startApp([...samlRoutes, ...federationRoutes, ...accountPageRoutes, ...loginRoutes], { render: pageError })
  const company = await app.company()
  const key = await keyPair('provider')
  const provider = await addSamlProvider(app, company, key, more)
  const browser = openBrowser(app)
  const call = async (
    path: string,
    init: { readonly method?: string; readonly body?: string; readonly headers?: Readonly<Record<string, string>> } = {},
  ) => {
    const headers = { host: HOST, ...browser.jar.header(), ...init.headers }
    const response = await app.app.request(`http://${HOST}${path}`, { ...init, headers }, { peer: { address: '192.0.2.1', secure: false } })
    browser.jar.take(response)
    return response
  }
  const begin = async (path: string): Promise<ReceivedAuthnRequest> => {
    const response = await call(path)
    expect(response.status).toBe(303)
    return readRequest(response.headers.get('location') ?? '')
  }
  /** Posts the provider's response and follows the page's link. */
  const comeBack = async (request: ReceivedAuthnRequest, more: Partial<AssertionContent> = {}) => {
    const reported: AssertionContent = {
      issuer: provider.entityId,
      audience: request.issuer,
      recipient: request.acs,
      destination: request.acs,
      inResponseTo: request.id,
      now: app.clock.now(),
      nameId: 'subject-1',
      ...more,
    }
    const xml = responseXml(reported, signedXml(assertionXml(reported), 'Assertion', { key }))
    const landed = await call(new URL(request.acs).pathname, {
      method: 'POST',
      body: new URLSearchParams({ SAMLResponse: base64(xml), RelayState: request.relayState }).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded', origin: 'https://idp.example', 'sec-fetch-site': 'cross-site' },
    })
    expect(landed.status).toBe(200)
    const next = (/data-go="([^"]+)"/.exec(await landed.text())?.[1] ?? '').replaceAll('&amp;', '&')
    expect(new URL(next).origin).toBe(`http://${HOST}`)
    return browser.read(next.slice(new URL(next).origin.length))
  }
  const link = async (person: { readonly id: string }, subject = 'subject-1') => {
    const [id, at] = [app.ctx.random.id(), app.clock.now()]
    const row = {
      id,
      userId: person.id,
      issuer: `saml:${provider.entityId}`,
      subject,
      provider: `saml-${provider.providerName}`,
      isOwnProvider: true,
    }
    await atomically(forTenant(app.db, company.tenantId), (t) => insertIdentity(t, { ...row, createdAt: at, updatedAt: at }, undefined))
  }
  return { app, company, provider, browser, call, begin, comeBack, link }
}
const hrefIn = (html: string, path: string): string =>
  (new RegExp(`href="(${path.replace('?', '\\?')}[^"]*)"`).exec(html)?.[1] ?? '').replaceAll('&amp;', '&')

test('a button on the company’s sign-in page leads to the provider and back into a session, at the page that was requested', async () => {
  const { app, company, provider, browser, begin, comeBack, link } = await start()
  const person = await app.person(company)
  await link(person)
  const page = await browser.read(`/signin?tenant=${company.domain}&return_to=%2Fme%2Fpassword`)
  expect(page.html).toContain('Continue with Acme Directory')
  const href = hrefIn(page.html, '/signin/saml?')
  expect(new URLSearchParams(href.split('?')[1])).toEqual(
    new URLSearchParams({ provider: provider.providerName, tenant: company.domain, return_to: '/me/password' }),
  )
  const done = await comeBack(await begin(href))
  expect([done.status, done.url]).toEqual([200, '/me/password'])
  expect((await browser.read('/me')).html).toContain(person.email)
  const begun = async () => (await app.events(company.tenantId)).filter(({ event }) => event === 'session.created').length
  expect(await begun()).toBe(1)
  await browser.read('/signin/saml/finish')
  expect(await begun()).toBe(1)
})

test('the domain of an email address leads to the company’s provider, from the platform’s page too; a password stays possible', async () => {
  const { app, company, provider, browser, begin, comeBack, link } = await start()
  await link(company.admin)
  const domain = `mail.${company.name}.example`
  await verifyDomain(app, company, domain)
  for (const who of ['admin', 'stranger']) {
    await browser.read('/signin')
    const asked = await browser.send({ email: `${who}@${domain}` })
    expect([asked.url, titleOf(asked)]).toEqual(['/signin/company', `Sign in with ${company.name}`])
    expect(hrefIn(asked.html, '/signin/saml?')).toBe(
      `/signin/saml?${new URLSearchParams({ provider: provider.providerName, tenant: company.domain })}`,
    )
    expect(hrefIn(asked.html, '/signin/password')).toBe('/signin/password')
  }
  const done = await comeBack(await begin(hrefIn((await browser.read('/signin/company')).html, '/signin/saml?')))
  expect(done.url).toBe('/me')
  const other = openBrowser(app)
  await other.read('/signin')
  expect((await other.send({ email: 'stranger@nowhere.example' })).url).toBe('/signin/password')
})

test('on another company’s page the address leads to no provider; discovery also works for an OpenID provider', async () => {
  const { app, company, browser } = await start({ isActive: false })
  const domain = `mail.${company.name}.example`
  await verifyDomain(app, company, domain)
  await addProvider(app, { name: 'own', issuer: 'https://id.example' }, company.tenantId)
  const globex = await app.company('globex')
  await browser.read(`/signin?tenant=${globex.domain}`)
  expect((await browser.send({ email: `pat@${domain}` })).url).toContain('/signin/password')
  await browser.read(`/signin?tenant=${company.domain}`)
  const led = await browser.send({ email: `pat@${domain}` })
  expect(hrefIn(led.html, '/signin/provider?')).toContain('provider=own')
})

test('a required factor is requested; a person without an account sees that on the sign-in page', async () => {
  const { app, company, provider, browser, begin, comeBack, link } = await start()
  const person = await app.person(company)
  await link(person)
  await enrol(app, person)
  const path = `/signin/saml?provider=${provider.providerName}&tenant=${company.domain}`
  await browser.read(`/signin?tenant=${company.domain}`)
  expect((await comeBack(await begin(path))).url).toBe(`/signin/factor?tenant=${company.domain}`)
  const refused = await comeBack(await begin(path), { nameId: 'stranger' })
  expect([refused.url, summaryOf(refused)]).toEqual([
    `/signin?tenant=${company.domain}`,
    expect.stringContaining('Choose another sign-in method, or contact your administrator.'),
  ])
})

test('an account with the same address is connected after a mailed code', async () => {
  const { app, company, provider, browser, begin, comeBack } = await start()
  const person = await app.person(company)
  const request = await begin(`/signin/saml?provider=${provider.providerName}&tenant=${company.domain}`)
  const step = await comeBack(request, { attributes: { email: [person.email] } })
  expect(step.url).toBe(`/signin/connect?tenant=${company.domain}`)
  const done = await browser.send({ otp: codeIn(await app.mailsTo(person.email)) })
  expect(done.url).toBe('/me')
  expect(await identitiesOf(app, person)).toMatchObject([{ subject: 'subject-1' }])
})

test('a sign-in on a company’s own host continues on the platform’s host, which receives the response', async () => {
  const { app, company, provider } = await start()
  const host = `id.${company.name}.example`
  await verifyDomain(app, company, host)
  const path = `/signin/saml?provider=${provider.providerName}&return_to=%2Fme`
  const response = await app.app.request(`https://${host}${path}`, { headers: { host } }, { peer: { address: '192.0.2.1', secure: true } })
  expect(response.status).toBe(303)
  expect(response.headers.get('location')).toBe(
    `http://${HOST}/signin/saml?${new URLSearchParams({ client_id: company.clientId, return_to: '/me', provider: provider.providerName })}`,
  )
})

test('unknown providers, disabled ones and those of other companies are not found', async () => {
  const { app, company, call } = await start({ isActive: false })
  const globex = await app.company('globex')
  const theirs = await addSamlProvider(app, globex, await keyPair('provider'))
  for (const query of [
    `provider=unknown&tenant=${company.domain}`,
    `provider=${theirs.providerName}&tenant=${company.domain}`,
    `provider=${theirs.providerName}`,
    `provider=${theirs.providerName}&tenant=nowhere`,
  ]) {
    const response = await call(`/signin/saml?${query}`)
    expect([response.status, response.headers.get('location')]).toEqual([404, null])
  }
})
