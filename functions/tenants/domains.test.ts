import { expect, test } from 'vitest'
import { atomically, directory, forTenant } from '#db/engine/tenant'
import { findTenantByDomain, listDomains } from '#db/store/domains'
import { findResourceServer, findTenantOfResource } from '#db/store/resource-servers'
import { addDomain, proveDomain } from '#tests/support/administration'
import { type Company, startApp, type TestApp } from '#tests/support/app'
import { sha256 } from '#tests/support/backend'
import { newResource } from '#tests/support/oauth'
import { deleteExpired } from '../scheduled/expiry.ts'
import { tenantsRoutes } from './routes.ts'

const base = (company: Company): string => `/authsec/uflow/admin/tenants/${company.tenantId}/domains`
const unique = (app: TestApp): string => `d-${app.ctx.random.id().slice(-12)}.com`

const start = async () => {
  const app = await startApp(tenantsRoutes as never, { env: { TENANT_DOMAIN_SUFFIX: 'platform.dev', BASE_URL: 'https://id.platform.dev' } })
  const company = await app.company()
  const token = await app.token(company.admin)
  const claim = async (domain: string, by = token, of = company) => app.request(base(of), { token: by, body: { domain } })
  const act = (id: string, what: string, by = token, of = company) => app.request(`${base(of)}/${id}/${what}`, { token: by, method: 'POST' })
  return { app, company, token, claim, act }
}
const holder = (app: TestApp, domain: string) => findTenantByDomain(directory(app.db), domain)
const eventsOf = async (app: TestApp, company: Company, id: string) =>
  (await app.events(company.tenantId))
    .filter((event) => event.targetId === id)
    .map((event) => event.event)
    .toSorted()

test('a domain is verified by its DNS record', async () => {
  const { app, company, claim, act } = await start()
  const name = unique(app)
  const response = await claim(` ${name.toUpperCase()}. `)
  expect(response.status).toBe(201)
  const { domain, verification } = await response.json()
  expect(verification.token).toMatch(/^[0-9a-f]{64}$/)
  expect(verification).toMatchObject({
    method: 'dns_txt',
    txt_name: `_authsec-challenge.${name}`,
    txt_value: `authsec-domain-verification=${verification.token}`,
  })
  expect(domain).toMatchObject({ domain: name, kind: 'custom', is_verified: false, is_primary: false })
  expect(await holder(app, name)).toBeUndefined()
  app.dns.set(verification.txt_name, ['other', verification.txt_value])
  const verified = await act(domain.id, 'verify')
  expect(await verified.json()).toMatchObject({ success: true, domain: { is_verified: true, verified_at: expect.any(String) } })
  expect(await holder(app, name)).toBe(company.tenantId)
  const again = await act(domain.id, 'verify')
  expect(again.status).toBe(400)
  expect(await again.json()).toMatchObject({ code: 'domain_already_verified' })
  expect(await eventsOf(app, company, domain.id)).toEqual(['domain.claimed', 'domain.verified'])
})

test.each([
  ['none', 'There is no TXT record'],
  ['unreachable', 'did not answer'],
  [['authsec-domain-verification=', 'x'], 'none with the expected value'],
] as const)(
  'without the record (%j) the domain stays unverified; the reason is stored, but no text from the DNS is returned',
  async (answer, reason) => {
    const { app, company, claim, act } = await start()
    const { domain, verification } = await (await claim(unique(app))).json()
    app.dns.set(verification.txt_name, answer)
    const response = await act(domain.id, 'verify')
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ code: 'domain_unproved', details: expect.stringContaining(reason) })
    expect(await holder(app, domain.domain)).toBeUndefined()
    const rows = await listDomains(forTenant(app.db, company.tenantId), new Date(0))
    expect(rows.find(({ id }) => id === domain.id)).toMatchObject({
      isVerified: false,
      failureReason: typeof answer === 'string' ? answer : 'mismatch',
      lastCheckedAt: app.clock.now(),
    })
    expect(await eventsOf(app, company, domain.id)).toEqual(['domain.claimed', 'domain.verification_failed'])
  },
)

test('several tenants can claim a domain; after one verifies it, it is taken for the others', async () => {
  const { app, claim, act, company } = await start()
  const globex = await app.company('globex')
  const theirs = await app.token(globex.admin)
  const name = unique(app)
  const [mine, other] = [await (await claim(name)).json(), await (await claim(name, theirs, globex)).json()]
  expect((await claim(name)).status).toBe(409)
  app.dns.set(mine.verification.txt_name, [mine.verification.txt_value, other.verification.txt_value])
  expect((await act(other.domain.id, 'verify', theirs, globex)).status).toBe(200)
  const late = await act(mine.domain.id, 'verify')
  expect(late.status).toBe(409)
  expect(await late.json()).toMatchObject({ code: 'domain_taken' })
  expect((await listDomains(forTenant(app.db, company.tenantId), new Date(0))).find(({ id }) => id === mine.domain.id)?.isVerified).toBe(false)
  const third = await app.company('initech')
  const refused = await claim(name, await app.token(third.admin), third)
  expect(await refused.json()).toMatchObject({ code: 'domain_taken' })
  expect(await holder(app, name)).toBe(globex.tenantId)
})

test('a claim expires after seven days: hidden at once, deleted by the job, and free to claim again', async () => {
  const { app, company, claim, token } = await start()
  const name = unique(app)
  const { domain } = await (await claim(name)).json()
  app.clock.advance(7 * 24 * 3600 - 1)
  expect((await app.request(`${base(company)}/${domain.id}`, { token: await app.token(company.admin) })).status).toBe(200)
  app.clock.advance(2)
  const later = await app.token(company.admin)
  expect((await app.request(`${base(company)}/${domain.id}`, { token: later })).status).toBe(404)
  expect((await app.request(`${base(company)}/${domain.id}/verify`, { token: later, method: 'POST' })).status).toBe(404)
  await deleteExpired(app.ctx, new Date(app.clock.now().getTime() + 60_000))
  const left = await listDomains(forTenant(app.db, company.tenantId), new Date(0))
  expect(left.map(({ kind }) => kind)).toEqual(['platform_subdomain'])
  expect((await claim(name, later)).status).toBe(201)
  expect(token).not.toBe(later)
})

test.each(['', 'acme', 'a/b.com', '*.acme.com', 'acme.com\\', 'id.platform.dev', 'platform.dev', 'x.platform.dev', 'co.uk', '192.0.2.1'])(
  'refuses to claim %j',
  async (domain) => {
    const { claim } = await start()
    const response = await claim(domain)
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ code: 'invalid_request', field: 'body.domain' })
  },
)

test('one domain is primary; it must be verified, and neither it nor the platform’s own can be released', async () => {
  const { app, company, token, claim, act } = await start()
  const list = async () => (await (await app.request(base(company), { token })).json()).domains
  const [platform] = await list()
  expect(platform).toMatchObject({ domain: company.domain, kind: 'platform_subdomain', is_primary: true, is_verified: true })
  const { domain, verification } = await (await claim(unique(app))).json()
  expect(await (await act(domain.id, 'set-primary')).json()).toMatchObject({ code: 'domain_not_verified' })
  app.dns.set(verification.txt_name, [verification.txt_value])
  await act(domain.id, 'verify')
  expect((await act(domain.id, 'set-primary')).status).toBe(200)
  expect((await list()).map(({ is_primary }: { is_primary: boolean }) => is_primary)).toEqual([true, false])
  const remove = (id: string) => app.request(`${base(company)}/${id}`, { token, method: 'DELETE' })
  expect(await (await remove(domain.id)).json()).toMatchObject({ code: 'primary_domain' })
  expect(await (await remove(platform.id)).json()).toMatchObject({ code: 'platform_domain' })
  expect((await act(platform.id, 'set-primary')).status).toBe(200)
  expect((await remove(domain.id)).status).toBe(200)
  expect(await holder(app, domain.domain)).toBeUndefined()
  expect(await eventsOf(app, company, domain.id)).toEqual(['domain.claimed', 'domain.deleted', 'domain.made_primary', 'domain.verified'])
})

test('a caller with read access only does not get the proof', async () => {
  const { app, company, claim } = await start()
  const { verification, domain } = await (await claim(unique(app))).json()
  const reader = await app.token(await app.person(company, ['admin:access']))
  for (const path of [base(company), `${base(company)}/${domain.id}`]) {
    const text = await (await app.request(path, { token: reader })).text()
    expect(text).toContain(domain.domain)
    expect(text).not.toContain(verification.token)
  }
  expect(JSON.stringify(await app.events(company.tenantId))).not.toContain(verification.token)
})

test('a company can claim at most 100 names', async () => {
  const { app, company, claim } = await start()
  await atomically(forTenant(app.db, company.tenantId), (t) =>
    t.run({
      text: `insert into authsec.tenant_domains (tenant_id, id, domain, kind, verification_token, created_at, updated_at)
        select $1, gen_random_uuid(), 'd' || n || '.' || $2, 'custom', '', $3, $3 from generate_series(1, 98) n`,
      params: [company.tenantId, unique(app), app.clock.now().toISOString()],
      arrays: true,
    }),
  )
  expect((await claim(unique(app))).status).toBe(201)
  const refused = await claim(unique(app))
  expect([refused.status >= 400, (await refused.json()).code]).toEqual([true, 'domain_limit'])
  expect(await listDomains(forTenant(app.db, company.tenantId), new Date(0))).toHaveLength(100)
})

test('who proves a domain takes the identifiers of resource servers there from other companies, whose administrators are told', async () => {
  const { app, company, claim, act } = await start()
  const [squatter, branch] = [await app.company('squatter'), await app.company('branch')]
  const name = unique(app)
  const at = (host: string, of: Company) => newResource(app, of, [{ name: 'things:read' }], { origin: `https://${host}` })
  const own = await at(`own.${name}`, company)
  const taken = [
    await at(`api.${name}`, squatter),
    await at(name, squatter),
    await at(`api.${name}.`, squatter),
    await at(`api.${name}:8443`, squatter),
  ]
  const kept = [await at(`not${name}`, squatter), await at(`${name}.example.org`, squatter), await at(`api.branch.${name}`, branch)]
  await proveDomain(app, branch, (await addDomain(app, branch, `branch.${name}`)).id)
  const lost = [await at(`old.${name}`, branch)]
  const { domain, verification } = await (await claim(name)).json()
  app.dns.set(verification.txt_name, ['nothing'])
  expect((await act(domain.id, 'verify')).status).toBe(400)
  expect(await app.events(squatter.tenantId, { event: 'resource_servers.released' })).toHaveLength(0)
  app.dns.set(verification.txt_name, [verification.txt_value])
  expect((await act(domain.id, 'verify')).status).toBe(200)
  const stateOf = async (of: Company, { id }: { readonly id: string }) => (await findResourceServer(forTenant(app.db, of.tenantId), id))?.active
  const placeOf = (resource: string) => findTenantOfResource(directory(app.db), sha256(resource))
  for (const server of taken) expect([await stateOf(squatter, server), await placeOf(server.resource)]).toEqual([false, undefined])
  for (const server of lost) expect([await stateOf(branch, server), await placeOf(server.resource)]).toEqual([false, undefined])
  expect([await stateOf(company, own), await placeOf(own.resource)]).toEqual([true, company.tenantId])
  expect(await Promise.all(kept.map(({ resource }) => placeOf(resource)))).toEqual([squatter.tenantId, squatter.tenantId, branch.tenantId])
  expect(await stateOf(branch, kept[2] ?? own)).toBe(true)
  const [event, ...more] = await app.events(squatter.tenantId, { event: 'resource_servers.released' })
  expect(more).toEqual([])
  expect(event).toMatchObject({ targetId: name, actorType: 'system' })
  const [mail] = await app.mailsTo(squatter.admin.email)
  expect(mail?.text).toContain(taken[0]?.resource)
  expect(await app.mailsTo(company.admin.email)).toEqual([])
})
