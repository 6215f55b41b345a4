import { expect, test } from 'vitest'
import { type Company, type Person, startApp, type TestApp } from '#tests/support/app'
import { countedDb } from '#tests/support/counted'
import { ownDb, testDb } from '#tests/support/database'
import { addProvider } from '#tests/support/federation'
import { addSamlProvider } from '#tests/support/saml'
import { keyPair } from '#tests/support/saml-idp'
import { bodyOf, change, outcomeOf, setStatus, verifyDomain } from '#tests/support/sign-in'
import { signUpRoutes } from '../sign-up/routes.ts'
import { authRoutes } from './routes.ts'

const PRECHECK = '/authsec/uflow/auth/admin/login/precheck'
const start = async (env: Record<string, string> = {}): Promise<{ app: TestApp; company: Company; admin: Person }> => {
  const app = await startApp([...authRoutes, ...signUpRoutes], { env })
  const company = await app.company()
  return { app, company, admin: company.admin }
}

const ANSWER = {
  exists: true,
  next_step: 'login',
  requires_password: true,
  tenant_domain: 'localhost',
  available_providers: expect.arrayContaining(['email']),
}
const BOOTSTRAP = { exists: false, next_step: 'bootstrap', requires_password: false }
const unknown = { email: 'unknown@nowhere.example' }

test.each([[{}], [{ SIGN_UP: 'invite' }], [{ SIGN_UP: 'closed' }], [{ TENANCY: 'single' }]])(
  'The precheck responds alike for every address, with the same statements (%j)',
  async (env: Record<string, string>) => {
    const counted = countedDb((await testDb()).engine)
    const app = await startApp([...authRoutes, ...signUpRoutes], { env, db: counted.db })
    const { admin } = await app.company()
    const precheck = async (body: object) => {
      let outcome: unknown
      const costs = await counted.during(async () => {
        outcome = await outcomeOf(await app.request(PRECHECK, { body }))
      })
      return { outcome, costs }
    }
    const known = await precheck({ email: admin.email })
    expect(known.outcome).toEqual({ status: 200, body: ANSWER })
    expect(await precheck(unknown)).toEqual(known)
  },
)

test('The precheck leads to sign-up at an unused sub-domain of the platform and in a deployment without an administrator', async () => {
  const { app, company, admin } = await start()
  const at = async (email: string, current_domain: string) => (await outcomeOf(await app.request(PRECHECK, { body: { email, current_domain } }))).body
  for (const { email } of [admin, unknown]) {
    expect(await at(email, `free-${company.name}.localhost`)).toEqual(BOOTSTRAP)
    for (const domain of [company.domain, 'localhost', 'unknown.example']) expect(await at(email, domain), domain).toMatchObject({ exists: true })
  }
  const closed = await start({ SIGN_UP: 'invite' })
  const body = { ...unknown, current_domain: `free-${company.name}.localhost` }
  expect((await outcomeOf(await closed.app.request(PRECHECK, { body }))).body).toMatchObject({ exists: true })
  const empty = await startApp(authRoutes, { db: await ownDb() })
  expect((await outcomeOf(await empty.request(PRECHECK, { body: unknown }))).body).toEqual(BOOTSTRAP)
  const first = await empty.company()
  for (const { email } of [first.admin, unknown])
    expect((await outcomeOf(await empty.request(PRECHECK, { body: { email } }))).body).toMatchObject({ exists: true })
})

test('With COMPATIBILITY=authsec an unknown address is sent to sign-up where companies can sign up', async () => {
  const { app, admin } = await start({ COMPATIBILITY: 'authsec' })
  const precheck = async (email: string) => outcomeOf(await app.request(PRECHECK, { body: { email } }))
  expect(await precheck(unknown.email)).toEqual({ status: 200, body: BOOTSTRAP })
  expect((await precheck(admin.email)).body).toMatchObject({ exists: true })
})

test("The precheck returns the providers of the browser's domain, alike for every address", async () => {
  const { app, company, admin } = await start({ SIGN_UP: 'invite' })
  const custom = `id.${company.name}.example`
  await verifyDomain(app, company, custom)
  const name = await addProvider(app, { issuer: 'https://id.acme.com' }, company.tenantId)
  const off = await addProvider(app, { issuer: 'https://id.acme.com', active: false }, company.tenantId)
  const platform = await addProvider(app, { issuer: 'https://id.acme.com' })
  const at = async (email: string, body: Record<string, unknown> = {}, headers: Record<string, string> = {}) =>
    (await bodyOf(await app.request(PRECHECK, { body: { email, ...body }, headers }))).available_providers
  const here = { origin: `https://${custom}` }
  expect(await at(admin.email, {}, here)).toEqual(expect.arrayContaining(['email', name, platform]))
  expect(await at(admin.email, {}, here)).not.toContain(off)
  expect(await at(admin.email, { current_domain: custom })).toContain(name)
  expect(await at(admin.email)).not.toContain(name)
  for (const [body, headers] of [
    [{}, here],
    [{ current_domain: custom }, {}],
    [{}, {}],
  ] as const) {
    expect(await at('unknown@nowhere.example', body, headers)).toEqual(await at(admin.email, body, headers))
  }
})

test('The precheck returns the verified custom domain that the browser is on', async () => {
  const { app, company, admin } = await start()
  const custom = `login.${company.name}.example`
  await verifyDomain(app, company, custom)
  const tenantDomain = async (body: Record<string, unknown>, headers: Record<string, string> = {}) =>
    (await bodyOf(await app.request(PRECHECK, { body: { email: admin.email, ...body }, headers }))).tenant_domain
  expect(await tenantDomain({}, { origin: `https://${custom}` })).toBe(custom)
  expect(await tenantDomain({ current_domain: custom })).toBe(custom)
  expect(await tenantDomain({ current_domain: 'unknown.example' })).toBe('localhost')
  expect(await tenantDomain({ current_domain: 'localhost' }, { origin: 'null' })).toBe('localhost')
})

test("The precheck returns an organisation's own providers for every address in a domain that it has proved", async () => {
  const { app, company, admin } = await start()
  const domain = `mail.${company.name}.example`
  await verifyDomain(app, company, domain)
  const precheck = async (email: string, headers: Record<string, string> = {}) => bodyOf(await app.request(PRECHECK, { body: { email }, headers }))
  const atClient = async (email: string, of: Company = company) =>
    bodyOf(await app.request('/authsec/uflow/auth/enduser/login/precheck', { body: { email, client_id: of.clientId } }))
  expect((await precheck(`unknown@${domain}`)).tenant_domain).toBe('localhost')
  expect(await atClient(`unknown@${domain}`)).not.toHaveProperty('available_providers')
  const provider = await addSamlProvider(app, company, await keyPair('provider'))
  await addSamlProvider(app, company, await keyPair('provider'), { isActive: false })
  await addProvider(app, { name: 'own', issuer: 'https://id.example' }, company.tenantId)
  await change(app, admin, { email: `admin@${domain}` })
  const available_providers = ['email', `saml-${provider.providerName}`, 'own']
  const answer = { exists: true, next_step: 'login', requires_password: true, tenant_domain: company.domain, available_providers }
  for (const name of ['admin', 'unknown']) {
    expect(await precheck(`${name}@${domain}`)).toEqual(answer)
    expect(await atClient(`${name}@${domain}`)).toMatchObject({ available_providers })
  }
  // A subdomain, another organisation's client or custom domain, and a suspended organisation return no providers.
  expect((await precheck(`unknown@sub.${domain}`)).tenant_domain).toBe('localhost')
  const globex = await app.company('globex')
  expect(await atClient(`unknown@${domain}`, globex)).not.toHaveProperty('available_providers')
  const custom = `login.${globex.name}.example`
  await verifyDomain(app, globex, custom)
  expect(await precheck(`unknown@${domain}`, { origin: `https://${custom}` })).not.toMatchObject({ available_providers })
  await setStatus(app, company, 'suspended')
  expect(await precheck(`unknown@${domain}`)).not.toMatchObject({ available_providers })
})
