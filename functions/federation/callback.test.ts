// The callback of a provider, and what it passes on.
import { beforeAll, expect, test } from 'vitest'
import { BASE, type Federation, federationBrowser, startFederation } from '#tests/support/federation'
import { bodyOf, eventsOf, textIn, verifyDomain } from '#tests/support/sign-in'
import { federationRoutes } from './routes.ts'

let world: Federation
beforeAll(async () => {
  world = await startFederation(federationRoutes, { announcesIssuer: true })
})

const entities = (text: string): string =>
  text.replaceAll('&quot;', '"').replaceAll('&amp;', '&').replaceAll('&#39;', "'").replaceAll('&lt;', '<').replaceAll('&gt;', '>')
const handedIn = (html: string): { origin: string; url: string; message: { type: string; data: Record<string, unknown> } } =>
  JSON.parse(entities(/data-answer="([^"]*)"/.exec(html)?.[1] ?? ''))

test('the response is passed as data to the origin that started; the page is not cached and works without a script', async () => {
  const { app, company, danceWith } = world
  await verifyDomain(app, company, `id.${company.name}.example`)
  const origin = `https://id.${company.name}.example`
  const browser = federationBrowser(app, origin)
  const back = await danceWith(browser, { tenant_domain: company.domain }, { sub: 'x' })
  const page = await browser.land(back)
  const text = await page.text()
  const data = { success: true, code: back.get('code'), state: back.get('state'), tenant_domain: company.domain }
  expect(handedIn(text)).toMatchObject({ origin, message: { type: 'oauth-callback', data } })
  const link = new URL(entities(/<a class="alone" href="([^"]*)"/.exec(text)?.[1] ?? ''))
  expect(link.origin + link.pathname).toBe(`${origin}/uflow/oidc/callback`)
  expect(Object.fromEntries(link.searchParams)).toEqual({ success: 'true', code: data.code, state: data.state, tenant_domain: company.domain })
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
  expect(page.headers.get('cache-control')).toBe('no-store')
  expect(page.headers.get('referrer-policy')).toBe('no-referrer')
  const policy = page.headers.get('content-security-policy') ?? ''
  const nonce = /script-src 'nonce-([^']+)'/.exec(policy)?.[1] ?? ''
  expect(policy).toContain("default-src 'none'")
  expect(policy).not.toContain('unsafe')
  expect([...text.matchAll(/<script[^>]*>/g)].map(([tag]) => tag)).toEqual([`<script nonce="${nonce}">`])
  // The script contains neither the code nor the state.
  expect(text.slice(text.indexOf('<script'))).not.toContain(data.code ?? '')
  expect(nonce).not.toBe('')
  expect((await browser.land(back)).headers.get('content-security-policy')).not.toContain(nonce)
})

test('texts of a provider are escaped', async () => {
  const { app, company, danceWith, provider } = world
  const browser = federationBrowser(app)
  const begun = await bodyOf(await browser.begin({ provider, tenant_domain: company.domain }))
  const hostile = `"></section><script>alert(1)</script>'&\u202e`
  const page = await browser.land(
    new URLSearchParams({ state: textIn(begun, 'state'), error: hostile, error_description: `${hostile}${'x'.repeat(1000)}` }),
  )
  const text = await page.text()
  expect(text).not.toContain('<script>alert')
  const { data } = handedIn(text).message
  expect(data.success).toBe(false)
  expect(String(data.description).length).toBeLessThanOrEqual(300)
  expect(String(data.description)).not.toContain('\u202e')
  // An error response ends the flow.
  const late = await danceWith(browser, { tenant_domain: company.domain }, { sub: 'x' })
  const mixed = new URLSearchParams({ code: late.get('code') ?? '', state: textIn(begun, 'state') })
  expect((await browser.exchange(mixed)).status).toBe(401)
})

test('a response of another issuer ends the flow and is in the audit log; a denial by the person is not (RFC 9207)', async () => {
  const { app, company, danceWith, provider } = world
  const browser = federationBrowser(app)
  const no = await bodyOf(await browser.begin({ provider, tenant_domain: company.domain }))
  await browser.land(new URLSearchParams({ state: textIn(no, 'state'), error: 'access_denied' }))
  expect(await eventsOf(app, company.tenantId, 'federation.callback')).toEqual([])
  const back = await danceWith(browser, { tenant_domain: company.domain }, { sub: 'x' }, { iss: 'https://evil.example' })
  expect(handedIn(await (await browser.land(back)).text()).message.data).toMatchObject({ success: false, error: 'issuer_mismatch' })
  expect(await eventsOf(app, company.tenantId, 'federation.callback')).toEqual(['refused: federation_failed'])
})

test.each(['', '?state=x', '?code=c', '?code=c&state=x', `?code=c&state=${'A'.repeat(300)}`, '?error=access_denied'])(
  'without a flow of this browser (%s) nothing is passed on',
  async (query) => {
    const page = await world.app.request(`${BASE}/callback${query}`, { headers: { 'accept-language': 'de' } })
    const text = await page.text()
    if (page.status === 200) {
      expect(text).toContain('ist abgelaufen')
      expect(text).not.toContain('<script')
    } else expect(page.status).toBe(400)
    expect(text).not.toContain('data-answer')
  },
)

test('the cookie is HttpOnly, has the __Host- prefix over TLS, and is SameSite=None only for a UI on another site', async () => {
  const { app, company, provider } = world
  await verifyDomain(app, company, `id.${company.name}.example`)
  const set = async (origin: string | undefined, secure: boolean): Promise<string> => {
    const headers = origin === undefined ? {} : { origin }
    const body = { provider, tenant_domain: company.domain }
    const [line = ''] = (await app.request(`${BASE}/initiate`, { body, headers, secure })).headers.getSetCookie()
    return line
  }
  expect(await set(undefined, true)).toMatch(/^__Host-authsec_oidc=[\w-]{43}; Path=\/; Max-Age=600; HttpOnly; SameSite=Lax; Secure$/)
  expect(await set(`https://id.${company.name}.example`, true)).toContain('SameSite=None; Secure')
  // Lax on the same host, and without TLS, where browsers reject SameSite=None.
  expect(await set('http://localhost:3000', true)).toContain('SameSite=Lax; Secure')
  expect(await set(`https://id.${company.name}.example`, false)).toMatch(/SameSite=Lax$/)
  expect(await set(undefined, false)).toMatch(/^authsec_oidc=[\w-]{43}; Path=\/; Max-Age=600; HttpOnly; SameSite=Lax$/)
})
