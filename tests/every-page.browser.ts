// Every hosted page in both languages, at phone and desktop width: axe finds nothing, nothing overflows the screen, and the keyboard reaches every control.
import { readFileSync } from 'node:fs'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { atomically, directory, forTenant, SYSTEM_TENANT, type TenantId } from '#db/engine/tenant'
import { insertCibaRequest } from '#db/store/ciba'
import { findPasskeys, raiseCounterAlarm } from '#db/store/passkeys'
import { listTenantIds, updateTenantSettings } from '#db/store/tenants'
import { findUserByEmail, insertUser } from '#db/store/users'
import { numberHash } from '#shared/domains/ciba/number-match'
import { secondsAfter } from '#shared/kernel/clock'
import { arrived, signOut } from './browser/arrive.ts'
import { violationsOf } from './browser/axe.ts'
import { unreachable } from './browser/keyboard.ts'
import { type System, startSystem, type Watched } from './browser/system.ts'
import { appCode } from './support/totp.ts'

const PASSWORD = 'seven purple lanterns over water'
const WIDTHS = [375, 1280]
const TESTING_MS = 600_000

let system: System
let tenantId: TenantId
let clientId: string
let passwordHash: string
beforeAll(async () => {
  system = await startSystem('localhost', { GOOGLE_CLIENT_ID: 'a', GOOGLE_CLIENT_SECRET: 'b', GITHUB_CLIENT_ID: 'c', GITHUB_CLIENT_SECRET: 'd' })
  const { ctx } = system
  clientId = /client id is (\S+)/.exec(readFileSync(`${ctx.config.DATA_DIR}/first-start.txt`, 'utf8'))?.[1] ?? ''
  const tenants = await listTenantIds(directory(ctx.db), undefined, 10)
  tenantId = tenants.find((tenant) => tenant.tenantId !== SYSTEM_TENANT)?.tenantId ?? SYSTEM_TENANT
  passwordHash = await ctx.passwords.hash(PASSWORD)
  const settings = { recovery: { waitingDays: 3 } }
  await atomically(forTenant(ctx.db, tenantId), (t) => updateTenantSettings(t, settings, ctx.clock.now()))
})
afterAll(() => system?.stop())

const newPerson = async (): Promise<{ readonly id: string; readonly email: string }> => {
  const { ctx } = system
  const [id, at] = [ctx.random.id(), ctx.clock.now()]
  const email = `pat-${id.slice(-8)}@acme.example`
  const row = { id, email, emailVerifiedAt: at, name: 'Pat', passwordHash, provider: 'custom', clientId, validFrom: at, createdAt: at, updatedAt: at }
  await atomically(forTenant(ctx.db, tenantId), (t) => insertUser(t, row))
  return { id, email }
}
const pageUrl = (path = '/signin'): string => `${system.base}${path}?client_id=${clientId}`
const heading = (page: Page) => page.textContent('h1')
const left = async ({ context, misdeeds }: Watched): Promise<void> => {
  await context.close()
  expect(misdeeds).toEqual([])
}
const signIn = async (page: Page, email: string, code?: string): Promise<void> => {
  await page.goto(pageUrl())
  await page.fill('#email', email)
  await page.press('#email', 'Enter')
  await page.waitForSelector('#password')
  await page.fill('#password', PASSWORD)
  await page.press('#password', 'Enter')
  await page.waitForURL((url) => !url.pathname.endsWith('/password'))
  if (code === undefined) return
  await page.fill('#code', code)
  await page.press('#code', 'Enter')
  await page.waitForURL('**/me')
}
/** A virtual authenticator that verifies its user automatically. */
const addAuthenticator = async ({ page, context }: Watched): Promise<void> => {
  const cdp = await context.newCDPSession(page)
  await cdp.send('WebAuthn.enable')
  const options = { hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true } as const
  await cdp.send('WebAuthn.addVirtualAuthenticator', { options: { protocol: 'ctap2', transport: 'internal', ...options } })
}
const seedOf = async (page: Page): Promise<string> => ((await page.textContent('.code.seed')) ?? '').replace(/\s/g, '')
/** The next unused code: of this time step, or of the one after. */
const spent = new Set<string>()
const codeFor = (seed: string): string => {
  const code = [0, 1, -1].map((away) => appCode(seed, new Date(), away)).find((one) => !spent.has(one)) ?? ''
  spent.add(code)
  return code
}

/** A pending request for that person. */
const asked = async (userId: string, number?: string): Promise<string> => {
  const { ctx } = system
  const [id, now] = [ctx.random.id(), ctx.clock.now()]
  await atomically(forTenant(ctx.db, tenantId), (t) =>
    insertCibaRequest(t, {
      id,
      handleHash: ctx.random.bytes(32),
      hintHash: ctx.random.bytes(32),
      clientId,
      scopes: ['openid', 'email', 'reports:read'],
      status: 'pending',
      intervalSeconds: 5,
      requestedFor: userId,
      bindingMessage: 'Transfer of 1,250.00 EUR to Example Ltd, invoice 4711',
      numberHash: number === undefined ? null : numberHash(ctx, id, number),
      createdAt: now,
      expiresAt: secondsAfter(now, 300),
    }),
  )
  return id
}

/** Checks the page in both languages; findings are reported under the page's name. */
const looker = (page: Page) => {
  const found: string[] = []
  const names = new Set<string>()
  const look = async (name: string, { german = true } = {}): Promise<void> => {
    names.add(name)
    const url = new URL(page.url())
    for (const lang of german ? ['en', 'de'] : ['en']) {
      if (german) {
        url.searchParams.set('lang', lang)
        await page.goto(url.href)
      }
      if ((await page.getAttribute('html', 'lang')) !== lang) found.push(`${name}: is not in ${lang}`)
      found.push(...(await violationsOf(page, { widths: WIDTHS })).map((violation) => `${name} ${lang} ${violation}`))
      found.push(...(await unreachable(page)).map((one) => `${name} ${lang} ${one}`))
      if (process.env.SHOTS !== undefined) {
        await page.emulateMedia({ colorScheme: 'light' })
        for (const width of WIDTHS) {
          await page.setViewportSize({ width, height: 800 })
          await page.screenshot({ path: `${process.env.SHOTS}/${name}-${lang}-${width}.png`, fullPage: true })
        }
      }
    }
    if (german) {
      url.searchParams.set('lang', 'en')
      await page.goto(url.href)
    }
  }
  const at = async (name: string, path: string): Promise<void> => {
    await page.goto(path.startsWith('http') ? path : `${system.base}${path}`)
    await look(name)
  }
  return { found, look, at }
}

test('pages for a signed-out visitor', { timeout: TESTING_MS }, async () => {
  const visit = await system.open({ bypassCSP: true })
  const { page } = visit
  const { found, look, at } = looker(page)
  await at('signin', pageUrl())
  await page.fill('#email', (await newPerson()).email)
  await page.press('#email', 'Enter')
  await page.waitForSelector('#password')
  await look('signin-password')
  await page.fill('#password', 'not the one')
  await page.press('#password', 'Enter')
  await page.waitForSelector('[data-summary]:not([hidden])')
  await look('signin-wrong', { german: false })
  await at('signup', pageUrl('/signup'))
  await at('signup-company', '/signup')
  await at('signup-over', '/signup/code')
  await at('recover', pageUrl('/recover'))
  await page.fill('#email', 'someone@acme.example')
  await page.press('#email', 'Enter')
  await page.waitForSelector('#otp')
  await look('recover-code')
  await at('recover-over', pageUrl('/recover/password'))
  await at('access', pageUrl('/recover/access'))
  await at('access-platform', '/recover/access')
  await at('access-key', pageUrl('/recover/access/waiting'))
  await at('activate', '/activate')
  for (const state of ['approved', 'denied']) await at(`activate-${state}`, `/activate/done?state=${state}`)
  for (const state of ['approved', 'denied', 'wrong_number']) await at(`approve-${state}`, `/approve/done?state=${state}`)
  await at('signin-over', '/signin/factor')
  await at('stop-recovery', `/account/recovery/cancel?ticket=${tenantId}.${'x'.repeat(43)}`)
  expect(found).toEqual([])
  await left(visit)
})

test('pages between the password and the session: second factor and recovery', { timeout: TESTING_MS }, async () => {
  const { ctx } = system
  const t = forTenant(ctx.db, tenantId)
  const { email } = await newPerson()
  const visit = await system.open({ bypassCSP: true })
  const { page } = visit
  const { found, look, at } = looker(page)
  await atomically(t, (tx) => updateTenantSettings(tx, { recovery: { waitingDays: 3 }, requireSecondFactor: true }, ctx.clock.now()))
  try {
    await signIn(page, email)
    await arrived(page, 'Add an authenticator app')
    await look('signin-enrol')
    await at('signin-mailbox', pageUrl('/signin/mailbox'))
    await page.goto(pageUrl('/signin/enrol'))
    const seed = await seedOf(page)
    await page.fill('#code', codeFor(seed))
    await page.press('#code', 'Enter')
    await page.waitForSelector('.codes')
    await look('backup-codes', { german: false })
    const factor = await system.open({ bypassCSP: true })
    const other = looker(factor.page)
    await signIn(factor.page, email)
    await other.look('signin-factor')
    await other.at('signin-backup', `${pageUrl('/signin/factor')}&by=backup`)
    await other.at('access-half', pageUrl('/recover/access'))
    await factor.page.click('form[action^="/recover/access/wait"] button')
    await factor.page.waitForURL('**/waiting?**')
    await other.look('access-waiting')
    found.push(...other.found)
    await left(factor)
  } finally {
    await atomically(t, (tx) => updateTenantSettings(tx, { recovery: { waitingDays: 3 } }, ctx.clock.now()))
  }
  expect(found).toEqual([])
  await left(visit)
})

test('pages for a signed-in person: the account, everything that can be added there, requests and devices', { timeout: TESTING_MS }, async () => {
  const { ctx } = system
  const { id, email } = await newPerson()
  const visit = await system.open({ bypassCSP: true })
  const { page } = visit
  const { found, look, at } = looker(page)
  await addAuthenticator(visit)
  await signIn(page, email)
  await look('me-first')
  await at('me-browser', '/me/browser')
  await at('me-providers', '/me/providers')
  await at('me-phone', '/me/phone')
  await page.fill('#phone_number', '+49 151 12345678')
  await page.press('#phone_number', 'Enter')
  await page.waitForURL('**/me/phone/code')
  await look('me-phone-code')
  await at('me-app', '/me/app')
  const seed = await seedOf(page)
  await page.fill('#code', codeFor(seed))
  await page.press('#code', 'Enter')
  await page.waitForSelector('.codes')
  await look('me-codes', { german: false })
  await at('confirm', '/confirm?acr_values=aal2&return_to=%2Fme')
  await page.goto(`${system.base}/me`)
  await signOut(page)
  await signIn(page, email, codeFor(seed))
  await at('me-passkey', '/me/passkey')
  await page.click('[data-passkey] button')
  await page.waitForURL('**/me')
  expect(await page.textContent('.note')).toContain('The sign-in method was added.')
  await at('confirm-passkey', '/confirm?max_age=0&return_to=%2Fme%2Fpassword')
  await page.click('[data-passkey] button')
  await page.waitForURL('**/me/password')
  await look('me-password')
  await at('me-email', '/me/email')
  const [passkey] = await findPasskeys(forTenant(ctx.db, tenantId), id)
  await at('me-method', `/me/method?id=${passkey?.factorId}`)
  await atomically(forTenant(ctx.db, tenantId), (t) => raiseCounterAlarm(t, passkey?.factorId ?? '', ctx.clock.now()))
  await at('me-alarm', `/me/method?id=${passkey?.factorId}`)
  await at('approve-none', '/approve')
  const number = await asked(id, '42')
  await at('approve-number', `/approve?id=${number}`)
  const plain = await asked(id)
  await at('approve', `/approve?id=${plain}`)
  await at('approve-list', '/approve')
  await at('me', '/me')
  await page.click('.foot button[lang=de]')
  await page.waitForSelector('html[lang=de]')
  expect(new URL(page.url()).pathname).toBe('/me')
  await page.click('.foot button[lang=en]')
  await page.waitForSelector('html[lang=en]')
  const body = JSON.stringify({ client_id: clientId, device_info: { model: 'TV 55', os: 'tvOS' }, scopes: ['openid', 'email', 'reports:read'] })
  const response = await fetch(`${system.base}/authsec/uflow/auth/device/code`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  })
  const { user_code } = (await response.json()) as { readonly user_code: string }
  await at('activate-device', `/activate/device?user_code=${user_code}`)
  await at('approve-over', `/approve?id=${ctx.random.id()}`)
  expect(found).toEqual([])
  await left(visit)
})

test('a request is approved by a click; not by a script that submits the form, and not in a frame', { timeout: TESTING_MS }, async () => {
  const { ctx } = system
  const { email } = await newPerson()
  const visit = await system.open()
  const { page } = visit
  await signIn(page, email)
  const user = await findUserByEmail(forTenant(ctx.db, tenantId), email)
  const id = await asked(user?.id ?? '', '42')
  const url = `${system.base}/approve?id=${id}`
  await page.goto(url)
  // Longer than the few seconds for which a browser attributes a script's action to the person's click.
  await page.evaluate((afterMs) => {
    const form = document.querySelector<HTMLFormElement>('form:has([name=decision])')
    const hidden = Object.assign(document.createElement('input'), { type: 'hidden', name: 'decision', value: 'approve' })
    form?.append(hidden)
    setTimeout(() => form?.submit(), afterMs)
  }, 7000)
  const refused = await page.waitForResponse((response) => response.request().method() === 'POST', { timeout: 20_000 })
  expect(await refused.request().headerValue('sec-fetch-user')).toBeNull()
  await arrived(page, 'The request was not processed')
  await page.goto(url)
  expect(await heading(page)).toBe('Approve this sign-in?')
  const evil = await visit.context.newPage()
  await evil.route('http://evil.test/**', (route) => route.fulfill({ contentType: 'text/html', body: `<iframe src="${url}"></iframe>` }))
  await evil.goto('http://evil.test/')
  expect(evil.frames().some((frame) => frame.url().startsWith(system.base))).toBe(false)
  await evil.close()
  await page.fill('#match_number', '42')
  await page.click('button[value=approve]')
  await page.waitForURL('**/approve/done?state=approved')
  await arrived(page, 'The sign-in was approved')
  await page.goBack()
  await page.reload()
  await arrived(page, 'This request has expired')
  await left(visit)
})

test('without scripts a phone is added, a request is denied, and a recovery is started', { timeout: TESTING_MS }, async () => {
  const { id, email } = await newPerson()
  const visit = await system.open({ javaScriptEnabled: false })
  const { page } = visit
  await signIn(page, email)
  await page.goto(`${system.base}/me/passkey`)
  expect(await page.textContent('.warn')).toContain('does not support passkeys')
  const request = await asked(id)
  await page.goto(`${system.base}/approve?id=${request}`)
  await page.click('button[value=deny]')
  await arrived(page, 'The sign-in was denied')
  await page.goto(pageUrl('/recover/access'))
  await page.fill('#wait-email', email)
  await page.press('#wait-email', 'Enter')
  await arrived(page, 'The waiting period has started')
  await left(visit)
})
