// Events that end a session take effect at once on the instance where they happen, and within two seconds on others.
import { expect, test } from 'vitest'
import { type Engine, openDb } from '#db/engine/client'
import { atomically, forTenant, inOtherTenant, SYSTEM_TENANT, type TenantTx } from '#db/engine/tenant'
import { setUserActive } from '#db/store/people'
import { revokeSession, revokeToken } from '#db/store/sessions'
import { endTenantSessions, setTenantStatus } from '#db/store/tenants'
import { updateUser } from '#db/store/users'
import { secondsAfter } from '#shared/kernel/clock'
import { type Company, type Person, startApp } from '#tests/support/app'
import { callerRoutes, me, startCallerApp, status } from '#tests/support/caller-routes'
import { testDb } from '#tests/support/database'

/** A separate instance on that engine, which sees only its own commits. */
const start = (engine?: Engine) => startCallerApp(engine && openDb(engine))

type Subject = { readonly company: Company; readonly pat: Person; readonly session: string; readonly token: string }
type End = (t: TenantTx, subject: Subject, at: Date) => Promise<unknown>
const sql =
  (text: string): End =>
  (t, { company }, at) =>
    t.run({ text, params: [t.tenantId, company.clientId, at.toISOString()], arrays: true })
const clients = (set: string): End => sql(`update authsec.clients set ${set} where tenant_id = $1 and id = $2 and $3::text is not null`)

const ENDS: readonly (readonly [string, End])[] = [
  ['the token is revoked', (t, { token }, at) => revokeToken(t, token, secondsAfter(at, 86_400), at)],
  ['the session is revoked', (t, { pat, session }, at) => revokeSession(t, pat.id, session, at, 'test')],
  ['the person is disabled', (t, { pat }, at) => setUserActive(t, pat.id, false, at)],
  ['the person is deleted', (t, { pat }, at) => updateUser(t, pat.id, { deletedAt: at })],
  ['all sessions of the person are ended', (t, { pat }, at) => updateUser(t, pat.id, { validFrom: at })],
  ['the client is disabled', clients('active = false')],
  ['the client is deleted', sql('update authsec.clients set deleted_at = $3 where tenant_id = $1 and id = $2')],
  ['the client row is removed', sql('delete from authsec.clients where tenant_id = $1 and id = $2 and $3::text is not null')],
  ['all sessions of the client are ended', sql('update authsec.clients set valid_from = $3 where tenant_id = $1 and id = $2')],
  ['the tenant is suspended', (t, _, at) => setTenantStatus(t, 'suspended', at)],
  ['the tenant is being deleted', (t, _, at) => setTenantStatus(t, 'deleting', at)],
  ['all sessions of the tenant are ended', (t, _, at) => endTenantSessions(t, at)],
]

test.each(ENDS)('at once on this instance, within two seconds on another: %s', async (_, end) => {
  const { engine } = await testDb()
  const [here, elsewhere] = [await start(engine), await start(engine)]
  const company = await here.company()
  const pat = await here.person(company)
  const token = await here.token(pat)
  const other = await here.token(company.admin)
  const step = (seconds: number): void => {
    here.clock.advance(seconds)
    elsewhere.clock.advance(seconds)
  }
  step(1)
  const ids = await me(here, token)
  expect(await status(elsewhere, token)).toBe(200)
  const subject = { company, pat, session: ids.session, token: ids.token }
  await atomically(forTenant(here.db, company.tenantId), (t) => end(t, subject, here.clock.now()))
  const refused = await here.request('/p/me', { token })
  expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([401, 'invalid_token'])
  step(1)
  step(1)
  expect(await status(elsewhere, token)).toBe(401)
  expect(await status(here, token)).toBe(401)
  const affectsOnlyPat = /token|session is|person/.test(_) && !/tenant|client/.test(_)
  expect(await status(here, other)).toBe(affectsOnlyPat ? 200 : 401)
})

test('a change that a transaction makes in another tenant takes effect there', async () => {
  const app = await start()
  const company = await app.company()
  const token = await app.token(company.admin)
  app.clock.advance(1)
  expect(await status(app, token)).toBe(200)
  await atomically(forTenant(app.db, SYSTEM_TENANT), (t) =>
    inOtherTenant(t, company.tenantId, (own) => setTenantStatus(own, 'suspended', app.clock.now())),
  )
  expect(await status(app, token)).toBe(401)
})

test('a session ends exactly at its idle or absolute limit', async () => {
  const app = await startApp(callerRoutes, { env: { SESSION_IDLE_SECONDS: '600', SESSION_ABSOLUTE_SECONDS: '1500' } })
  const company = await app.company()
  const [busy, idle] = [await app.token(company.admin), await app.token(company.admin)]
  app.clock.advance(599)
  expect(await status(app, busy)).toBe(200)
  app.clock.advance(1)
  expect([await status(app, busy), await status(app, idle)]).toEqual([200, 401])
  app.clock.advance(598)
  expect(await status(app, busy)).toBe(200)
  app.clock.advance(302)
  expect(await status(app, busy)).toBe(401)
})

test('a refused request does not revive an idle session', async () => {
  const app = await startApp(callerRoutes, { env: { SESSION_IDLE_SECONDS: '600' } })
  const token = await app.token((await app.company()).admin)
  app.clock.advance(601)
  expect([await status(app, token), await status(app, token)]).toEqual([401, 401])
})

test('a row read during a commit is used once and not cached', async () => {
  const { engine } = await testDb()
  let gate: Promise<void> | undefined
  let read = (): void => undefined
  const slow = await start({
    ...engine,
    one: async (scope, statement) => {
      const rows = await engine.one(scope, statement)
      if (statement.text.includes('from authsec.sessions s')) {
        read()
        await gate
      }
      return rows
    },
  })
  const company = await slow.company()
  const token = await slow.token(company.admin)
  const { session } = await me(slow, token)
  slow.clock.advance(1)
  let open = (): void => undefined
  gate = new Promise((resolve) => {
    open = resolve
  })
  const hasRead = new Promise<void>((resolve) => {
    read = resolve
  })
  const reading = status(slow, token)
  // The old row has been read before the commit.
  await hasRead
  await atomically(forTenant(slow.db, company.tenantId), (t) => revokeSession(t, company.admin.id, session, slow.clock.now(), 'test'))
  open()
  gate = undefined
  expect(await reading).toBe(200)
  expect(await status(slow, token)).toBe(401)
})

test('setting the clock back does not extend caching', async () => {
  const { engine } = await testDb()
  const [here, elsewhere] = [await start(engine), await start(engine)]
  const company = await here.company()
  const token = await here.token(company.admin)
  here.clock.advance(1)
  elsewhere.clock.advance(1)
  expect(await status(elsewhere, token)).toBe(200)
  await atomically(forTenant(here.db, company.tenantId), (t) => setTenantStatus(t, 'suspended', here.clock.now()))
  elsewhere.clock.set(secondsAfter(elsewhere.clock.now(), -5))
  expect(await status(elsewhere, token)).toBe(401)
})
