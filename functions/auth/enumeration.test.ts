// A caller without the right password learns nothing: not from the response, the number of hashes computed or the number of statements sent.
import { expect, test } from 'vitest'
import { PASSWORD, type Person, startApp, type TestApp } from '#tests/support/app'
import { testDb } from '#tests/support/database'
import { change, countingDb, outcomeOf, setStatus } from '#tests/support/sign-in'
import { signUpRoutes } from '../sign-up/routes.ts'
import { userSignInRoutes } from '../user-sign-in/routes.ts'
import { authRoutes } from './routes.ts'

const ADMIN = '/authsec/uflow/auth/admin/login'
const PATHS = [ADMIN, '/authsec/uflow/auth/admin/login-hybrid', '/authsec/uflow/login']
const GENERIC = { status: 401, body: { error: 'Invalid credentials', message: 'Invalid credentials', code: 'invalid_credentials' } }

type Try = { readonly outcome: unknown; readonly cookies: readonly string[]; readonly hashes: number; readonly statements: number }

const start = async () => {
  const counting = countingDb(await testDb())
  const app = await startApp([...authRoutes, ...signUpRoutes, ...userSignInRoutes] as never, { db: counting.db })
  const attempt = async (path: string, body: unknown): Promise<Try> => {
    const [hashes, statements] = [app.ctx.passwords.computed(), counting.statements()]
    const response = await app.request(path, { body })
    return {
      outcome: await outcomeOf(response),
      cookies: response.headers.getSetCookie().map((line) => line.replace(/=[^;]*/, '')),
      hashes: app.ctx.passwords.computed() - hashes,
      statements: counting.statements() - statements,
    }
  }
  return { app, attempt }
}

const lock = (app: TestApp, person: Person): Promise<boolean> =>
  change(app, person, { failedAttempts: 5, lockedUntil: new Date(app.clock.now().getTime() + 60_000) })

test('The administrator entry points respond alike to unknown, wrong, locked, disabled, suspended, wrong tenant and no administrator', async () => {
  const { app, attempt } = await start()
  const [acme, globex, suspendedCompany] = [await app.company(), await app.company('globex'), await app.company('gone')]
  const [locked, disabled, user] = [await app.person(acme, 'admin'), await app.person(acme, 'admin'), await app.person(acme)]
  const removed = await app.person(acme, 'admin')
  await lock(app, locked)
  await change(app, disabled, { active: false })
  await change(app, removed, { deletedAt: app.clock.now() })
  await setStatus(app, suspendedCompany, 'suspended')
  const cases: Record<string, Record<string, string>> = {
    wrong: { email: acme.admin.email, password: 'wrong', tenant_domain: acme.domain },
    unknown: { email: 'unknown@nowhere.example', password: 'wrong', tenant_domain: acme.domain },
    'unknown, with no tenant named': { email: 'unknown@nowhere.example', password: 'wrong' },
    'locked, right password': { email: locked.email, password: PASSWORD, tenant_domain: acme.domain },
    'locked, wrong password': { email: locked.email, password: 'wrong', tenant_domain: acme.domain },
    disabled: { email: disabled.email, password: PASSWORD, tenant_domain: acme.domain },
    removed: { email: removed.email, password: PASSWORD, tenant_domain: acme.domain },
    suspended: { email: suspendedCompany.admin.email, password: PASSWORD, tenant_domain: suspendedCompany.domain },
    'another tenant': { email: acme.admin.email, password: PASSWORD, tenant_domain: globex.domain },
    'an unknown tenant': { email: acme.admin.email, password: PASSWORD, tenant_domain: 'nowhere' },
    'no administrator': { email: user.email, password: PASSWORD, tenant_domain: acme.domain },
  }
  for (const path of PATHS) {
    for (const [name, body] of Object.entries(cases)) {
      const result = await attempt(path, body)
      expect(result, `${path}: ${name}`).toMatchObject({ outcome: GENERIC, cookies: [], hashes: 1 })
    }
  }
})

test('The end-user login responds alike to unknown, wrong, locked, disabled, suspended, wrong tenant, synced and unknown client', async () => {
  const { app, attempt } = await start()
  const [acme, globex, suspendedCompany] = [await app.company(), await app.company('globex'), await app.company('gone')]
  const people = [
    await app.person(acme),
    await app.person(acme),
    await app.person(acme),
    await app.person(acme),
    await app.person(suspendedCompany),
  ] as const
  const [person, locked, disabled, synced, suspended] = people
  await lock(app, locked)
  await change(app, disabled, { active: false })
  await change(app, synced, { provider: 'ad_sync', isSyncedUser: true, passwordHash: null })
  await setStatus(app, suspendedCompany, 'suspended')
  const cases: Record<string, Record<string, string>> = {
    wrong: { email: person.email, password: 'wrong', client_id: acme.clientId },
    unknown: { email: 'unknown@nowhere.example', password: 'wrong', client_id: acme.clientId },
    locked: { email: locked.email, password: PASSWORD, client_id: acme.clientId },
    disabled: { email: disabled.email, password: PASSWORD, client_id: acme.clientId },
    synced: { email: synced.email, password: PASSWORD, client_id: acme.clientId },
    suspended: { email: suspended.email, password: PASSWORD, client_id: suspendedCompany.clientId },
    'another tenant': { email: person.email, password: PASSWORD, client_id: globex.clientId },
    'unknown client': { email: person.email, password: PASSWORD, client_id: person.id },
    'no client at all': { email: person.email, password: PASSWORD, client_id: 'nonsense' },
  }
  for (const [name, body] of Object.entries(cases)) {
    expect(await attempt('/authsec/uflow/user/login', body), name).toMatchObject({ outcome: GENERIC, cookies: [], hashes: 1 })
  }
})

test('Unknown, wrong and locked send the same number of statements', async () => {
  const { app, attempt } = await start()
  const acme = await app.company()
  const [known, locked] = [await app.person(acme, 'admin'), await app.person(acme, 'admin')]
  await lock(app, locked)
  const entryPoints = [
    { path: ADMIN, named: { tenant_domain: acme.domain } },
    { path: '/authsec/uflow/user/login', named: { client_id: acme.clientId } },
  ]
  for (const { path, named } of entryPoints) {
    const login = (email: string) => attempt(path, { email, password: 'wrong', ...named })
    // The first calls create and fetch the keys that seal audit records; later calls reuse them.
    for (const email of ['first@nowhere.example', known.email, locked.email, known.email, locked.email]) await login(email)
    const costs = [await login('unknown@nowhere.example'), await login(known.email), await login(locked.email)].map(({ statements }) => statements)
    expect(new Set(costs).size, `${path}: ${costs}`).toBe(1)
  }
})

test('A password reset costs and returns the same for known and unknown addresses', async () => {
  const { app, attempt } = await start()
  const acme = await app.company()
  const person = await app.person(acme)
  const entryPoints = [
    { path: '/authsec/uflow/auth/admin/forgot-password', named: {}, known: acme.admin.email },
    { path: '/authsec/uflow/auth/admin/forgot-password', named: { tenant_domain: acme.domain }, known: (await app.person(acme, 'admin')).email },
    { path: '/authsec/uflow/user/forgot-password', named: { client_id: acme.clientId }, known: person.email },
  ]
  for (const { path, named, known } of entryPoints) {
    for (const email of [(await app.person(acme, 'admin')).email, `first@${app.ctx.random.id()}.example`]) await attempt(path, { email, ...named })
    const unknown = `unknown@${app.ctx.random.id()}.example`
    const [a, b] = [await attempt(path, { email: known, ...named }), await attempt(path, { email: unknown, ...named })]
    const disclosed = (email: string, { outcome, ...rest }: Try) => ({ ...rest, outcome: JSON.stringify(outcome).replaceAll(email, '<address>') })
    expect(disclosed(known, a), path).toEqual(disclosed(unknown, b))
    expect(await app.mailsTo(unknown)).toEqual([])
    expect(await app.mailsTo(known)).toHaveLength(1)
  }
})

test('The cookie of a password reset does not disclose the tenant of the address', async () => {
  const { app } = await start()
  const acme = await app.company()
  const cookies = (await app.request('/authsec/uflow/auth/admin/forgot-password', { body: { email: acme.admin.email } })).headers.getSetCookie()
  expect(cookies.join()).not.toContain(acme.tenantId)
})

test('A sign-up with a known address costs as much as one with a new address', async () => {
  const { app, attempt } = await start()
  const acme = await app.company()
  const known = await app.person(acme)
  const path = '/authsec/uflow/user/register'
  const register = (email: string) => attempt(path, { client_id: acme.clientId, email, password: 'seven purple lanterns over water' })
  await register(`first@${app.ctx.random.id()}.example`)
  const [a, b] = [await register(known.email), await register(`new@${app.ctx.random.id()}.example`)]
  expect([a.statements, a.hashes]).toEqual([b.statements, b.hashes])
  expect((await app.mailsTo(known.email)).map(({ subject }) => subject)).toHaveLength(1)
})
