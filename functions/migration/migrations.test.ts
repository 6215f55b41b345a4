import { expect, test } from 'vitest'
import { openDb } from '#db/engine/client'
import { SYSTEM_TENANT } from '#db/engine/tenant'
import { migrationState } from '#db/migrations/migrate'
import { ensurePlatformAdministrator } from '#shared/domains/tenancy/system-tenant'
import { startApp, type TestApp } from '#tests/support/app'
import { testDb } from '#tests/support/database'
import { migrationRoutes } from './routes.ts'

const PREFIX = '/authsec/migration'
const platformToken = async (app: TestApp): Promise<string> => {
  const email = `platform-${app.ctx.random.id()}@example.org`
  const { userId } = await ensurePlatformAdministrator(app.ctx, { email, name: 'Pia Platform', passwordHash: null, proved: true })
  return app.token({ id: userId, email, password: '', tenantId: SYSTEM_TENANT }, ['pwd', 'otp', 'mfa'])
}
const started = async (options: Parameters<typeof startApp>[1] = {}) => {
  const app = await startApp(migrationRoutes, options)
  return { ...app, token: await platformToken(app), tokenOf: app.token }
}
type Page = { total: number; tenants: { tenant_id: string; email: string }[] }
const applied = async () => (await migrationState(await testDb())).lastMigration

test('every route requires a platform administrator: no credential is 401, a tenant administrator 403', async () => {
  const app = await startApp(migrationRoutes)
  const company = await app.company()
  const token = await app.token(company.admin)
  for (const { on } of migrationRoutes) {
    const [method = '', path = ''] = on.replace(':tenant_id', company.tenantId).split(' ')
    expect([on, (await app.request(path, { method })).status]).toEqual([on, 401])
    const refused = await app.request(path, { method, token })
    expect([on, refused.status, await refused.json()]).toEqual([on, 403, expect.objectContaining({ code: 'insufficient_scope' })])
  }
})

test('the status lists the applied migrations', async () => {
  const { request, token } = await started()
  const answer = await request(`${PREFIX}/migrations/master/status`, { token })
  expect(answer.status).toBe(200)
  const last = await applied()
  expect(await answer.json()).toEqual({
    db_type: 'master',
    last_migration: last,
    total_migrations: last,
    status: 'completed',
    last_executed: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
  })
})

test('a run without pending migrations changes nothing and is in the audit log', async () => {
  const { request, token, events, ctx } = await started()
  const before = (await events(SYSTEM_TENANT, { event: 'migration.run' })).filter(({ event }) => event === 'migration.run').length
  const answer = await request(`${PREFIX}/migrations/master/run`, { method: 'POST', token })
  expect(answer.status).toBe(200)
  expect(await answer.json()).toMatchObject({
    message: 'No migration was pending.',
    status: { status: 'completed', last_migration: await applied() },
  })
  const runs = (await events(SYSTEM_TENANT, { event: 'migration.run' })).filter(({ event }) => event === 'migration.run')
  expect(runs).toHaveLength(before + 1)
  for (const run of runs) expect(run).toMatchObject({ outcome: 'success', actorType: 'user', targetType: 'database', targetId: 'master' })
  expect((await migrationState(ctx.db)).lastMigration).toBe(await applied())
})

test('without the right to change the schema a run is refused with advice, and the refusal is in the audit log', async () => {
  const engine = (await testDb()).engine
  const denied = Object.assign(new Error('permission denied for schema authsec'), { code: '42501' })
  /** A database with a pending migration, seen by a process that runs as the application role. */
  const behind = openDb({
    ...engine,
    one: async (scope, statement) => {
      const rows = await engine.one(scope, statement)
      return statement.text.includes('max(version)') ? rows.map(() => ({ last: 0, at: null })) : rows
    },
    script: () => Promise.reject(denied),
  })
  const { request, token, events } = await started({ db: behind })
  const answer = await request(`${PREFIX}/migrations/master/run`, { method: 'POST', token })
  expect(answer.status).toBe(500)
  const body = await answer.json()
  expect(body).toMatchObject({ code: 'migration_failed', details: expect.stringContaining('npm run db:migrate') })
  expect(JSON.stringify(body)).not.toContain('permission denied')
  const refused = (await events(SYSTEM_TENANT, { targetId: 'migration.run' })).filter(({ reason }) => reason === 'migration_failed')
  expect(refused).toMatchObject([{ event: 'request.refused', outcome: 'refused', targetId: 'migration.run', actorType: 'user' }])
  const status = await request(`${PREFIX}/migrations/master/status`, { token })
  expect(await status.json()).toMatchObject({ status: 'pending', last_migration: 0, last_executed: null })
})

test('tenants are listed oldest first, by page, without the system tenant', async () => {
  const app = await started()
  const earlier = await startApp(migrationRoutes, { start: '2001-01-01T00:00:00.000Z' })
  const first = await earlier.company('first')
  earlier.clock.advance(1)
  const second = await earlier.company('second')
  const page = async (query: string): Promise<Page> => (await app.request(`${PREFIX}/tenants${query}`, { token: app.token })).json()
  const all = await page('')
  expect(all.tenants.length).toBe(Math.min(all.total, 100))
  expect(all.tenants.map(({ tenant_id }) => tenant_id)).not.toContain(SYSTEM_TENANT)
  expect(all.tenants.slice(0, 2)).toEqual(
    [first, second].map(({ tenantId, domain, admin }) => ({
      tenant_id: tenantId,
      email: admin.email,
      tenant_domain: domain,
      database_name: '',
      migration_status: 'completed',
      last_migration: expect.any(Number),
    })),
  )
  expect((await page('?page=2&limit=1')).tenants).toMatchObject([{ tenant_id: second.tenantId }])
  expect(await page('?page=100000&limit=100')).toEqual({ total: all.total, tenants: [] })
  for (const bad of ['?limit=101', '?limit=0', '?page=0', '?page=x']) {
    expect([bad, (await app.request(`${PREFIX}/tenants${bad}`, { token: app.token })).status]).toEqual([bad, 400])
  }
})

test('the status of a tenant is that of the deployment; an unknown id is 404, a malformed id 400', async () => {
  const app = await started()
  const { tenantId } = await app.company()
  const get = (id: string) => app.request(`${PREFIX}/tenants/${id}/migrations/status`, { token: app.token })
  const found = await get(tenantId.toUpperCase())
  expect([found.status, await found.json()]).toEqual([200, { tenant_id: tenantId, migration_status: 'completed', last_migration: await applied() }])
  const unknown = await get(app.ctx.random.id())
  expect([unknown.status, await unknown.json()]).toEqual([404, expect.objectContaining({ code: 'not_found' })])
  expect((await get('1')).status).toBe(400)
})

test('routes for a database per tenant answer that it is unsupported, and what to do instead', async () => {
  const app = await started()
  const { tenantId } = await app.company()
  for (const path of ['create-db', 'create-from-template', 'migrate-all', `${tenantId}/migrations/run`]) {
    const answer = await app.request(`${PREFIX}/tenants/${path}`, { token: app.token, body: { tenant_id: tenantId } })
    expect([path, answer.status]).toEqual([path, 503])
    expect(await answer.json()).toMatchObject({
      code: 'separate_databases_unsupported',
      error: expect.any(String),
      hint: expect.stringContaining('master/run'),
    })
  }
  const template = await app.request(`${PREFIX}/tenants/template-status`, { token: app.token })
  expect([template.status, await template.json()]).toEqual([200, { template_name: '', ready: false }])
})
