// The page of a mailed link, in a real browser.
import { gzipSync } from 'node:zlib'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { atomically, directory, forTenant, SYSTEM_TENANT, type TenantId } from '#db/engine/tenant'
import { listTenantIds } from '#db/store/tenants'
import { findUserByEmail, insertUser } from '#db/store/users'
import { mailSetPasswordLink } from '#shared/domains/recovery/set-password-link'
import { violationsOf } from './browser/axe.ts'
import { type System, startSystem, type Watched } from './browser/system.ts'

const PASSWORD = 'seven purple lanterns over water'
const PAGE = '/account/set-password'
const MOST_COMPRESSED_BYTES = 60 * 1024

let system: System
let tenantId: TenantId
beforeAll(async () => {
  system = await startSystem()
  const tenants = await listTenantIds(directory(system.ctx.db), undefined, 10)
  tenantId = tenants.find((tenant) => tenant.tenantId !== SYSTEM_TENANT)?.tenantId ?? SYSTEM_TENANT
})
afterAll(() => system?.stop())

/** The link of a new person, as it is in the mail. */
const newLink = async (): Promise<{ readonly email: string; readonly link: string }> => {
  const { ctx } = system
  const id = ctx.random.id()
  const at = ctx.clock.now()
  const email = `new-${id.slice(-8)}@acme.example`
  await atomically(forTenant(ctx.db, tenantId), async (t) => {
    await insertUser(t, { id, email, validFrom: at, createdAt: at, updatedAt: at })
    await mailSetPasswordLink(t, ctx, { userId: id, email, purpose: 'invitation', invitedBy: 'Ada Acme' })
  })
  ctx.wakeOutbox()
  return { email, link: /^http\S+$/m.exec(await system.mailTo(email))?.[0] ?? 'no link' }
}
const heading = (page: Page): Promise<string | undefined> => page.evaluate(() => document.activeElement?.closest('h1')?.textContent ?? undefined)
const focused = (page: Page): Promise<string | undefined> =>
  page.evaluate(() => document.activeElement?.id || document.activeElement?.textContent || undefined)
const state = (page: Page, name: string) => page.waitForSelector(`[data-state=${name}]:not([hidden])`)
const opened = async (watched: Watched, link: string): Promise<Page> => {
  await watched.page.goto(link)
  await state(watched.page, 'form')
  return watched.page
}
/** Ends the visit and checks that no request left the origin and no script failed. */
const left = async ({ context, misdeeds }: Watched): Promise<void> => {
  await context.close()
  expect(misdeeds).toEqual([])
}

test('the keyboard alone sets the password, and the page names the account', async () => {
  const { email, link } = await newLink()
  const visit = await system.open()
  const page = await opened(visit, link)
  expect(page.url()).toBe(`${system.base}${PAGE}`)
  expect(await page.textContent('h1:visible')).toBe('Choose your password')
  expect(await page.textContent('.who')).toBe('Acme')
  const { keyboard } = page
  expect(await focused(page)).toBe('new-password')
  await keyboard.press('Shift+Tab')
  expect([await focused(page), await page.inputValue('#account')]).toEqual(['account', email])
  await keyboard.press('Tab')
  await keyboard.type(PASSWORD)
  await keyboard.press('Tab')
  expect(await focused(page)).toBe('Show')
  await keyboard.press('Space')
  expect(await page.getAttribute('#new-password', 'type')).toBe('text')
  expect(await page.getAttribute('[data-reveals]', 'aria-pressed')).toBe('true')
  await keyboard.press('Enter')
  expect(await page.getAttribute('#new-password', 'type')).toBe('password')
  await keyboard.press('Tab')
  expect(await focused(page)).toBe('Set password')
  await keyboard.press('Enter')
  await state(page, 'done')
  expect(await heading(page)).toBe('Your password is set')
  await left(visit)
})

test('a password can be pasted and is sent unchanged', async () => {
  const { email, link } = await newLink()
  const visit = await system.open()
  const page = await opened(visit, link)
  await page.focus('#new-password')
  await page.keyboard.insertText(PASSWORD)
  await page.keyboard.press('Enter')
  await state(page, 'done')
  const user = await findUserByEmail(forTenant(system.ctx.db, tenantId), email)
  expect((await system.ctx.passwords.verify(PASSWORD, user?.passwordHash ?? '')).fits).toBe(true)
  await left(visit)
})

test('an error is displayed at the field and in a summary that receives focus; a corrected password is accepted', async () => {
  const { email, link } = await newLink()
  const visit = await system.open()
  const page = await opened(visit, link)
  for (const [typed, said] of [
    ['', 'Enter a password.'],
    ['too short', 'Use at least 15 characters.'],
    ['passwordpassword', 'This password appears in lists of leaked passwords.'],
    [email, 'This password contains your name or address.'],
  ] as const) {
    await page.fill('#new-password', typed)
    await page.press('#new-password', 'Enter')
    await page.waitForFunction((words) => document.querySelector('[data-summary-text]')?.textContent?.startsWith(words), said)
    expect(await page.textContent('#new-password-error')).toContain(said)
    expect(await page.getAttribute('#new-password', 'aria-invalid')).toBe('true')
    expect(await page.evaluate(() => document.activeElement?.hasAttribute('data-summary'))).toBe(true)
  }
  await page.fill('#new-password', PASSWORD)
  await page.press('#new-password', 'Enter')
  await state(page, 'done')
  await left(visit)
})

test('a double click submits once, and the page indicates that a slow server is busy', async () => {
  const { link } = await newLink()
  const visit = await system.open()
  const page = await opened(visit, link)
  let sent = 0
  let goOn: () => void = () => undefined
  const held = new Promise<void>((resolve) => {
    goOn = resolve
  })
  await page.route(`**${PAGE}`, async (route) => {
    sent += 1
    await held
    await route.continue()
  })
  await page.fill('#new-password', PASSWORD)
  for (let n = 0; n < 3; n++) await page.press('#new-password', 'Enter')
  await page.waitForSelector('button[aria-busy=true]')
  expect(await page.textContent('button[type=submit]')).toBe('Setting password \u2026')
  await page.click('button[type=submit]')
  goOn()
  await state(page, 'done')
  expect(sent).toBe(1)
  await left(visit)
})

test('a used link, opened again, is reported as used; after a reload the page asks for the link', async () => {
  const { link } = await newLink()
  const visit = await system.open()
  const page = await opened(visit, link)
  await page.fill('#new-password', PASSWORD)
  await page.press('#new-password', 'Enter')
  await state(page, 'done')
  await page.reload()
  await state(page, 'missing')
  expect(await heading(page)).toBe('Open the link again')
  // The page is already open, so the browser changes only the fragment.
  await page.goto(link)
  await state(page, 'expired')
  expect(await heading(page)).toBe('This link is no longer valid')
  expect(page.url()).not.toContain('ticket')
  await left(visit)
})

test('the secret stays out of the address, the history, the document and every storage', async () => {
  const { link } = await newLink()
  const visit = await system.open()
  const page = await opened(visit, link)
  const secret = new URL(link).hash.slice('#ticket='.length)
  const places = await page.evaluate(() => [
    location.href,
    document.documentElement.outerHTML,
    JSON.stringify(localStorage),
    JSON.stringify(sessionStorage),
    document.cookie,
    JSON.stringify(history.state),
  ])
  expect(places.join('\n')).not.toContain(secret)
  await page.goto('about:blank')
  await page.goBack()
  expect(page.url()).toBe(`${system.base}${PAGE}`)
  await left(visit)
})

test('rate limits and network errors are displayed with the remaining time, and nothing typed is lost', async () => {
  const { link } = await newLink()
  const visit = await system.open()
  const page = await opened(visit, link)
  await page.fill('#new-password', PASSWORD)
  const answers = [
    {
      words: 'Too many attempts. Try again in 42 seconds.',
      send: { status: 429, headers: { 'retry-after': '42' }, json: { code: 'rate_limited' } },
    },
    {
      words: 'Too many attempts. Try again in 3 minutes.',
      send: { status: 429, headers: { 'retry-after': '150' }, json: { code: 'rate_limited' } },
    },
    { words: 'The server cannot be reached.', send: undefined },
    { words: 'Something went wrong.', send: { status: 503, json: { code: 'unavailable' } } },
    { words: 'The server cannot be reached.', send: { status: 502, body: '<html>' } },
  ]
  for (const { words, send } of answers) {
    await page.route(`**${PAGE}`, (route) => (send === undefined ? route.abort() : route.fulfill(send)), { times: 1 })
    await page.press('#new-password', 'Enter')
    await page.waitForFunction((text) => document.querySelector('[data-summary-text]')?.textContent?.startsWith(text), words)
    expect(await page.inputValue('#new-password')).toBe(PASSWORD)
  }
  await page.press('#new-password', 'Enter')
  await state(page, 'done')
  await left(visit)
})

test('a failed check can be repeated', async () => {
  const { link } = await newLink()
  const visit = await system.open()
  await visit.page.route(`**${PAGE}/link`, (route) => route.abort(), { times: 1 })
  await visit.page.goto(link)
  await state(visit.page, 'trouble')
  expect(await visit.page.textContent('[data-trouble]')).toContain('The server cannot be reached')
  await visit.page.click('[data-again]')
  await state(visit.page, 'form')
  await left(visit)
})

test('without scripts the page states the requirement and displays no form', async () => {
  const { link } = await newLink()
  const visit = await system.open({ javaScriptEnabled: false })
  await visit.page.goto(link)
  expect(await visit.page.locator('h1:visible').allTextContents()).toEqual(['Please turn on JavaScript'])
  expect(await visit.page.locator('form:visible').count()).toBe(0)
  await left(visit)
})

test('a German browser receives only German text', async () => {
  const { link } = await newLink()
  const visit = await system.open({ locale: 'de-DE' })
  const page = await opened(visit, link)
  expect(await page.getAttribute('html', 'lang')).toBe('de')
  expect(await page.textContent('#new-password-hint')).toBe('Mindestens 15 Zeichen. Mehrere W\u00f6rter hintereinander gen\u00fcgen.')
  await page.route(`**${PAGE}`, (route) => route.fulfill({ status: 429, headers: { 'retry-after': '150' }, json: { code: 'rate_limited' } }), {
    times: 1,
  })
  await page.fill('#new-password', PASSWORD)
  await page.press('#new-password', 'Enter')
  await page.waitForFunction(
    () => document.querySelector('[data-summary-text]')?.textContent === 'Zu viele Versuche. Versuchen Sie es in 3 Minuten noch einmal.',
  )
  await left(visit)
})

test('axe finds nothing in any state, at three widths, in both schemes', async () => {
  const { link } = await newLink()
  const visit = await system.open({ bypassCSP: true })
  const page = await opened(visit, link)
  expect(await violationsOf(page)).toEqual([])
  await page.press('#new-password', 'Enter')
  await page.waitForSelector('[data-summary]:not([hidden])')
  expect(await violationsOf(page)).toEqual([])
  for (const name of ['wait', 'done', 'expired', 'missing', 'trouble']) {
    await page.evaluate((shown) => {
      for (const part of document.querySelectorAll<HTMLElement>('[data-state]')) part.hidden = part.dataset.state !== shown
    }, name)
    expect(await violationsOf(page)).toEqual([])
  }
  await left(visit)
})

test('page and script are small', async () => {
  const page = await fetch(`${system.base}${PAGE}`)
  expect(gzipSync(await page.text()).length).toBeLessThan(MOST_COMPRESSED_BYTES)
})

test.each(['/', '/local/outbox'])('axe finds nothing on %s, and no request leaves the origin', async (path) => {
  await newLink()
  const visit = await system.open({ bypassCSP: true })
  await visit.page.goto(`${system.base}${path}`)
  expect(await violationsOf(visit.page)).toEqual([])
  await left(visit)
})

test('/docs renders the API reference from a script of our own origin, and no request leaves the origin', async () => {
  const visit = await system.open()
  const loaded: string[] = []
  visit.page.on('request', (request) => loaded.push(request.url()))
  await visit.page.goto(`${system.base}/docs`)
  await visit.page.waitForSelector('#reference h1')
  await visit.page.waitForLoadState('networkidle')
  expect(loaded).toEqual(expect.arrayContaining([`${system.base}/docs/scalar.js`, `${system.base}/openapi.json`]))
  await left(visit)
})
