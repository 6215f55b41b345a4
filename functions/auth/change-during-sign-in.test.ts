// A change to an account while its password is being checked ends the sign-in.
import { expect, test } from 'vitest'
import { atomically, forTenant } from '#db/engine/tenant'
import { type NewUser, updateUser } from '#db/store/users'
import { argon2Wasm } from '#shared/platform/crypto/argon2-wasm'
import { type PasswordHash, passwordHash } from '#shared/platform/crypto/password-hash'
import { type Company, PASSWORD, type Person, startApp, type TestApp } from '#tests/support/app'
import { change, configure, enrol, outcomeOf, rowOf } from '#tests/support/sign-in'
import { signUpRoutes } from '../sign-up/routes.ts'
import { authRoutes } from './routes.ts'

/** An app that runs `interrupt` between reading the hash and the result of the password check. */
const interrupted = async (interrupt: (app: TestApp) => Promise<unknown>): Promise<TestApp> => {
  const real = passwordHash({ engine: argon2Wasm })
  const passwords: PasswordHash = {
    ...real,
    verify: async (password, hash) => {
      const matches = await real.verify(password, hash)
      await interrupt(app)
      return matches
    },
  }
  const app: TestApp = await startApp([...authRoutes, ...signUpRoutes], { extra: { passwords } })
  return app
}

const originalRow = async (): Promise<Partial<NewUser>> => ({
  active: true,
  deletedAt: null,
  passwordResetRequired: false,
  validFrom: new Date('2026-03-02T09:00:00Z'),
  passwordHash: await passwordHash({ engine: argon2Wasm }).hash(PASSWORD),
})

test.each([
  ['the password is changed', { passwordHash: 'another' }],
  ['the account is disabled', { active: false }],
  ['the account is deleted', { deletedAt: new Date() }],
  ['all sign-ins are ended', { validFrom: new Date('2026-03-03T00:00:00Z') }],
  ['a reset becomes required', { passwordResetRequired: true }],
] as const)('When %s during the check, the old password is refused', async (_, set) => {
  let admin: Person | undefined
  const app = await interrupted((running) => (admin === undefined ? Promise.resolve() : change(running, admin, set)))
  admin = (await app.company()).admin
  for (const path of ['/authsec/uflow/auth/admin/login', '/authsec/uflow/login']) {
    const response = await app.request(path, { body: { email: admin.email, password: PASSWORD } })
    expect(response.headers.getSetCookie()).toEqual([])
    expect(await outcomeOf(response)).toMatchObject({ status: 401, body: { code: 'invalid_credentials' } })
    await change(app, admin, await originalRow())
  }
})

test.each([
  ['a factor is enrolled', (app: TestApp, { admin }: Company) => enrol(app, admin)],
  ['the company starts to require a second factor', (app: TestApp, company: Company) => configure(app, company, { requireSecondFactor: true })],
] as const)('When %s during the check, the password alone gets only a login ticket', async (_, interrupt) => {
  let company: Company | undefined
  const app = await interrupted((running) => (company === undefined ? Promise.resolve() : interrupt(running, company)))
  const made = await app.company()
  const signIn = async () => (await app.request('/authsec/uflow/auth/admin/login', { body: { email: made.admin.email, password: PASSWORD } })).json()
  expect(await signIn()).toHaveProperty('token')
  company = made
  expect(await signIn()).toMatchObject({ mfa_required: true, login_ticket: expect.any(String) })
})

test('Upgrading an old hash never restores a password that was changed during the check', async () => {
  let admin: Person | undefined
  const app = await interrupted((running) => (admin === undefined ? Promise.resolve() : change(running, admin, { passwordHash: 'the new one' })))
  const person = (await app.company()).admin
  const bcrypt = '$2b$04$g/UGHEdfbKrhvPD8iT0xWeZQcoZJSJOpkBdcRoI0ysP7opLeHeZJ6'
  await atomically(forTenant(app.db, person.tenantId), (t) => updateUser(t, person.id, { passwordHash: bcrypt }))
  admin = person
  await app.request('/authsec/uflow/auth/admin/login', { body: { email: person.email, password: PASSWORD } })
  expect((await rowOf(app, person))?.passwordHash).toBe('the new one')
})
