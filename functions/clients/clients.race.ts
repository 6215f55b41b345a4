// Concurrent changes of clients and domains. Needs a PostgreSQL server, because the embedded engine has one connection.
import { expect, test } from 'vitest'
import { isUniqueViolation } from '#db/engine/client'
import { atomically, directory, forTenant } from '#db/engine/tenant'
import { countClients } from '#db/store/client-list'
import { findClient, insertClient } from '#db/store/clients'
import { type Domain, findTenantByDomain, listDomains } from '#db/store/domains'
import { updateTenantSettings } from '#db/store/tenants'
import { addClient, addDomain } from '#tests/support/administration'
import { startApp } from '#tests/support/app'
import { adminRoutes } from '../admin/routes.ts'
import { rolesRoutes } from '../roles/routes.ts'
import { tenantsRoutes } from '../tenants/routes.ts'
import { clientsRoutes } from './routes.ts'

const TIMES = 20
const times = <T>(work: (n: number) => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: TIMES }, (_, n) => work(n)))
const tally = (statuses: readonly number[]): Readonly<Record<string, number>> =>
  Object.fromEntries([...new Set(statuses)].map((status) => [status, statuses.filter((one) => one === status).length]))

test('20 concurrent creations under one name get distinct service accounts and stay within the quota', async () => {
  const app = await startApp(clientsRoutes)
  const company = await app.company()
  const t = forTenant(app.db, company.tenantId)
  await atomically(t, (tx) => updateTenantSettings(tx, { quotas: { clients: 11 } }, app.clock.now()))
  const token = await app.token(company.admin)
  const path = `/authsec/clientms/tenants/${company.tenantId}/clients/create`
  const answers = await times((n) => app.request(path, { token, body: { name: 'Shop', email: `shop-${n}@acme.example` } }))
  expect(tally(answers.map(({ status }) => status))).toEqual({ 201: 10, 429: 10 })
  const ids = await Promise.all(answers.filter(({ status }) => status === 201).map(async (answer) => (await answer.json()).client_id))
  const accounts = await Promise.all(ids.map(async (id) => (await findClient(t, id))?.serviceAccountId))
  expect(new Set(accounts).size).toBe(10)
  expect(await countClients(t, {})).toBe(11)
})

test('a tenant has one default client under concurrent insertions', async () => {
  const app = await startApp(clientsRoutes)
  const company = await app.company()
  const t = forTenant(app.db, company.tenantId)
  const at = app.clock.now()
  const added = await times(() =>
    atomically(t, (tx) =>
      insertClient(tx, { id: app.ctx.random.id(), name: 'Default client', isDefault: true, validFrom: at, createdAt: at, updatedAt: at }),
    ).then(
      () => 'added',
      (error: unknown) => (isUniqueViolation(error) ? 'refused' : String(error)),
    ),
  )
  expect(new Set(added)).toEqual(new Set(['refused']))
})

test('one of 20 concurrent rotations succeeds, and the previous secret stays valid', async () => {
  const app = await startApp(clientsRoutes)
  const company = await app.company()
  const made = await addClient(app, company, { name: 'Shop' })
  const token = await app.token(company.admin)
  const answers = await times(() => app.request(`/clients/${made.client_id}/rotate-secret`, { token, body: {} }))
  expect(tally(answers.map(({ status }) => status))).toEqual({ 200: 1, 409: 19 })
  const { authenticateSdkClient } = await import('#shared/domains/clients/secrets')
  expect(await authenticateSdkClient(app.ctx, made.sdk_client_id ?? '')).toMatchObject({ clientId: made.client_id })
})

test('concurrent removals, rotations and status changes of a client never deadlock', async () => {
  const app = await startApp(clientsRoutes)
  const company = await app.company()
  const made = await addClient(app, company, { name: 'Shop' })
  const token = await app.token(company.admin)
  const base = `/authsec/clientms/tenants/${company.tenantId}/clients`
  const body = { tenant_id: company.tenantId, client_id: made.client_id }
  const kinds = [
    () => app.request(`/clients/${made.client_id}/rotate-secret`, { token, body: { overlap_seconds: 0 } }),
    () => app.request(`${base}/${made.client_id}/deactivate`, { token, method: 'PATCH' }),
    () => app.request(`${base}/${made.client_id}/activate`, { token, method: 'PATCH' }),
    () => app.request(`${base}/delete-complete`, { token, body }),
  ]
  const answers = await times((n) => (kinds[n % kinds.length] ?? kinds[3])?.() ?? Promise.reject(new Error('none')))
  for (const { status } of answers) expect([200, 404]).toContain(status)
  expect(await findClient(forTenant(app.db, company.tenantId), made.client_id)).toBeUndefined()
})

test('of ten tenants that verify one domain concurrently, one owns it', async () => {
  const app = await startApp([...adminRoutes, ...rolesRoutes, ...tenantsRoutes] as never)
  const name = `d-${app.ctx.random.id().slice(-12)}.com`
  const companies = await Promise.all(Array.from({ length: 10 }, (_, n) => app.company(`c${n}`)))
  const claims = await Promise.all(
    companies.map(async (company) => ({ company, domain: await addDomain(app, company, name), token: await app.token(company.admin) })),
  )
  app.dns.set(
    `_authsec-challenge.${name}`,
    claims.map(({ domain }) => `authsec-domain-verification=${domain.verificationToken}`),
  )
  const statuses = await Promise.all(
    claims.flatMap(({ company, domain, token }) =>
      [1, 2].map(
        async () =>
          (await app.request(`/authsec/uflow/admin/tenants/${company.tenantId}/domains/${domain.id}/verify`, { token, method: 'POST' })).status,
      ),
    ),
  )
  expect(statuses.filter((status) => status === 200)).toHaveLength(1)
  for (const status of statuses) expect([200, 400, 409]).toContain(status)
  const holder = await findTenantByDomain(directory(app.db), name)
  for (const { company } of claims) {
    const [row] = (await listDomains(forTenant(app.db, company.tenantId), new Date(0))).filter(({ domain }) => domain === name)
    expect(row?.isVerified).toBe(company.tenantId === holder)
  }
})

test('concurrent changes of the primary domain leave one primary', async () => {
  const app = await startApp([...adminRoutes, ...rolesRoutes, ...tenantsRoutes] as never)
  const company = await app.company()
  const token = await app.token(company.admin)
  const { proveDomain } = await import('#tests/support/administration')
  const domains: Domain[] = []
  for (let n = 0; n < 3; n++) {
    const domain = await addDomain(app, company, `p${n}-${app.ctx.random.id().slice(-12)}.com`)
    await proveDomain(app, company, domain.id)
    domains.push(domain)
  }
  const answers = await times((n) =>
    app.request(`/authsec/uflow/admin/tenants/${company.tenantId}/domains/${domains[n % 3]?.id}/set-primary`, { token, method: 'POST' }),
  )
  expect(tally(answers.map(({ status }) => status))).toEqual({ 200: TIMES })
  const rows = await listDomains(forTenant(app.db, company.tenantId), new Date(0))
  expect(rows.filter(({ isPrimary }) => isPrimary)).toHaveLength(1)
})
