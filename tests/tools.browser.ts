// What pages offer beyond their forms: copying, saving and printing codes, times of the reader, pages for errors. All of it works or is absent without scripts.
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { atomically, directory, forTenant, SYSTEM_TENANT, type TenantId } from '#db/engine/tenant'
import { listTenantIds } from '#db/store/tenants'
import { insertUser } from '#db/store/users'
import { violationsOf } from './browser/axe.ts'
import { type System, startSystem, type Watched } from './browser/system.ts'
import { letInForGood } from './support/oauth.ts'
import { appCode } from './support/totp.ts'

const PASSWORD = 'seven purple lanterns over water'
/** Compressed. */
const MOST_BYTES = 15 * 1024

let system: System
let tenantId: TenantId
let clientId: string
let passwordHash: string
beforeAll(async () => {
  system = await startSystem('localhost', { ENVIRONMENT: 'development' })
  const { ctx } = system
  clientId = /client id is (\S+)/.exec(readFileSync(`${ctx.config.DATA_DIR}/first-start.txt`, 'utf8'))?.[1] ?? ''
  const tenants = await listTenantIds(directory(ctx.db), undefined, 10)
  tenantId = tenants.find((tenant) => tenant.tenantId !== SYSTEM_TENANT)?.tenantId ?? SYSTEM_TENANT
  passwordHash = await ctx.passwords.hash(PASSWORD)
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
const signIn = async (page: Page, email: string): Promise<void> => {
  await page.goto(`${system.base}/signin?client_id=${clientId}`)
  await page.fill('#email', email)
  await page.press('#email', 'Enter')
  await page.waitForSelector('#password')
  await page.fill('#password', PASSWORD)
  await page.press('#password', 'Enter')
  await page.waitForURL((url) => !url.pathname.endsWith('/password'))
}
const left = async ({ context, misdeeds }: Watched): Promise<void> => {
  await context.close()
  expect(misdeeds).toEqual([])
}
const shoot = async (page: Page, name: string): Promise<void> => {
  if (process.env.SHOTS === undefined) return
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    for (const width of [375, 1280]) {
      await page.setViewportSize({ width, height: 800 })
      await page.screenshot({ path: `${process.env.SHOTS}/${name}-${width}-${colorScheme}.png`, fullPage: true })
    }
  }
  await page.emulateMedia({ colorScheme: 'light' })
}
const clipboard = (page: Page): Promise<string> => page.evaluate(() => navigator.clipboard.readText())

test('the key and the backup codes are copied, saved and printed by a click', { timeout: 120_000 }, async () => {
  const { email } = await newPerson()
  const visit = await system.open({ permissions: ['clipboard-read', 'clipboard-write'], acceptDownloads: true })
  const { page } = visit
  await signIn(page, email)
  await page.goto(`${system.base}/me/app`)
  const seed = ((await page.textContent('#seed')) ?? '').replace(/\s/g, '')
  await page.click('[data-copies=seed]')
  await page.waitForSelector('[data-copies=seed]:text-is("Copied")')
  expect(await clipboard(page)).toBe(seed)
  await shoot(page, 'me-app')
  await page.fill('#code', appCode(seed, new Date(), 0))
  await page.press('#code', 'Enter')
  await page.waitForSelector('#codes')
  const codes = await page.locator('#codes li').allTextContents()
  expect(codes).toHaveLength(10)
  await page.click('[data-copies=codes]')
  await page.waitForSelector('[data-copies=codes]:text-is("Copied")')
  expect(await clipboard(page)).toBe(codes.join('\n'))
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('[data-downloads=codes]')])
  expect(download.suggestedFilename()).toBe('backup-codes.txt')
  expect(await readFile((await download.path()) ?? '', 'utf8')).toBe(`${codes.join('\n')}\n`)
  await page.evaluate(() => {
    window.print = () => {
      document.body.dataset.printed = 'yes'
    }
  })
  await page.click('[data-prints]')
  expect(await page.getAttribute('body', 'data-printed')).toBe('yes')
  await page.emulateMedia({ media: 'print' })
  expect([await page.isVisible('#codes'), await page.isVisible('.tools'), await page.isVisible('.foot')]).toEqual([true, false, false])
  await page.emulateMedia({ media: 'screen' })
  await shoot(page, 'backup-codes')
  await left(visit)
})

test('without scripts the key can be selected by a click, and no button is there that does nothing', async () => {
  const { email } = await newPerson()
  const visit = await system.open({ javaScriptEnabled: false })
  const { page } = visit
  await signIn(page, email)
  await page.goto(`${system.base}/me/app`)
  expect(await page.isVisible('[data-copies=seed]')).toBe(false)
  expect(await page.locator('#seed').evaluate((shown) => getComputedStyle(shown).userSelect)).toBe('all')
  await page.goto(`${system.base}/me`)
  expect(await page.textContent('time[data-local]')).toContain('UTC')
  await left(visit)
})

test('times are those of the reader', async () => {
  const { email } = await newPerson()
  const visit = await system.open({ timezoneId: 'Asia/Tokyo', locale: 'de-DE' })
  const { page } = visit
  await signIn(page, email)
  const time = page.locator('time[data-local]').first()
  const at = new Date((await time.getAttribute('datetime')) ?? '')
  const shown = new Intl.DateTimeFormat('de', { dateStyle: 'medium', timeStyle: 'short', hourCycle: 'h23', timeZone: 'Asia/Tokyo' }).format(at)
  expect([await time.textContent(), await time.getAttribute('title')]).toEqual([shown, expect.stringContaining('UTC')])
  await left(visit)
})

test('pages of errors and outcomes, and the account with an application: axe finds nothing, each is small', { timeout: 300_000 }, async () => {
  const { id, email } = await newPerson()
  const { ctx } = system
  await letInForGood({ ctx, db: ctx.db }, { tenantId }, id)
  const visit = await system.open({ bypassCSP: true })
  const { page } = visit
  const found: string[] = []
  const look = async (name: string, path: string): Promise<void> => {
    const response = await page.goto(`${system.base}${path}`)
    const bytes = gzipSync((await response?.text()) ?? '').length
    if (bytes > MOST_BYTES) found.push(`${name} weighs ${bytes}`)
    found.push(...(await violationsOf(page)).map((violation) => `${name}: ${violation}`))
    await shoot(page, name)
  }
  await look('error-404', '/nowhere')
  await look('error-client', `/oauth/authorize?client_id=${ctx.random.id()}&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&response_type=code`)
  await look('error-program', '/account/sessions')
  await look('catalogue', '/errors')
  await look('catalogue-one', '/errors/invalid_target')
  for (const state of ['approved', 'denied', 'wrong_number']) await look(`approve-${state}`, `/approve/done?state=${state}`)
  await look('signin-over', '/signin/factor')
  await look('signin', `/signin?client_id=${clientId}`)
  await look('signup-company', '/signup')
  for (const [field, value] of Object.entries({ name: 'Ada', tenant_domain: '1x', email: 'none', password: 'short' }))
    await page.fill(`#${field}`, value)
  await page.press('#password', 'Enter')
  await page.waitForSelector('[data-summary]:not([hidden])')
  expect(await page.locator('.error:not([hidden])').count()).toBe(3)
  await shoot(page, 'signup-errors')
  await signIn(page, email)
  await look('me', '/me')
  expect(found).toEqual([])
  await left(visit)
})
