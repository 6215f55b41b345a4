// `npm run bench:sign-in`: password sign-ins, each with session, audit events and token, against a plain argon2id hash and better-auth, all on the same PostgreSQL.
// Needs TEST_DATABASE_URL: `eval "$(scripts/services.sh)"`.
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import pg from 'pg'
import { openDb } from '#db/engine/client'
import { postgresEngine } from '#db/engine/postgres'
import { atomically, forTenant } from '#db/engine/tenant'
import { migrate } from '#db/migrations/migrate'
import { updateTenantSettings } from '#db/store/tenants'
import { PASSWORD, startApp } from '#tests/support/app'
import { authRoutes } from '../functions/auth/routes.ts'
import { alternate, report } from './measure.ts'

const admin = process.env.TEST_DATABASE_URL
if (admin === undefined) throw new Error('TEST_DATABASE_URL must be set: eval "$(scripts/services.sh)"')
const fresh = async (name: string): Promise<string> => {
  const client = new pg.Client({ connectionString: admin })
  await client.connect()
  await client.query(`drop database if exists ${name} with (force)`)
  await client.query(`create database ${name}`)
  await client.end()
  const url = new URL(admin)
  url.pathname = `/${name}`
  return url.href
}

const db = openDb(postgresEngine({ url: await fresh('authsec_bench_sign_in') }))
await migrate(db, new Date())
const app = await startApp(authRoutes, { db })
const company = await app.company('bench')
await atomically(forTenant(db, company.tenantId), (t) => updateTenantSettings(t, { quotas: { signInsPerMinute: 1_000_000 } }, new Date()))
const { passwords } = app.ctx
const hash = await passwords.hash(PASSWORD)

const pool = new pg.Pool({ connectionString: await fresh('authsec_bench_better_auth'), max: 10 })
const options = {
  database: pool,
  secret: 'a secret for this benchmark only, long enough',
  baseURL: 'http://localhost:3999',
  emailAndPassword: { enabled: true },
  rateLimit: { enabled: false },
  logger: { disabled: true },
} as const
await (await getMigrations(options)).runMigrations()
const peer = betterAuth(options)
await peer.api.signUpEmail({ body: { email: 'ana@acme.example', password: PASSWORD, name: 'Ana' } })

const ours = async (): Promise<void> => {
  const answer = await app.request('/authsec/uflow/auth/admin/login', { body: { email: company.admin.email, password: PASSWORD } })
  if (answer.status !== 200) throw new Error(await answer.text())
}
const theirs = async (): Promise<void> => {
  const request = new Request('http://localhost:3999/api/auth/sign-in/email', {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: 'http://localhost:3999' },
    body: JSON.stringify({ email: 'ana@acme.example', password: PASSWORD }),
  })
  const answer = await peer.handler(request)
  if (answer.status !== 200) throw new Error(await answer.text())
}

// Warms up as a running server is: code that the compiler has not optimised yet costs twice as much.
for (let n = 0; n < 50; n++) await Promise.all(Array.from({ length: 8 }, ours))

report(
  'A password sign-in, eight in flight',
  await alternate(
    [
      { name: 'argon2id only (m=19456, t=2, p=1)', run: () => passwords.verify(PASSWORD, hash) },
      { name: 'ours: session, two events, token', run: ours },
      { name: 'better-auth: session', run: theirs },
    ],
    { operations: 40, rounds: 7, inFlight: 8 },
  ),
  'argon2id only (m=19456, t=2, p=1)',
)
await pool.end()
await db.engine.close()
process.exit(0)
