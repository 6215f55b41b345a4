// `npm run bench:read`: one row by key under row level security, against the bare driver on the same PostgreSQL; with 1, 100 and 10,000 tenants.
// Needs TEST_DATABASE_URL: `eval "$(scripts/services.sh)"`.
import pg from 'pg'
import { openDb } from '#db/engine/client'
import { postgresEngine } from '#db/engine/postgres'
import { asTenantId, atomically, forTenant, type TenantId } from '#db/engine/tenant'
import { migrate } from '#db/migrations/migrate'
import { insertTenant } from '#db/store/tenants'
import { findUser, insertUser } from '#db/store/users'
import { systemClock } from '#shared/kernel/clock'
import { systemRandom } from '#shared/kernel/random'
import { alternate, report } from './measure.ts'

const admin = process.env.TEST_DATABASE_URL
if (admin === undefined) throw new Error('TEST_DATABASE_URL must be set: eval "$(scripts/services.sh)"')
const NAME = 'authsec_bench_read'
const first = new pg.Client({ connectionString: admin })
await first.connect()
await first.query(`drop database if exists ${NAME} with (force)`)
await first.query(`create database ${NAME}`)
await first.end()
const url = new URL(admin)
url.pathname = `/${NAME}`

const clock = systemClock
const random = systemRandom(clock)
const db = openDb(postgresEngine({ url: url.href }))
await migrate(db, clock.now())

const people: { readonly tenantId: TenantId; readonly id: string }[] = []
const grow = async (to: number): Promise<void> => {
  while (people.length < to) {
    const tenantId = asTenantId(random.id())
    const id = random.id()
    const at = clock.now()
    await atomically(forTenant(db, tenantId), async (t) => {
      await insertTenant(t, { name: 'Acme', email: null, domain: `${tenantId}.bench`, at })
      await insertUser(t, { id, email: `ana@${tenantId}.bench`, validFrom: at, createdAt: at, updatedAt: at })
    })
    people.push({ tenantId, id })
  }
}
const person = (n: number) => {
  const found = people[(n * 7919) % people.length]
  if (found === undefined) throw new Error('no such person')
  return found
}

const bare = new pg.Pool({ connectionString: url.href, max: 10 })
const TEXT = 'select * from authsec.users where tenant_id = $1 and id = $2'
const interactive = async (tenantId: string, id: string): Promise<unknown> => {
  const client = await bare.connect()
  try {
    await client.query('begin')
    await client.query(`select set_config('role', 'authsec_app', true), set_config('app.tenant_id', $1, true)`, [tenantId])
    const { rows } = await client.query({ name: 'read', text: TEXT, values: [tenantId, id] })
    await client.query('commit')
    return rows[0]
  } finally {
    client.release()
  }
}

for (const tenants of [1, 100, 10_000]) {
  await grow(tenants)
  await bare.query('analyze')
  const contenders = [
    {
      name: 'pg, no tenant, no transaction',
      run: (n: number) => bare.query({ name: 'plain', text: TEXT, values: [person(n).tenantId, person(n).id] }),
    },
    { name: 'pg, four round trips under row level security', run: (n: number) => interactive(person(n).tenantId, person(n).id) },
    { name: 'ours: findUser(forTenant(db, tenant), id)', run: (n: number) => findUser(forTenant(db, person(n).tenantId), person(n).id) },
    {
      name: 'ours, written by hand: t.run(statement)',
      run: (n: number) => forTenant(db, person(n).tenantId).run({ text: TEXT, params: [person(n).tenantId, person(n).id], arrays: true }),
    },
  ]
  report(`One row, ${tenants} tenants, one in flight`, await alternate(contenders, { operations: 500 }), 'pg, no tenant, no transaction')
  report(
    `One row, ${tenants} tenants, sixteen in flight`,
    await alternate(contenders, { operations: 1600, inFlight: 16 }),
    'pg, no tenant, no transaction',
  )
}
await bare.end()
await db.engine.close()
