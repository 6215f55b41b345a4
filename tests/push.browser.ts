// A browser that approves sign-ins, from adding it to the answer: its service worker is really registered, with a push service of the tests, and the payload
// that the service decrypts is delivered to the worker, because a headless browser receives none from a real service.
import { readFileSync } from 'node:fs'
import type { CDPSession, Page, Worker } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { atomically, directory, forTenant, SYSTEM_TENANT, type TenantId } from '#db/engine/tenant'
import { findClientEntry } from '#db/store/clients'
import { findPushDevices } from '#db/store/push-devices'
import { listTenantIds, updateTenantSettings } from '#db/store/tenants'
import { insertUser } from '#db/store/users'
import { startCibaRequest } from '#shared/domains/ciba/request'
import { guardedFetch } from '#shared/platform/fetch/guarded'
import { configuredPush } from '#shared/platform/outbox/push/configured'
import { arrived } from './browser/arrive.ts'
import { violationsOf } from './browser/axe.ts'
import { unreachable } from './browser/keyboard.ts'
import { type System, startSystem, type Watched } from './browser/system.ts'
import { pushService, vapidKeys } from './support/push-service.ts'

const PASSWORD = 'seven purple lanterns over water'
const vapid = vapidKeys()

let system: System
let service: Awaited<ReturnType<typeof pushService>>
let tenantId: TenantId
let clientId: string
let passwordHash: string
beforeAll(async () => {
  service = await pushService(vapid)
  system = await startSystem('localhost', {
    OUTBOUND_LOOPBACK: 'on',
    VAPID_PUBLIC_KEY: vapid.publicKey,
    VAPID_PRIVATE_KEY: vapid.privateKey,
    VAPID_SUBJECT: vapid.subject,
  })
  const { ctx } = system
  clientId = /client id is (\S+)/.exec(readFileSync(`${ctx.config.DATA_DIR}/first-start.txt`, 'utf8'))?.[1] ?? ''
  const tenants = await listTenantIds(directory(ctx.db), undefined, 10)
  tenantId = tenants.find((tenant) => tenant.tenantId !== SYSTEM_TENANT)?.tenantId ?? SYSTEM_TENANT
  passwordHash = await ctx.passwords.hash(PASSWORD)
  await atomically(forTenant(ctx.db, tenantId), (t) => updateTenantSettings(t, { cibaNumberMatching: true }, ctx.clock.now()))
})
afterAll(async () => {
  await system?.stop()
  await service?.close()
})

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
  await page.waitForURL('**/me')
}
/** A signed-in person whose browser allows notifications and uses our push service. */
const visitor = async (locale: string, path = `/${locale}`): Promise<Watched & { readonly id: string; readonly email: string }> => {
  const person = await newPerson()
  const visit = await system.open({ locale, bypassCSP: false })
  await visit.context.grantPermissions(['notifications'], { origin: system.base })
  await visit.page.addInitScript((subscription) => {
    PushManager.prototype.subscribe = async (options) => {
      const request = options as { readonly userVisibleOnly?: boolean; readonly applicationServerKey?: unknown }
      if (request.userVisibleOnly !== true || typeof request.applicationServerKey !== 'string') throw new DOMException('no', 'NotAllowedError')
      return { toJSON: () => JSON.parse(subscription) } as unknown as PushSubscription
    }
  }, service.subscription(path))
  await signIn(visit.page, person.email)
  return { ...visit, ...person }
}
const devicesOf = async (userId: string) => (await findPushDevices(forTenant(system.ctx.db, tenantId), userId)).filter(({ isActive }) => isActive)

/** A client sends a request to that person; returns the number that the client displays. */
const ask = async (email: string, bindingMessage: string): Promise<string> => {
  const { ctx } = system
  const outbound = guardedFetch({ resolver: { resolve: async () => [] }, loopback: true })
  const request = {
    id: 'test',
    address: '192.0.2.1',
    userAgent: '',
    method: 'POST',
    page: '/',
    origin: undefined,
    host: 'localhost',
    secure: false,
    place: '',
    route: 'test',
    emits: ['ciba.requested', 'ciba.failed'],
    cookie: () => undefined,
    header: () => undefined,
  } as const
  const asking = { ...ctx, request, push: configuredPush({ ...ctx, outbound }) }
  const client = await findClientEntry(directory(ctx.db), clientId)
  if (client === undefined) throw new Error('no client')
  const { matchNumber = '' } = await startCibaRequest(asking, client, { email, bindingMessage, scopes: ['openid'] })
  return matchNumber
}

type Shown = { readonly title: string; readonly body: string; readonly lang: string; readonly tag: string }
const shownIn = (page: Page): Promise<readonly Shown[]> =>
  page.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready
    return (await registration.getNotifications()).map(({ title, body, lang, tag }) => ({ title, body, lang, tag }))
  })
const registrationOf = async (cdp: CDPSession): Promise<string> => {
  const found = new Promise<string>((resolve) => {
    cdp.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
      const [one] = registrations.filter(({ scopeURL }) => scopeURL === `${system.base}/me/`)
      if (one) resolve(one.registrationId)
    })
  })
  await cdp.send('ServiceWorker.enable')
  return found
}
/** Delivers the payload that the push service decrypted to the worker. */
const deliver = async ({ page, context }: Watched, data: string): Promise<void> => {
  const cdp = await context.newCDPSession(page)
  const registrationId = await registrationOf(cdp)
  await cdp.send('ServiceWorker.deliverPushMessage', { origin: system.base, registrationId, data })
  await cdp.detach()
}
/** The address that the worker opens when the notification is clicked. A browser allows opening a window only after a real click. */
const pressed = (worker: Worker): Promise<string> =>
  worker.evaluate(async () => {
    type Scope = {
      readonly registration: ServiceWorkerRegistration
      readonly clients: { openWindow(url: string): Promise<unknown>; matchAll(): Promise<unknown> }
      dispatchEvent(event: Event): boolean
      readonly NotificationEvent: new (type: string, init: { readonly notification: Notification | undefined }) => Event
    }
    const scope = globalThis as unknown as Scope
    const [notification] = await scope.registration.getNotifications()
    const opened = new Promise<string>((resolve) => {
      scope.clients.openWindow = async (url) => resolve(url)
    })
    scope.dispatchEvent(new scope.NotificationEvent('notificationclick', { notification }))
    return opened
  })

const LOCALES = [
  ['en-GB', 'asks you to approve a sign-in', 'Have the number ready', 'This browser can now approve sign-ins', 'en', '\u201cOrder 4711\u201d'],
  ['de-DE', 'bittet Sie, eine Anmeldung zu bestätigen', 'Halten Sie die Zahl bereit', 'Dieser Browser kann jetzt', 'de', '\u201eOrder 4711\u201c'],
] as const

test.each(LOCALES)(
  '%s: with the keyboard only, a browser is added, displays a request, and opens its page',
  async (locale, asks, number, added, lang, says) => {
    const visit = await visitor(locale)
    const { page, context } = visit
    await page.goto(`${system.base}/me`)
    await page.focus('a[href="/me/browser"]')
    await page.keyboard.press('Enter')
    await page.waitForSelector('[data-push]:not([hidden])')
    expect(await page.locator('[data-without-push]').isVisible()).toBe(false)
    expect(await unreachable(page)).toEqual([])
    await page.focus('[data-push] button')
    await page.keyboard.press('Enter')
    await page.waitForSelector(`.note:text("${added}")`)
    expect(await devicesOf(visit.id)).toHaveLength(1)
    const matchNumber = await ask(visit.email, 'Order 4711\u202e')
    const sent = service.received.at(-1)?.payload
    expect(JSON.stringify(sent)).not.toContain(`"${matchNumber}"`)
    await deliver(visit, JSON.stringify(sent))
    const worker = context.serviceWorkers()[0] ?? (await context.waitForEvent('serviceworker'))
    await page.goto(`${system.base}/me/browser`)
    await expect.poll(() => shownIn(page)).toHaveLength(1)
    const [shown] = await shownIn(page)
    for (const text of [asks, number, says]) expect(shown?.body).toContain(text)
    expect(shown?.lang).toBe(lang)
    const path = await pressed(worker)
    expect(path).toMatch(new RegExp(`^/approve\\?id=${shown?.tag}&client_id=[0-9a-f-]{36}$`))
    expect(await shownIn(page)).toEqual([])
    await page.goto(`${system.base}${path}`)
    await page.fill('#match_number', matchNumber)
    await page.click('button[value=approve]')
    await page.waitForURL('**/approve/done?state=approved')
    await context.close()
    expect(visit.misdeeds).toEqual([])
  },
)

test('a push that we did not send displays none of its content, and opens none of its addresses', async () => {
  const visit = await visitor('en-GB')
  const { page, context } = visit
  await page.goto(`${system.base}/me/browser`)
  await page.click('[data-push] button')
  await page.waitForSelector('.note')
  await page.goto(`${system.base}/me/browser`)
  const sent = { title: 'Acme', data: { auth_req_id: '//evil.example/', approve_url: 'https://evil.example/', path: 'https://evil.example/' } }
  for (const data of ['not json', '[]', JSON.stringify(sent)]) {
    await deliver(visit, data)
    await expect.poll(() => shownIn(page)).toHaveLength(1)
    const worker = context.serviceWorkers()[0] ?? (await context.waitForEvent('serviceworker'))
    expect(await pressed(worker)).toBe('/approve')
    await expect.poll(() => shownIn(page)).toEqual([])
  }
  await context.close()
  expect(visit.misdeeds).toEqual([])
})

test('without permission, or without a working push service, an error is displayed and nothing is added', async () => {
  const visit = await visitor('en-GB')
  const { page, context } = visit
  for (const [breaks, words] of [
    [() => void Object.assign(Notification, { requestPermission: async () => 'denied' }), 'blocks notifications from this site'],
    [
      () => void Object.assign(PushManager.prototype, { subscribe: () => Promise.reject(new DOMException('away', 'AbortError')) }),
      'could not be set up',
    ],
  ] as const) {
    await page.goto(`${system.base}/me/browser`)
    await page.evaluate(breaks)
    await page.click('[data-push] button')
    await page.waitForSelector(`[data-summary]:not([hidden]) :text("${words}")`)
    expect(await page.evaluate(() => document.activeElement?.hasAttribute('data-summary'))).toBe(true)
  }
  expect(await devicesOf(visit.id)).toEqual([])
  await context.close()
  expect(visit.misdeeds).toEqual([])
})

test('without scripts, and in a browser without push, the page says so and has no form', async () => {
  const { email } = await newPerson()
  for (const able of [false, true]) {
    const visit = await system.open({ javaScriptEnabled: able })
    if (able) await visit.page.addInitScript(() => Reflect.deleteProperty(globalThis, 'PushManager'))
    await signIn(visit.page, email)
    await visit.page.goto(`${system.base}/me/browser`)
    expect(await visit.page.locator('[data-without-push]').isVisible()).toBe(true)
    expect(await visit.page.locator('[data-push]').isVisible()).toBe(false)
    await visit.context.close()
    expect(visit.misdeeds).toEqual([])
  }
})

test.each(['en-GB', 'de-DE'])('axe finds nothing on the page and on the list, at three widths in both schemes (%s)', async (locale) => {
  const { email } = await newPerson()
  const { page, context } = await system.open({ locale, bypassCSP: true })
  await signIn(page, email)
  expect(await violationsOf(page)).toEqual([])
  await page.goto(`${system.base}/me/browser`)
  await arrived(page, locale === 'en-GB' ? 'Approve sign-ins on this browser' : 'Anmeldungen in diesem Browser bestätigen')
  expect(await violationsOf(page)).toEqual([])
  await context.close()
})
