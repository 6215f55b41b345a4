// Which origins may call, and the database cost of unknown origins.
import { expect, test } from 'vitest'
import { atomically, forTenant } from '#db/engine/tenant'
import { claimDomain } from '#db/store/domains'
import type { RequestCtx } from '#shared/domains/context'
import { startApp } from '#tests/support/app'
import { countedDb } from '#tests/support/counted'
import { testDb } from '#tests/support/database'
import { PRODUCTION } from '#tests/support/production'
import { open } from './access.ts'
import { empty, routeFor } from './route.ts'

const route = routeFor<RequestCtx>()
const common = { access: open('A test.', { class: 'general' }), errors: [], emits: 'nothing', summary: 'A test.' } as const
const ok = { reply: empty(204), handle: async () => undefined } as const
const routes = [route({ ...common, ...ok, id: 'f.get', on: 'GET /f/thing' }), route({ ...common, ...ok, id: 'f.put', on: 'PUT /f/thing' })]
const started = startApp(routes)
const production = startApp(routes, { env: PRODUCTION })

const allowed = async (app: Awaited<typeof started>, origin: string, method = 'GET'): Promise<string | null> =>
  (await app.request('/f/thing', { method, headers: { origin } })).headers.get('access-control-allow-origin')

test.each([['https://id.example.com'], ['https://app.example.com'], ['https://other.example.org'], ['https://port.example.org:8443']])(
  'in production %s is allowed with credentials',
  async (origin) => {
    const response = await (await production).request('/f/thing', { headers: { origin } })
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-credentials': 'true',
      'access-control-expose-headers': 'X-Request-ID, Retry-After, WWW-Authenticate, DPoP-Nonce, ETag, Link',
    })
  },
)

test.each([
  ['null'],
  ['*'],
  [''],
  ['http://id.example.com'],
  ['https://id.example.com:444'],
  ['https://id.example.com/'],
  ['https://id.example.com.evil.example'],
  ['https://evil-id.example.com'],
  ['https://example.com'],
  ['https://sub.app.example.com'],
  ['https://app.example.com@evil.example'],
  ['https://evil.example#https://app.example.com'],
  ['https://evil.example?localhost'],
  ['https://localhost'],
  ['http://localhost:3000'],
  ['http://127.0.0.1'],
  ['https://localhost.evil.example'],
  ['https://APP.example.com'],
  ['https://port.example.org'],
  ['file://'],
  ['chrome-extension://abc'],
  ['https://app.example.com, https://evil.example'],
  ['https://аpp.example.com'.replace('а', 'xn--pp-7cb')],
  [`https://${'a'.repeat(300)}.example`],
])('in production %j is refused', async (origin) => {
  const app = await production
  expect(await allowed(app, origin)).toBeNull()
  expect(await allowed(app, origin, 'OPTIONS')).toBeNull()
})

test('outside production localhost is allowed on any port, and similar names are not', async () => {
  const app = await started
  for (const origin of ['http://localhost:3000', 'http://127.0.0.1:5173', 'http://[::1]:8080', 'https://localhost']) {
    expect(await allowed(app, origin)).toBe(origin)
  }
  for (const origin of ['http://localhost.evil.example', 'http://evil.example/localhost', 'http://127.0.0.1.nip.io', 'http://notlocalhost', 'null']) {
    expect(await allowed(app, origin)).toBeNull()
  }
})

test('a tenant’s verified custom domain is allowed over https on the default port; an unverified one is not', async () => {
  const app = await started
  const company = await app.company()
  const at = app.clock.now()
  const [good, bad] = [`login.${company.name}.example`, `new.${company.name}.example`]
  await atomically(forTenant(app.db, company.tenantId), async (t) => {
    await claimDomain(t, { domain: good, kind: 'custom', isVerified: true, createdAt: at })
    await claimDomain(t, { domain: bad, kind: 'custom', isVerified: false, createdAt: at })
  })
  expect(await allowed(app, `https://${good}`)).toBe(`https://${good}`)
  for (const origin of [`http://${good}`, `https://${good}:8443`, `https://sub.${good}`, `https://${good}.`, `https://${bad}`]) {
    expect(await allowed(app, origin), origin).toBeNull()
  }
})

test('a preflight is 204 and lists the allowed methods and headers', async () => {
  const response = await (await production).request('/f/thing', {
    method: 'OPTIONS',
    headers: { origin: 'https://app.example.com', 'access-control-request-method': 'POST', 'access-control-request-headers': 'x-evil' },
  })
  expect(response.status).toBe(204)
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'access-control-allow-origin': 'https://app.example.com',
    'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE, OPTIONS',
    'access-control-allow-headers':
      'Authorization, Content-Type, Accept, X-Requested-With, X-Login-Ticket, tenant_id, Client-Id, X-Client-ID, X-App-Name, DPoP, If-Match, MCP-Protocol-Version',
    'access-control-max-age': '43200',
  })
})

test('error responses carry CORS headers for allowed origins', async () => {
  const { headers, status } = await (await production).request('/nowhere', { headers: { origin: 'https://app.example.com' } })
  expect([status, headers.get('access-control-allow-origin')]).toEqual([404, 'https://app.example.com'])
})

test('unknown origins cause a bounded number of look-ups', async () => {
  const counted = countedDb((await testDb()).engine)
  const app = await startApp(routes, { env: { RATE_LIMIT: 'on' }, db: counted.db })
  const { statements } = await counted.during(async () => {
    for (let n = 0; n < 200; n++) await app.request('/f/thing', { method: 'OPTIONS', headers: { origin: `https://o${n}.example.com` } })
  })
  expect(statements).toBe(30)
  const again = await counted.during(() => app.request('/f/thing', { method: 'OPTIONS', headers: { origin: 'https://o1.example.com' } }))
  expect(again.statements).toBe(0)
})
