// The consent page in a browser: how a self-registered client is displayed, and that only the person can approve it.

import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { atomically, directory, forTenant, SYSTEM_TENANT, type TenantId } from '#db/engine/tenant'
import { listTenantIds } from '#db/store/tenants'
import { insertUser } from '#db/store/users'
import { violationsOf } from './browser/axe.ts'
import { type System, startSystem } from './browser/system.ts'
import { authorizePath, newResource, newSelfRegistered, REDIRECT, type ResourceServer } from './support/oauth.ts'

const PASSWORD = 'seven purple lanterns over water'

let system: System
let tenantId: TenantId
let clientId: string
let passwordHash: string
let api: ResourceServer
/** A malicious site whose pages try to get clicks. */
let evil: Server
const evilPages = new Map<string, string>()
let evilBase: string
beforeAll(async () => {
  system = await startSystem('localhost')
  const { ctx } = system
  clientId = /client id is (\S+)/.exec(readFileSync(`${ctx.config.DATA_DIR}/first-start.txt`, 'utf8'))?.[1] ?? ''
  const tenants = await listTenantIds(directory(ctx.db), undefined, 10)
  tenantId = tenants.find((tenant) => tenant.tenantId !== SYSTEM_TENANT)?.tenantId ?? SYSTEM_TENANT
  passwordHash = await ctx.passwords.hash(PASSWORD)
  api = await newResource({ ctx, db: ctx.db }, { tenantId }, [{ name: 'tools:read', description: 'Read your tools' }], { registrationModes: ['dcr'] })
  evil = createServer((request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end(evilPages.get(request.url ?? '') ?? 'nothing')
  })
  await new Promise<void>((resolve) => evil.listen(0, '127.0.0.1', resolve))
  evilBase = `http://127.0.0.1:${(evil.address() as AddressInfo).port}`
})
afterAll(async () => {
  evil?.close()
  await system?.stop()
})

const newPerson = async (): Promise<{ readonly id: string; readonly email: string }> => {
  const { ctx } = system
  const [id, at] = [ctx.random.id(), ctx.clock.now()]
  const email = `pat-${id.slice(-8)}@acme.example`
  const times = { emailVerifiedAt: at, validFrom: at, createdAt: at, updatedAt: at }
  await atomically(forTenant(ctx.db, tenantId), (t) =>
    insertUser(t, { id, email, name: 'Pat', passwordHash, provider: 'custom', clientId, ...times }),
  )
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
const authorizations = async (userId: string): Promise<number> => {
  const text = 'select 1 from authsec.oauth_authorizations where tenant_id = $1 and user_id = $2'
  return (await forTenant(system.ctx.db, tenantId).run({ text, params: [tenantId, userId], arrays: true })).length
}
/** A signed-in person with an authorization request of a self-registered client. */
const asked = async ({ width = 1280, redirectUri = REDIRECT } = {}) => {
  const viewport = { width, height: 900 }
  const named = { name: 'Prize \u202eeliforP', redirectUris: [redirectUri] }
  const client = await newSelfRegistered({ ctx: system.ctx, db: system.ctx.db }, { tenantId }, named)
  const person = await newPerson()
  const visit = await system.open({ viewport })
  await signIn(visit.page, person.email)
  const address = `${system.base}${authorizePath({ ...client, redirectUri, secret: '', authorization: '' }, { resource: api.resource, scope: 'openid tools:read offline_access' })}`
  return { ...visit, person, client, address }
}

test.each([
  [390, 'light'],
  [1280, 'light'],
  [768, 'dark'],
] as const)('at %d px, %s: a self-registered client is marked as unverified, with its redirect host', async (width, colorScheme) => {
  const { page, context, address, person } = await asked({ width })
  await page.emulateMedia({ colorScheme })
  await page.goto(address)
  const text = ((await page.textContent('main')) ?? '').replaceAll(/\s+/g, ' ')
  for (const words of ['Prize eliforP', 'unverified', 'has not verified it', person.email, 'Read your tools', 'app.example.com', 'up to 30 days'])
    expect(text).toContain(words)
  expect(await page.content()).not.toContain('\u202e')
  expect(await violationsOf(page)).toEqual([])
  const [deny, allow] = await Promise.all(['deny', 'allow'].map((value) => page.locator(`button[value=${value}]`).boundingBox()))
  expect(Math.round(deny?.width ?? 0)).toBe(Math.round(allow?.width ?? 1))
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true)
  await context.close()
})

test('a double click submits once; going back shows a new request and submits nothing', async () => {
  const { page, context, address, person } = await asked({ redirectUri: `${evilBase}/callback` })
  await page.goto(address)
  await page.locator('button[value=allow]').dblclick()
  await page.waitForURL(`${evilBase}/callback?**`)
  expect(await authorizations(person.id)).toBe(1)
  await page.goBack()
  await page.waitForSelector('button[value=allow]')
  expect(await authorizations(person.id)).toBe(1)
  await context.close()
})

test('a frame of another site contains nothing to click', async () => {
  const { page, context, address, person } = await asked()
  evilPages.set('/frame', `<iframe id="f" src="${address.replaceAll('&', '&amp;')}" width="600" height="600"></iframe>`)
  await page.goto(`${evilBase}/frame`)
  const frame = page.frames()[1]
  await frame?.waitForLoadState().catch(() => undefined)
  expect(await frame?.locator('button').count()).toBe(0)
  expect(await authorizations(person.id)).toBe(0)
  await context.close()
})

test('a form that another site submits with all it can know is refused', async () => {
  const { page, context, address, person } = await asked()
  await page.goto(address)
  const consent = await page.getAttribute('input[name=consent]', 'value')
  evilPages.set(
    '/forge',
    `<form method="post" action="${address.replace('/oauth/authorize', '/oauth/consent').replaceAll('&', '&amp;')}"><input name="consent" value="${consent}"><input name="decision" value="allow"></form>
     <script>document.forms[0].submit()</script>`,
  )
  const answered = page.waitForResponse((response) => response.request().method() === 'POST')
  await page.goto(`${evilBase}/forge`).catch(() => undefined)
  expect((await answered).status()).toBe(403)
  expect(await authorizations(person.id)).toBe(0)
  await context.close()
})

test('no script can approve: the page has no inline script, and its policy allows only its own', async () => {
  const { page, context, address } = await asked()
  const response = await page.goto(address)
  const policy = response?.headers()['content-security-policy'] ?? ''
  expect(policy).toMatch(/default-src 'none'/)
  expect(policy).toMatch(/frame-ancestors 'none'/)
  expect(policy).toMatch(/form-action 'self' https:\/\/app\.example\.com/)
  expect(policy).not.toMatch(/unsafe/)
  await context.close()
})
