// The hosted pages in a real browser.
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { atomically, directory, forTenant, SYSTEM_TENANT, type TenantId } from '#db/engine/tenant'
import { listTenantIds, updateTenantSettings } from '#db/store/tenants'
import { insertUser } from '#db/store/users'
import { arrived, signOut } from './browser/arrive.ts'
import { violationsOf } from './browser/axe.ts'
import { type System, startSystem, type Watched } from './browser/system.ts'

const PASSWORD = 'seven purple lanterns over water'
const MOST_COMPRESSED_BYTES = 60 * 1024

let system: System
let tenantId: TenantId
let clientId: string
let passwordHash: string
beforeAll(async () => {
  system = await startSystem('localhost')
  const { ctx } = system
  clientId = /client id is (\S+)/.exec(readFileSync(`${ctx.config.DATA_DIR}/first-start.txt`, 'utf8'))?.[1] ?? ''
  const tenants = await listTenantIds(directory(ctx.db), undefined, 10)
  tenantId = tenants.find((tenant) => tenant.tenantId !== SYSTEM_TENANT)?.tenantId ?? SYSTEM_TENANT
  passwordHash = await ctx.passwords.hash(PASSWORD)
})
afterAll(() => system?.stop())

const newPerson = async (): Promise<string> => {
  const { ctx } = system
  const id = ctx.random.id()
  const at = ctx.clock.now()
  const email = `pat-${id.slice(-8)}@acme.example`
  await atomically(forTenant(ctx.db, tenantId), (t) =>
    insertUser(t, {
      id,
      email,
      emailVerifiedAt: at,
      name: 'Pat',
      passwordHash,
      provider: 'custom',
      clientId,
      validFrom: at,
      createdAt: at,
      updatedAt: at,
    }),
  )
  return email
}
const pageUrl = (path = '/signin', more = ''): string => `${system.base}${path}?client_id=${clientId}${more}`
const heading = (page: Page) => page.textContent('h1')
/** Ends the visit and checks that no request left the origin and no script failed. */
const left = async ({ context, misdeeds }: Watched): Promise<void> => {
  await context.close()
  expect(misdeeds).toEqual([])
}
const signIn = async (page: Page, email: string): Promise<void> => {
  await page.goto(pageUrl())
  await page.fill('#email', email)
  await page.press('#email', 'Enter')
  await page.waitForSelector('#password')
  await page.fill('#password', PASSWORD)
  await page.press('#password', 'Enter')
  await page.waitForURL((url) => !url.pathname.endsWith('/password'))
}

test('the keyboard alone signs in; focus starts at the first field and moves to a refused one', async () => {
  const email = await newPerson()
  const visit = await system.open()
  const { page } = visit
  await page.goto(pageUrl())
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('email')
  await page.keyboard.type(email)
  await page.keyboard.press('Enter')
  await page.waitForSelector('#password')
  await page.keyboard.type('not the one')
  await page.keyboard.press('Enter')
  await page.waitForSelector('[data-summary]:not([hidden])')
  expect(await page.evaluate(() => document.activeElement?.hasAttribute('data-summary'))).toBe(true)
  await page.keyboard.press('Tab')
  await page.keyboard.press('Tab')
  await page.keyboard.type(PASSWORD)
  await page.keyboard.press('Tab')
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Show')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await page.waitForURL('**/me')
  await left(visit)
})

test('without scripts everything except passkeys works: sign in, change the password, sign out', async () => {
  const email = await newPerson()
  const visit = await system.open({ javaScriptEnabled: false })
  const { page } = visit
  await signIn(page, email)
  expect(await page.locator('[data-reveals]:visible').count()).toBe(0)
  await page.goto(`${system.base}/me/password`)
  await page.fill('#current_password', PASSWORD)
  await page.fill('#new_password', `${PASSWORD} again`)
  await page.click('button[type=submit]')
  expect(await page.textContent('.note')).toContain('Your password was changed')
  await signOut(page)
  expect(await page.textContent('.note')).toContain('You are signed out')
  await page.goBack()
  await page.reload()
  expect(await heading(page)).toContain('Sign in')
  await left(visit)
})

test('without a network the page displays an error and keeps the typed text', async () => {
  const visit = await system.open()
  const { page, context } = visit
  await page.goto(pageUrl())
  await context.setOffline(true)
  await page.fill('#email', 'someone@acme.example')
  await page.press('#email', 'Enter')
  await page.waitForFunction(() => document.querySelector('[data-summary-text]')?.textContent?.startsWith('The server cannot be reached'))
  expect(await page.inputValue('#email')).toBe('someone@acme.example')
  await context.setOffline(false)
  await page.press('#email', 'Enter')
  await page.waitForSelector('#password')
  await left(visit)
})

test('a passkey is added where a factor is required; afterwards the sign-in page offers it, and it signs in on its own', async () => {
  const email = await newPerson()
  const { ctx } = system
  await atomically(forTenant(ctx.db, tenantId), (t) => updateTenantSettings(t, { requireSecondFactor: true }, ctx.clock.now()))
  try {
    const visit = await system.open()
    const { page, context } = visit
    const cdp = await context.newCDPSession(page)
    await cdp.send('WebAuthn.enable')
    await cdp.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    })
    await signIn(page, email)
    await arrived(page, 'Add an authenticator app')
    await page.click('[data-passkey] button')
    await page.waitForURL('**/me')
    expect(await page.textContent('body')).toContain('Passkey')
    await signOut(page)
    await page.goto(pageUrl())
    // The browser offers it while the address is filled in; the virtual authenticator accepts automatically.
    await page.waitForURL('**/me')
    await left(visit)
  } finally {
    await atomically(forTenant(ctx.db, tenantId), (t) => updateTenantSettings(t, {}, ctx.clock.now()))
  }
})

test('axe finds nothing at three widths in both schemes, and every page is small', async () => {
  const email = await newPerson()
  const visit = await system.open({ bypassCSP: true })
  const { page } = visit
  const found: string[] = []
  const look = async (name: string): Promise<void> => {
    found.push(...(await violationsOf(page)).map((violation) => `${name}: ${violation}`))
    const bytes = gzipSync(await page.content()).length
    if (bytes > MOST_COMPRESSED_BYTES) found.push(`${name} weighs ${bytes}`)
    if (process.env.SHOTS !== undefined) {
      for (const width of [390, 1280]) {
        await page.setViewportSize({ width, height: 800 })
        await page.screenshot({ path: `${process.env.SHOTS}/${name}-${width}.png`, fullPage: true })
      }
    }
  }
  for (const path of ['/signup', '/recover', '/recover/code', '/activate', '/activate/done?state=approved']) {
    await page.goto(`${system.base}${path}`)
    await look(path.slice(1).replace(/\W/g, '-'))
  }
  await page.goto(pageUrl())
  await look('signin')
  await signIn(page, email)
  await look('me')
  await page.goto(`${system.base}/me/app`)
  await look('me-app')
  const response = await fetch(`${system.base}/authsec/uflow/auth/device/code`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ client_id: clientId, device_info: { model: 'TV 55', os: 'tvOS' }, scopes: ['openid', 'email', 'reports:read'] }),
  })
  const { user_code } = (await response.json()) as { readonly user_code: string }
  await page.goto(`${system.base}/activate/device?user_code=${user_code}`)
  expect(await heading(page)).toBe('Connect this device?')
  await look('activate-device')
  await page.goto(`${system.base}/signin/factor`)
  await look('signin-over')
  expect(found).toEqual([])
  await left(visit)
})
