import { expect, test } from 'vitest'
import { atomically, forTenant, SYSTEM_TENANT } from '#db/engine/tenant'
import { bindRole } from '#db/store/bindings'
import { insertUser, putAdministrator } from '#db/store/users'
import { seedTenant } from '#shared/domains/tenancy/seeds'
import { emailHash } from '#shared/platform/crypto/email-hash'
import { type Company, cookieJar, PASSWORD, startApp, type TestApp } from '#tests/support/app'
import { bodyOf, rowOf, setStatus, textIn, verifyDomain } from '#tests/support/sign-in'
import { signUpRoutes } from '../sign-up/routes.ts'
import { authRoutes } from './routes.ts'

const LOGIN = '/authsec/uflow/auth/admin/login'

/** Makes the person an administrator of another company too, under the same address and password. */
const administersToo = async (app: TestApp, first: Company, company: Company, proved: boolean): Promise<void> => {
  const row = await rowOf(app, first.admin)
  const at = app.clock.now()
  await atomically(forTenant(app.db, company.tenantId), async (t) => {
    const userId = app.ctx.random.id()
    const email = first.admin.email
    await insertUser(t, {
      id: userId,
      email,
      emailVerifiedAt: at,
      passwordHash: row?.passwordHash ?? null,
      validFrom: at,
      createdAt: at,
      updatedAt: at,
    })
    await bindRole(t, { id: app.ctx.random.id(), roleId: await seedTenant(t, app.ctx, at), userId, at })
    await putAdministrator(t, { emailHash: emailHash(app.ctx, email), userId, provedAt: proved ? at : null })
  })
}

const twoCompanies = async (proved = true) => {
  const app = await startApp([...authRoutes, ...signUpRoutes])
  const [acme, globex] = [await app.company('acme'), await app.company('globex')]
  await administersToo(app, acme, globex, proved)
  /** The tenant of the sign-in; the status where it is refused. */
  const signIn = async (more: Record<string, unknown> = {}, headers: Record<string, string> = {}): Promise<unknown> => {
    const response = await app.request(LOGIN, { body: { email: acme.admin.email, password: PASSWORD, ...more }, headers })
    app.clock.advance(1)
    return response.status === 200 ? (await bodyOf(response)).tenant_id : response.status
  }
  return { app, acme, globex, signIn }
}

test('A named domain selects the tenant, with and without the platform suffix', async () => {
  const { acme, globex, signIn } = await twoCompanies()
  expect(await signIn({ tenant_domain: globex.domain })).toBe(globex.tenantId)
  expect(await signIn({ tenant_domain: acme.name.toUpperCase() })).toBe(acme.tenantId)
  expect(await signIn({ tenant_domain: 'nowhere' })).toBe(401)
})

test("Without a named domain, or with the platform's own, the tenant used last is selected", async () => {
  const { acme, globex, signIn } = await twoCompanies()
  await signIn({ tenant_domain: globex.domain })
  expect(await signIn()).toBe(globex.tenantId)
  await signIn({ tenant_domain: acme.domain })
  expect(await signIn({ tenant_domain: 'localhost' })).toBe(acme.tenantId)
  expect(await signIn({}, { origin: 'http://localhost:3000' })).toBe(acme.tenantId)
  const ui = { origin: 'https://console.example:8443' }
  for (const tenant_domain of ['console.example', 'Console.Example:8443']) expect(await signIn({ tenant_domain }, ui)).toBe(acme.tenantId)
  expect(await signIn({ tenant_domain: 'console.example' })).toBe(401)
  expect(await signIn({ tenant_domain: 'other.example' }, ui)).toBe(401)
})

test('A tenant where the address was never verified is selected only by name', async () => {
  const { acme, globex, signIn } = await twoCompanies(false)
  await signIn({ tenant_domain: globex.domain })
  expect(await signIn()).toBe(acme.tenantId)
})

test("The browser's verified custom domain selects the tenant; a named domain takes precedence", async () => {
  const { app, acme, globex, signIn } = await twoCompanies()
  const custom = `login.${globex.name}.example`
  await verifyDomain(app, globex, custom)
  await signIn({ tenant_domain: acme.domain })
  expect(await signIn({}, { origin: `https://${custom}` })).toBe(globex.tenantId)
  expect(await signIn({ tenant_domain: custom })).toBe(globex.tenantId)
  expect(await signIn({ tenant_domain: acme.domain }, { origin: `https://${custom}` })).toBe(acme.tenantId)
  expect(await signIn({}, { origin: `https://not-${custom}` })).toBe(acme.tenantId)
})

test('A suspended tenant cannot be signed in to; the other one still can', async () => {
  const { app, acme, globex, signIn } = await twoCompanies()
  await signIn({ tenant_domain: globex.domain })
  await setStatus(app, globex, 'suspended')
  expect(await signIn({ tenant_domain: globex.domain })).toBe(401)
  expect(await signIn({ tenant_domain: acme.domain })).toBe(acme.tenantId)
})

test("A valid login ticket of the same person selects the tenant; a forged one, an expired one or another person's does not", async () => {
  const { app, acme, globex, signIn } = await twoCompanies()
  const newTicketAt = async (company: Company, email: string): Promise<string> =>
    textIn(
      await bodyOf(await app.request('/authsec/uflow/login', { body: { email, password: PASSWORD, tenant_domain: company.domain } })),
      'login_ticket',
    )
  await signIn({ tenant_domain: acme.domain })
  const transactionToken = await newTicketAt(globex, acme.admin.email)
  expect(await signIn({ login_ticket: transactionToken })).toBe(globex.tenantId)
  await signIn({ tenant_domain: acme.domain })
  expect(await signIn({}, { 'x-login-ticket': transactionToken })).toBe(globex.tenantId)
  await signIn({ tenant_domain: acme.domain })
  expect(await signIn({ login_ticket: `${globex.tenantId}.${'A'.repeat(43)}` })).toBe(acme.tenantId)
  const colleague = await app.person(globex, 'admin')
  expect(await signIn({ login_ticket: await newTicketAt(globex, colleague.email) })).toBe(acme.tenantId)
  app.clock.advance(600)
  expect(await signIn({ login_ticket: transactionToken })).toBe(acme.tenantId)
})

test('An administrator of another tenant cannot sign in to the system tenant', async () => {
  const { app, acme } = await twoCompanies()
  const jar = cookieJar()
  const body = { email: acme.admin.email, password: PASSWORD, tenant_domain: 'platform' }
  const response = await app.request(LOGIN, { body, headers: jar.header() })
  expect(response.status).toBe(401)
  expect((await app.events(SYSTEM_TENANT)).some((row) => row.reason === 'invalid_credentials')).toBe(true)
})
