// A deployment restored from a dump: in a new database, with the same keys, people sign in, the audit log is readable, and row level security is active.
import { execFileSync } from 'node:child_process'
import pg from 'pg'
import { expect, test } from 'vitest'
import { openDb } from '#db/engine/client'
import { postgresEngine } from '#db/engine/postgres'
import { forTenant } from '#db/engine/tenant'
import { migrate } from '#db/migrations/migrate'
import { findAuditEvents } from '#db/store/audit-events'
import { countUnrecordedSessions } from '#db/store/audit-gap'
import { presentEvents } from '#shared/domains/audit/presentation'
import { authRoutes } from '../functions/auth/routes.ts'
import { PASSWORD, startApp } from './support/app.ts'
import { ownDatabase, TEST_LOGIN_PASSWORD } from './support/database.ts'

const named = (url: string, database: string, user?: string): string => {
  const out = new URL(url)
  out.pathname = `/${database}`
  if (user !== undefined) {
    out.username = user
    out.password = TEST_LOGIN_PASSWORD
  }
  return out.href
}

test('a restored database has the state of the dumped deployment', async () => {
  const { db, url } = await ownDatabase()
  const privileged = process.env.TEST_DATABASE_URL
  if (url === undefined || privileged === undefined) throw new Error('TEST_DATABASE_URL must be set')
  const app = await startApp(authRoutes, { db })
  const [acme, globex] = [await app.company('acme'), await app.company('globex')]
  const signIn = (at: typeof app, company: typeof acme) =>
    at.request('/authsec/uflow/auth/admin/login', { body: { email: company.admin.email, password: PASSWORD, tenant_domain: company.domain } })
  expect((await signIn(app, acme)).status).toBe(200)
  const recorded = await app.events(acme.tenantId)

  const name = `authsec_restored_${process.pid}`
  const admin = new pg.Client({ connectionString: privileged })
  await admin.connect()
  await admin.query(`drop database if exists ${name} with (force)`)
  await admin.query(`create database ${name}`)
  const dump = execFileSync('pg_dump', ['--no-owner', '--format=plain', url], { maxBuffer: 1 << 28 })
  execFileSync('psql', ['--quiet', '--no-psqlrc', '--set', 'ON_ERROR_STOP=1', named(url, name)], {
    input: dump,
    stdio: ['pipe', 'ignore', 'inherit'],
  })
  // Restored objects belong to the role that restored them, but the upgrade runs as authsec_owner: step 3 of docs/restoring.md.
  const back = new pg.Client({ connectionString: named(url, name) })
  await back.connect()
  await back.query(`do $$ declare t record; begin
    for t in select relname, relkind from pg_class where relnamespace = 'authsec'::regnamespace and relkind in ('r', 'p', 'S') loop
      execute format('alter %s authsec.%I owner to authsec_owner', case when t.relkind = 'S' then 'sequence' else 'table' end, t.relname);
    end loop;
    for t in select oid::regprocedure as signature from pg_proc where pronamespace = 'authsec'::regnamespace loop
      execute format('alter function %s owner to authsec_owner', t.signature);
    end loop;
  end $$; alter schema authsec owner to authsec_owner`)
  await back.end()
  const engine = postgresEngine({ url: named(url, name, 'authsec_app'), jobsUrl: named(url, name, 'authsec_jobs'), ownerUrl: named(url, name) })
  try {
    const restored = openDb(engine)
    expect(await migrate(restored, app.clock.now())).toEqual([])
    const there = await startApp(authRoutes, { db: restored, start: app.clock.now().toISOString() })
    expect((await signIn(there, acme)).status).toBe(200)
    expect((await signIn(there, globex)).status).toBe(200)

    const rows = await findAuditEvents(forTenant(restored, acme.tenantId), { limit: 1000 })
    expect(rows.map(({ id }) => id)).toEqual(expect.arrayContaining(recorded.map(({ id }) => id)))
    const shown = await presentEvents(there.ctx, forTenant(restored, acme.tenantId), rows)
    expect(shown.filter(({ damaged, erased }) => damaged || erased)).toEqual([])
    expect(shown.some(({ address }) => address !== null)).toBe(true)
    expect(await countUnrecordedSessions(forTenant(restored, acme.tenantId), new Date('2000-01-01'), new Date('2100-01-01'))).toBe(0)

    const stranger = await forTenant(restored, globex.tenantId).run({
      text: 'select id from authsec.users where tenant_id = $1',
      params: [acme.tenantId],
      arrays: false,
    })
    expect(stranger).toEqual([])
    await expect(forTenant(restored, acme.tenantId).run({ text: 'delete from authsec.audit_events', params: [], arrays: false })).rejects.toThrow(
      'permission denied',
    )
  } finally {
    await engine.close()
    await admin.query(`drop database ${name} with (force)`)
    await admin.end()
  }
})
