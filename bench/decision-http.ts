// A decision over HTTP with the facts in PostgreSQL, against Hono with one select on the same server. Both are called without sockets, so only the
// program's own work is measured. Rate limits are off: they cost cache round trips, which are measured elsewhere.
import { createHash } from 'node:crypto'
import { Hono } from 'hono'
import pg from 'pg'
import { openDb } from '#db/engine/client'
import { postgresEngine } from '#db/engine/postgres'
import { atomically, forTenant } from '#db/engine/tenant'
import { migrate } from '#db/migrations/migrate'
import { insertClient } from '#db/store/clients'
import { insertPermission } from '#db/store/permissions'
import { insertTenant } from '#db/store/tenants'
import { compose } from '#shared/domains/composition/compose'
import { systemClock } from '#shared/kernel/clock'
import { readConfig } from '#shared/kernel/config'
import { jsonLog } from '#shared/kernel/log'
import { systemRandom } from '#shared/kernel/random'
import { memoryCache } from '#shared/platform/cache/memory'
import { loadPasswordHash } from '#shared/platform/crypto/load-password-hash'
import { group, mount } from '#shared/platform/http/mount'
import { problem } from '#shared/platform/http/problem'
import { environmentSecrets } from '#shared/platform/secrets/environment'
import { accessRoutes } from '../functions/access/routes.ts'
import { type BenchQuestion, benchQuestions, groupId, people, rows, SIZES, TENANT, userId } from './decision-company.ts'
import { alternate, report } from './measure.ts'

const NAME = 'authsec_bench_decision'
const SECRET = 'bench-secret'
const CLIENT = 'b0000000-0000-4000-8000-000000000001'
const SERVICE = 'b0000000-0000-4000-8000-000000000002'

const fresh = async (admin: string): Promise<string> => {
  const client = new pg.Client({ connectionString: admin })
  await client.connect()
  await client.query(`drop database if exists ${NAME} with (force)`)
  await client.query(`create database ${NAME}`)
  await client.end()
  const url = new URL(admin)
  url.pathname = `/${NAME}`
  return url.href
}

/** The whole company, inserted by the superuser in a few statements. */
const fill = async (pool: pg.Pool): Promise<void> => {
  const json = (value: unknown): string => JSON.stringify(value)
  const now = new Date()
  const put = (text: string, ...values: unknown[]): Promise<unknown> => pool.query(text, values)
  await put(
    `insert into authsec.users (tenant_id, id, email, valid_from, created_at, updated_at)
    select $1, (e->>0)::uuid, e->>0, $3, $3, $3 from jsonb_array_elements($2) e`,
    TENANT,
    json(people.map(({ id }) => [id])),
    now,
  )
  await put(
    `insert into authsec.groups (tenant_id, id, name, created_at, updated_at) select $1, (e->>0)::uuid, e->>0, $3, $3 from jsonb_array_elements($2) e`,
    TENANT,
    json(Array.from({ length: SIZES.groups }, (_, n) => [groupId(n)])),
    now,
  )
  await put(
    `insert into authsec.user_groups (tenant_id, user_id, group_id, created_at) select $1, (e->>0)::uuid, (e->>1)::uuid, $3 from jsonb_array_elements($2) e`,
    TENANT,
    json(people.flatMap(({ id, groups }) => groups.map((of) => [id, of]))),
    now,
  )
  await put(
    `insert into authsec.permissions (tenant_id, id, resource, action, created_at, updated_at) select $1, (e->>'id')::uuid, e->>'resource', e->>'action', $3, $3 from jsonb_array_elements($2) e`,
    TENANT,
    json([...rows.permissions, { id: SERVICE, resource: 'policy', action: 'check' }]),
    now,
  )
  await put(
    `insert into authsec.roles (tenant_id, id, name, created_at, updated_at) select $1, (e->>'id')::uuid, e->>'name', $3, $3 from jsonb_array_elements($2) e`,
    TENANT,
    json([...rows.roles, { id: SERVICE, name: 'asker' }]),
    now,
  )
  await put(
    `insert into authsec.role_permissions (tenant_id, role_id, permission_id) select $1, (e->>0)::uuid, (e->>1)::uuid from jsonb_array_elements($2) e`,
    TENANT,
    json([...rows.roles.flatMap(({ id, permissionIds }) => permissionIds.map((of) => [id, of])), [SERVICE, SERVICE]]),
  )
  await put(
    `insert into authsec.role_bindings (tenant_id, id, role_id, user_id, group_id, scope_type, scope_id, created_at)
    select $1, (e->>'id')::uuid, (e->>'roleId')::uuid, case when e->>'holderKind' = 'user' then (e->>'holderId')::uuid end,
      case when e->>'holderKind' = 'group' then (e->>'holderId')::uuid end, e->>'scopeType', (e->>'scopeId')::uuid, $3
    from jsonb_array_elements($2) e on conflict do nothing`,
    TENANT,
    json(rows.bindings),
    now,
  )
  await put(
    `insert into authsec.service_accounts (tenant_id, id, name, created_at, updated_at) values ($1, $2, 'asker', $3, $3)`,
    TENANT,
    SERVICE,
    now,
  )
  await put(
    `insert into authsec.role_bindings (tenant_id, id, role_id, service_account_id, created_at) values ($1, $2, $2, $2, $3)`,
    TENANT,
    SERVICE,
    now,
  )
  await put('analyze')
}

const question = ({ principal, question: { resource, action } }: BenchQuestion, principalId = principal.id): string =>
  JSON.stringify({ subject: { type: 'user', id: principalId }, action: { name: action }, resource: { type: resource, id: 'any' } })

export const overHttp = async (admin: string): Promise<void> => {
  const url = await fresh(admin)
  const clock = systemClock
  const random = systemRandom(clock)
  const engine = postgresEngine({ url })
  let statements = 0
  const db = openDb({
    ...engine,
    one: (scope, statement) => {
      statements++
      return engine.one(scope, statement)
    },
  })
  await migrate(db, clock.now())
  const at = clock.now()
  await atomically(forTenant(db, TENANT), (t) => insertTenant(t, { name: 'Bench', email: null, domain: 'bench.localhost', at }))
  const pool = new pg.Pool({ connectionString: url, max: 10 })
  await fill(pool)
  const secretHash = createHash('sha256').update(SECRET).digest()
  await atomically(forTenant(db, TENANT), (t) =>
    insertClient(t, { id: CLIENT, name: 'asker', serviceAccountId: SERVICE, secretHash, validFrom: at, createdAt: at, updatedAt: at }),
  )

  const secret = (): string => Buffer.from(random.bytes(32)).toString('base64')
  const secrets: Readonly<Record<string, string>> = { MASTER_KEYS: `m1:${secret()}`, HASH_KEY: secret() }
  const config = readConfig({ ENVIRONMENT: 'test', RATE_LIMIT: 'off' })
  const passwords = await loadPasswordHash({})
  const ctx = await compose({
    config,
    db,
    cache: memoryCache(clock),
    secrets: environmentSecrets(secrets),
    passwords,
    clock,
    random,
    log: jsonLog(
      () => undefined,
      () => clock.now(),
    ),
    wakeOutbox: () => undefined,
  })
  const app = mount(ctx, [group({ routes: accessRoutes, ctx, render: problem })])

  const floor = new Hono()
  const TEXT = 'select active, deleted_at from authsec.users where tenant_id = $1 and id = $2'
  floor.post('/access/v1/evaluation', async (c) => {
    const body = (await c.req.json()) as { subject: { id: string } }
    const { rows: found } = await pool.query({ name: 'one', text: TEXT, values: [TENANT, body.subject.id] })
    return c.json({ decision: found.length === 1 })
  })

  const headers = { 'content-type': 'application/json', authorization: `Basic ${Buffer.from(`${CLIENT}:${SECRET}`).toString('base64')}` }
  const post = async (to: { request: typeof app.request }, body: string): Promise<unknown> => {
    const sent = { ...headers, 'content-length': String(Buffer.byteLength(body)) }
    const response = await to.request(
      '/access/v1/evaluation',
      { method: 'POST', headers: sent, body },
      { peer: { address: '192.0.2.1', secure: false } },
    )
    if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`)
    return response.json()
  }
  const ask = (n: number): BenchQuestion => benchQuestions[n % benchQuestions.length] as BenchQuestion
  const cold = (n: number): string => userId((n * 7919) % SIZES.people)
  const contenders = [
    { name: 'Hono + one select', run: (n: number) => post(floor as never, question(ask(n), cold(n))) },
    { name: 'ours, people not in memory', run: (n: number) => post(app, question(ask(n), cold(n))) },
    { name: 'ours, person in memory', run: (n: number) => post(app, question(ask(n), userId(n % 100))) },
  ]
  for (const inFlight of [1, 32]) {
    report(`A decision over HTTP, ${inFlight} in flight`, await alternate(contenders, { operations: 1024, inFlight }), 'Hono + one select')
  }
  for (const inFlight of [1, 32]) {
    const before = statements
    for (let n = 0; n < 1024; n += inFlight) {
      await Promise.all(Array.from({ length: inFlight }, (_, i) => post(app, question(ask(n + i), userId((n + i + 50_000) % SIZES.people)))))
    }
    console.log(`Statements per decision about a person not in memory, ${inFlight} in flight: ${((statements - before) / 1024).toFixed(3)}`)
  }
  const times: number[] = []
  for (let n = 0; n < 7; n++) {
    await atomically(forTenant(db, TENANT), (t) =>
      insertPermission(t, { id: ctx.random.id(), resource: 'bench', action: `raise-${n}`, description: '' }, ctx.clock.now()),
    )
    const start = performance.now()
    await ctx.policies.load(TENANT, [])
    times.push(performance.now() - start)
  }
  times.sort((a, b) => a - b)
  console.log(
    `\nFirst decision after a change of a role: ${times[3]?.toFixed(0)} ms (median) to read and compile the company; the next ones are as above.`,
  )
  await pool.end()
  await db.engine.close()
}
