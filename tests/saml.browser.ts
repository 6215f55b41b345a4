// Sign-in through a SAML identity provider in a real browser: from the button to the session, across two hosts.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { asTenantId, atomically, forTenant } from '#db/engine/tenant'
import { findDefaultClient } from '#db/store/clients'
import { insertIdentity } from '#db/store/identities'
import { findUserByEmail } from '#db/store/users'
import { createTenant } from '#shared/domains/tenancy/create-tenant'
import { bySystem } from '#shared/platform/audit/audit-log'
import { violationsOf } from './browser/axe.ts'
import { type System, startSystem } from './browser/system.ts'
import { addSamlProvider } from './support/saml.ts'
import { assertionXml, base64, keyPair, readRequest, responseXml, signedXml } from './support/saml-idp.ts'

let system: System
let idp: Server
let domain: string
const EMAIL = 'ada@saml-browser.example'
const now = new Date()
const year = 365 * 24 * 3600 * 1000

beforeAll(async () => {
  system = await startSystem()
  const { ctx } = system
  const key = await keyPair('in the browser', new Date(now.getTime() - year), new Date(now.getTime() + year))
  const tenantId = asTenantId(ctx.random.id())
  domain = `saml-${tenantId.slice(-8)}.${ctx.config.TENANT_DOMAIN_SUFFIX}`
  const t = forTenant(ctx.db, tenantId)
  const admin = { email: EMAIL, name: 'Ada', passwordHash: null, provedAt: ctx.clock.now() }
  await atomically(t, (tx) => createTenant(tx, ctx, { name: 'SAML Works', domain, actor: bySystem, admin }))
  const [client, user] = [await findDefaultClient(t), await findUserByEmail(t, EMAIL)]
  if (client === undefined || user === undefined) throw new Error('no company')
  let entityId = ''
  idp = createServer((request, response) => {
    // A browser requests more than pages.
    if (!request.url?.startsWith('/sso?')) return void response.writeHead(404).end()
    const asked = readRequest(`http://127.0.0.1${request.url}`)
    const said = {
      issuer: entityId,
      audience: asked.issuer,
      recipient: asked.acs,
      destination: asked.acs,
      inResponseTo: asked.id,
      now: ctx.clock.now(),
      nameId: 'ada',
    }
    const xml = responseXml(said, signedXml(assertionXml(said), 'Assertion', { key }))
    const fields = Object.entries({ SAMLResponse: base64(xml), RelayState: asked.relayState })
    const inputs = fields.map(([name, value]) => `<input type="hidden" name="${name}" value="${value}">`).join('')
    const page = `<!doctype html><title>IdP</title><form method="post" action="${asked.acs}">${inputs}<button>Continue</button></form>`
    response.writeHead(200, { 'content-type': 'text/html' }).end(page)
  })
  await new Promise<void>((resolve) => idp.listen(0, '127.0.0.1', resolve))
  const ssoUrl = `http://127.0.0.1:${(idp.address() as AddressInfo).port}/sso`
  const provider = await addSamlProvider({ ctx, db: ctx.db }, { tenantId, clientId: client.id }, key, { ssoUrl, providerName: 'works' })
  entityId = provider.entityId
  const at = ctx.clock.now()
  const row = { id: ctx.random.id(), userId: user.id, issuer: `saml:${entityId}`, subject: 'ada', provider: 'saml-works', isOwnProvider: true }
  await atomically(t, (tx) => insertIdentity(tx, { ...row, createdAt: at, updatedAt: at }, undefined))
})
afterAll(async () => {
  idp?.close()
  await system?.stop()
})

test.each([true, false])('from the button to the session, with scripts %s', async (javaScriptEnabled) => {
  const { page, context } = await system.open({ javaScriptEnabled })
  await page.goto(`${system.base}/signin?tenant=${domain}`)
  if (javaScriptEnabled) expect(await violationsOf(page)).toEqual([])
  await page.getByRole('link', { name: 'Continue with Acme Directory' }).click()
  await page.getByRole('button', { name: 'Continue' }).click()
  if (!javaScriptEnabled) await page.getByRole('link', { name: 'Continue' }).click()
  await page.waitForURL(`${system.base}/me`)
  expect(await page.content()).toContain(EMAIL)
  await context.close()
})

test('the intermediate page contains no personal data, and another browser cannot use the same response', async () => {
  const { page, context } = await system.open({ javaScriptEnabled: false })
  await page.goto(`${system.base}/signin/saml?tenant=${domain}&provider=works`)
  const other = await system.open({ javaScriptEnabled: false })
  await other.page.setContent(await page.content())
  await other.page.getByRole('button', { name: 'Continue' }).click()
  await other.page.waitForURL(/\/saml\/acs\//)
  expect(await other.page.textContent('h1')).toBe('Something went wrong')
  await other.context.close()
  await page.getByRole('button', { name: 'Continue' }).click()
  await page.waitForURL(/\/saml\/acs\//)
  expect(await page.textContent('h1')).toBe('You are almost signed in')
  for (const personal of [EMAIL, 'ada']) expect((await page.content()).replaceAll(/loading|adapt/g, '')).not.toContain(personal)
  expect(page.url()).not.toContain('?')
  await context.close()
})
