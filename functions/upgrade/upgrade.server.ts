// A deployment that has only the owner's login: after the upgrade the generated logins work and have exactly the rights of their roles.
import pg from 'pg'
import { afterAll, expect, test } from 'vitest'
import { openDb } from '#db/engine/client'
import { postgresEngine } from '#db/engine/postgres'
import { forTenant, SYSTEM_TENANT } from '#db/engine/tenant'
import { migrationState } from '#db/migrations/migrate'
import { MIGRATIONS } from '#db/migrations/migrations.generated'
import { findAuditEvents } from '#db/store/audit-events'
import { compose } from '#shared/domains/composition/compose'
import { systemClock } from '#shared/kernel/clock'
import { readConfig } from '#shared/kernel/config'
import { memoryLog } from '#shared/kernel/log'
import { systemRandom } from '#shared/kernel/random'
import { memoryCache } from '#shared/platform/cache/memory'
import { loadPasswordHash } from '#shared/platform/crypto/load-password-hash'
import { environmentSecrets } from '#shared/platform/secrets/environment'
import { TEST_LOGIN_PASSWORD } from '#tests/support/database'
import { upgrade } from './upgrade.ts'

const name = `authsec_upgrade_${process.pid}`
const privileged = process.env.TEST_DATABASE_URL ?? ''
const admin = new pg.Client({ connectionString: privileged })
await admin.connect()
await admin.query(`drop database if exists ${name} with (force)`)
await admin.query(`create database ${name}`)

const named = (user?: string): string => {
  const url = new URL(privileged)
  url.pathname = `/${name}`
  if (user !== undefined) {
    url.username = user
    // Roles belong to the cluster and other test files log in with them, so the password is restored.
    url.password = TEST_LOGIN_PASSWORD
  }
  return url.href
}
const SECRETS = { MASTER_KEYS: `m1:${Buffer.alloc(32, 7).toString('base64')}`, HASH_KEY: Buffer.alloc(32, 9).toString('base64') }
const env = {
  ...SECRETS,
  ENVIRONMENT: 'test',
  DATABASE_URL: named('authsec_app'),
  DATABASE_JOBS_URL: named('authsec_jobs'),
  DATABASE_OWNER_URL: named(),
  PLATFORM_ADMIN_EMAIL: 'first@upgrade.example',
}
const config = readConfig(env)
const engine = postgresEngine({ url: env.DATABASE_URL, jobsUrl: env.DATABASE_JOBS_URL, ownerUrl: env.DATABASE_OWNER_URL })
const random = systemRandom(systemClock)
const log = memoryLog(() => systemClock.now())
const ctx = await compose({
  config,
  db: openDb(engine),
  cache: memoryCache(systemClock),
  secrets: environmentSecrets(SECRETS),
  passwords: await loadPasswordHash({}),
  clock: systemClock,
  random,
  log,
  wakeOutbox: () => undefined,
})
afterAll(async () => {
  await engine.close()
  await admin.query(`drop database ${name} with (force)`)
  await admin.end()
})

test('an upgrade turns an empty database into a deployment, once: schema, logins, platform tenant and an invitation', async () => {
  const [first, again] = [await upgrade(ctx), await upgrade(ctx)]
  const all = MIGRATIONS.map(({ version }) => version)
  expect(first).toEqual({ applied: all, logins: ['authsec_app', 'authsec_jobs'], administrator: 'invited' })
  expect(again).toEqual({ applied: [], logins: ['authsec_app', 'authsec_jobs'], administrator: 'waiting' })
  expect(await migrationState(ctx.db)).toMatchObject({ lastMigration: all.at(-1) })
  const invited = await findAuditEvents(forTenant(ctx.db, SYSTEM_TENANT), { event: 'user.invited', limit: 10 })
  expect(invited).toHaveLength(1)
  expect(log.lines.join('\n')).not.toContain(TEST_LOGIN_PASSWORD)
})

test('each login has the rights of its role and no others', async () => {
  for (const user of ['authsec_app', 'authsec_jobs']) {
    const client = new pg.Client({ connectionString: named(user) })
    await client.connect()
    const { rows } = await client.query(
      'select current_user as name, rolsuper, rolbypassrls, rolcreaterole from pg_roles where rolname = current_user',
    )
    expect(rows).toEqual([{ name: user, rolsuper: false, rolbypassrls: false, rolcreaterole: false }])
    await expect(client.query('create table authsec.more (id int)')).rejects.toThrow('permission denied')
    await client.end()
  }
})
