// Sign-in through a provider in a real browser: on our own pages from the button to the session, through a certified provider in its own process; and
// the page that returns the result only to the page that started the sign-in.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { atomically, directory, forTenant, SYSTEM_TENANT, type TenantId } from '#db/engine/tenant'
import { findTenantByDomain } from '#db/store/domains'
import { findUserByEmail, insertUser } from '#db/store/users'
import { arrived } from './browser/arrive.ts'
import { violationsOf } from './browser/axe.ts'
import { type System, startSystem } from './browser/system.ts'
import { startUpstream, type Upstream } from './peers/upstream.ts'
import type { TestApp } from './support/app.ts'
import { addProvider, BASE, CLIENT } from './support/federation.ts'
import { type UpstreamDouble, upstreamDouble } from './support/upstream-double.ts'

let system: System
let upstream: UpstreamDouble
let ui: Server
let uiOrigin: string
let provider: string
let certified: Upstream
let tenantId: TenantId
beforeAll(async () => {
  system = await startSystem('127.0.0.1', { OUTBOUND_LOOPBACK: 'on' })
  upstream = await upstreamDouble(CLIENT)
  const app = { ctx: system.ctx, clock: system.ctx.clock, db: system.ctx.db } as unknown as TestApp
  provider = await addProvider(app, { issuer: upstream.url })
  tenantId = (await findTenantByDomain(directory(system.ctx.db), 'acme.localhost')) ?? SYSTEM_TENANT
  certified = await startUpstream([{ client_id: CLIENT.clientId, client_secret: CLIENT.secret }], `${system.base}${BASE}/callback`)
  await addProvider(app, { issuer: certified.url, name: 'corp' }, tenantId)
  ui = createServer((_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>UI</title>'))
  await new Promise<void>((resolve) => ui.listen(0, '127.0.0.1', resolve))
  uiOrigin = `http://127.0.0.1:${(ui.address() as AddressInfo).port}`
})
afterAll(async () => {
  ui?.close()
  upstream?.close()
  certified?.stop()
  await system?.stop()
})

/** Starts on the UI's page, as its script does, and returns the address to which the provider would redirect the browser. */
const begun = async (page: Page): Promise<string> => {
  await page.goto(`${uiOrigin}/`)
  const redirectUrl = await page.evaluate(
    async ([url, name]) => {
      const answer = await fetch(`${url}`, {
        method: 'POST',
        credentials: 'include',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ provider: name, tenant_domain: 'acme' }),
      })
      return ((await answer.json()) as { redirect_url: string }).redirect_url
    },
    [`${system.base}${BASE}/initiate`, provider],
  )
  return `${system.base}${BASE}/callback?${upstream.authorize(redirectUrl, { sub: 's' })}`
}

test('a popup posts the result to the page that opened it, and closes', async () => {
  const { page, context } = await system.open()
  const callback = await begun(page)
  const closed = context.waitForEvent('page').then((popup) => popup.waitForEvent('close'))
  const heard = await page.evaluate(
    (url) =>
      new Promise((resolve) => {
        addEventListener('message', ({ origin, data }) => resolve({ origin, data }), { once: true })
        open(url)
      }),
    callback,
  )
  const back = new URL(callback).searchParams
  const data = { success: true, code: back.get('code'), state: back.get('state'), tenant_domain: 'acme.localhost' }
  expect(heard).toEqual({ origin: system.base, data: { type: 'oauth-callback', data } })
  await closed
  await context.close()
})

test('a page of another origin that opened the popup receives nothing', async () => {
  const { page, context } = await system.open()
  const callback = await begun(page)
  await page.goto(`${uiOrigin.replace('127.0.0.1', 'localhost')}/`)
  const opened = context.waitForEvent('page')
  const heard = page.evaluate(
    (url) =>
      new Promise((resolve) => {
        addEventListener('message', () => resolve('heard'))
        const popup = open(url)
        const closing = setInterval(() => {
          if (popup?.closed === false) return
          clearInterval(closing)
          resolve('nothing')
        }, 50)
      }),
    callback,
  )
  await opened
  expect(await heard).toBe('nothing')
  await context.close()
})

test('without an opener it redirects to the UI\u2019s own page, with the result and without a referrer', async () => {
  const { page, context } = await system.open()
  const callback = await begun(page)
  await page.goto(callback)
  await page.waitForURL(`${uiOrigin}/uflow/oidc/callback?**`)
  expect(new URL(page.url()).searchParams.get('code')).toBe(new URL(callback).searchParams.get('code'))
  expect(await page.evaluate(() => document.referrer)).toBe('')
  await context.close()
})

test('without scripts there is a link; axe finds nothing on it, nor on the page for an expired result', async () => {
  const { page, context } = await system.open()
  const callback = await begun(page)
  const cookies = await context.cookies()
  const plain = await system.open({ javaScriptEnabled: false })
  await plain.context.addCookies(cookies)
  await plain.page.goto(callback)
  expect(await plain.page.getAttribute('a', 'href')).toContain(`${uiOrigin}/uflow/oidc/callback?success=true`)
  await plain.page.click('a')
  await plain.page.waitForURL(`${uiOrigin}/uflow/oidc/callback?success=true**`)
  await plain.context.close()
  const stale = await system.open({ bypassCSP: true })
  await stale.page.goto(`${system.base}${BASE}/callback?state=x&code=y`)
  expect(await stale.page.textContent('h1')).toBe('This sign-in has expired')
  expect(await violationsOf(stale.page)).toEqual([])
  await stale.context.close()
  await context.close()
})

/** A person of the demo company who has an account with the same address at the provider. */
const newPerson = async (): Promise<{ email: string; account: string }> => {
  const { ctx } = system
  const [id, at] = [ctx.random.id(), ctx.clock.now()]
  const [email, account] = [`pat-${id.slice(-8)}@acme.example`, `pat-${id.slice(-8)}`]
  const times = { validFrom: at, createdAt: at, updatedAt: at }
  const row = { id, email, emailVerifiedAt: at, name: 'Pat', passwordHash: null, provider: 'custom', ...times }
  await atomically(forTenant(ctx.db, tenantId), (t) => insertUser(t, row))
  await certified.control({ accounts: { [account]: { email, email_verified: true, name: 'Pat' } } })
  return { email, account }
}
/** A person with a session at the provider. */
const knownThere = (context: BrowserContext, account: string): Promise<void> =>
  context.addCookies([{ name: 'account', value: account, url: certified.url }])
const SIGN_IN = '/signin?tenant=acme&return_to=/me/password'

test('from the button through the provider and the mailed code to the session; the next sign-in needs no code', async () => {
  const { email, account } = await newPerson()
  const { page, context } = await system.open()
  await knownThere(context, account)
  await page.goto(`${system.base}${SIGN_IN}`)
  await page.click('text=Continue with Example ID')
  await arrived(page, 'Connect your account')
  const code = /\b\d{6}\b/.exec(await system.mailTo(email))?.[0] ?? ''
  await page.fill('#otp', code)
  await page.press('#otp', 'Enter')
  await page.waitForURL(`${system.base}/me/password`)
  const cookies = (await context.cookies(system.base)).filter(({ name }) => name === 'authsec_session')
  expect(cookies).toMatchObject([{ httpOnly: true, sameSite: 'Lax' }])
  expect(await page.evaluate(() => [localStorage.length, sessionStorage.length])).toEqual([0, 0])
  await context.clearCookies({ name: 'authsec_session' })
  await page.goto(`${system.base}${SIGN_IN}`)
  // With the keyboard only.
  await page.focus('.ways a')
  await page.keyboard.press('Enter')
  await page.waitForURL(`${system.base}/me/password`)
  await context.close()
})

test('without scripts as well; a refusal at the provider is displayed on the sign-in page, once', async () => {
  const { page, context } = await system.open({ javaScriptEnabled: false })
  await page.goto(`${system.base}${SIGN_IN}`)
  await page.click('text=Continue with Example ID')
  await page.waitForSelector('[data-summary-text]:text("The provider did not sign you in")')
  expect(new URL(page.url()).pathname).toBe('/signin')
  expect((await context.cookies(system.base)).map(({ name }) => name)).not.toContain('authsec_session')
  await page.reload()
  expect(await page.textContent('[data-summary-text]')).toBe('')
  const { email, account } = await newPerson()
  await knownThere(context, account)
  await page.click('text=Continue with Example ID')
  await arrived(page, 'Connect your account')
  expect(await findUserByEmail(forTenant(system.ctx.db, tenantId), email)).toMatchObject({ lastLoginAt: null })
  await context.close()
})

test.each(['en-GB', 'de-DE'])('the pages send no request to another origin, axe finds nothing on them, and they fit a phone (%s)', async (locale) => {
  const { account } = await newPerson()
  const { page, context, misdeeds } = await system.open({ locale, bypassCSP: true })
  await knownThere(context, account)
  await page.goto(`${system.base}${SIGN_IN}`)
  expect(await violationsOf(page)).toEqual([])
  await page.setViewportSize({ width: 320, height: 640 })
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true)
  expect(misdeeds).toEqual([])
  await page.click('.ways a')
  await page.waitForURL(`${system.base}/signin/connect?**`)
  expect(await violationsOf(page)).toEqual([])
  await context.close()
})
