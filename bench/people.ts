// List of 100,000 people, first and hundredth page, search and total; import of 10,000. DATABASE_URL names the server; the test helpers make a database there.
import pg from 'pg'
import { atomically, forTenant } from '#db/engine/tenant'
import { useQuota } from '#db/store/tenants'
import { problem } from '#shared/platform/http/problem'
import { startApp } from '#tests/support/app'
import { testDatabase } from '#tests/support/database'
import { importPeople } from '../functions/people/import.ts'
import { peopleRoutes } from '../functions/people/routes.ts'
import { userRoutes } from '../functions/user/routes.ts'

const PEOPLE = Number(process.env.PEOPLE ?? 100_000)
const IMPORTED = Number(process.env.IMPORTED ?? 10_000)
const CHUNK = 1000
const ROUNDS = 21
const FIRST = ['Ana', 'Bo', 'Cleo', 'Dan', 'Eve', 'Finn', 'Gia', 'Hugo', 'Ida', 'Jan']
const LAST = ['Abel', 'Brandt', 'Costa', 'Diaz', 'Eriksen', 'Fabre', 'Gruber', 'Haas', 'Ivanov', 'Jensen', 'Kowalski']

const app = await startApp([...peopleRoutes, ...userRoutes], { render: problem })
const company = await app.company('bench')
const t = forTenant(app.db, company.tenantId)
const token = await app.token(company.admin)

const timed = async <T>(work: () => Promise<T>): Promise<{ ms: number; result: T }> => {
  const from = performance.now()
  const result = await work()
  return { ms: performance.now() - from, result }
}

/** Inserted by SQL, because only reading is measured. */
const fill = async (from: number): Promise<void> => {
  const name = `(array[${FIRST.map((one) => `'${one}'`).join()}])[1 + n % ${FIRST.length}] || ' ' || (array[${LAST.map((one) => `'${one}'`).join()}])[1 + n % ${LAST.length}] || ' ' || n`
  await atomically(t, async (tx) => {
    await useQuota(tx, 'users', 10_000_000, CHUNK)
    await tx.run({
      text: `with people as (
          insert into authsec.users (tenant_id, id, client_id, email, name, search_text, valid_from, created_at, updated_at)
          select $1::uuid, gen_random_uuid(), $2::uuid, 'p' || n || '@bench.example', ${name}, 'p' || n || E'@bench.example\\n' || lower(${name}) || E'\\n',
            at, at, at from (select n, now() + n * interval '1 millisecond' as at from generate_series($3::int, $4::int) n) numbered
          returning id, email, name)
        insert into authsec.user_grams (tenant_id, gram, user_id)
        select distinct $1::uuid, substr(line, i, 3), id from people, unnest(array[email, lower(name)]) line, generate_series(1, length(line) - 2) i`,
      params: [company.tenantId, company.clientId, from, from + CHUNK - 1],
      arrays: true,
    })
  })
}

const csv = `email,name,external_id\n${Array.from({ length: IMPORTED }, (_, n) => `i${n}@import.example,${FIRST[n % 10]} ${LAST[n % 11]},x${n}`).join('\n')}\n`
// Calls the rule directly: the app's clock stands still, so a request would never reach its time limit.
const caller = await app.ctx.principals.resolve(token)
const emits = ['people.imported', 'user.created', 'user.updated', 'user.email_changed', 'user.activated', 'user.deactivated'] as const
const request = {
  id: 'bench',
  address: '192.0.2.1',
  userAgent: 'bench',
  method: 'GET',
  page: '/',
  origin: undefined,
  host: 'localhost',
  place: '',
  secure: false,
  route: 'people.import',
  emits,
}
const ctx = { ...app.ctx, request: { ...request, cookie: () => undefined, header: () => undefined } }
const upload = (dryRun: boolean) => importPeople(ctx, caller, { dry_run: dryRun }, csv)
for (const [name, dryRun] of [
  [`import of ${IMPORTED}, dry`, true],
  [`import of ${IMPORTED}`, false],
  ['the same again', false],
] as const) {
  const cpu = process.cpuUsage()
  const { ms, result } = await timed(() => upload(dryRun))
  const used = process.cpuUsage(cpu)
  console.log(
    `${name.padEnd(28)} ${(ms / 1000).toFixed(1)} s, ${((used.user + used.system) / 1e6).toFixed(1)} s of CPU here  ${JSON.stringify(result.counts)}`,
  )
}

const filled = await timed(async () => {
  for (let n = 0; n < PEOPLE; n += CHUNK) await fill(n)
})
console.log(`${`${PEOPLE} people with grams`.padEnd(28)} ${(filled.ms / 1000).toFixed(1)} s`)

// As autovacuum does within a minute: until then the planner assumes an empty table and sorts a hundred thousand rows for every page.
const { url } = await testDatabase()
const owner = new pg.Client({ connectionString: url })
await owner.connect()
await owner.query('analyze authsec.users; analyze authsec.user_grams')
await owner.end()

const fresh = await app.token(company.admin)
const get = (path: string) => app.request(path, { token: fresh }).then((response) => response.json())
let cursor: string | undefined
for (let page = 1; page < 100; page++) cursor = (await get(`/people?limit=10${cursor === undefined ? '' : `&cursor=${cursor}`}`)).next
const LIST = '/authsec/uflow/user/enduser/list'
const cases: readonly (readonly [string, string])[] = [
  ['page 1 of 10', `${LIST}?limit=10`],
  ['page 100 of 10, by number', `${LIST}?limit=10&page=100`],
  ['page 100 of 100, by number', `${LIST}?limit=100&page=100`],
  ['page 1 by cursor', '/people?limit=10'],
  ['page 100 by cursor', `/people?limit=10&cursor=${cursor}`],
  ['search, one hit', '/people?search=p77777%40bench&limit=10'],
  ['search, 1 in 11', '/people?search=kowalski&limit=10'],
  ['search, everybody', '/people?search=bench.example&limit=10'],
  ['search, two letters', '/people?search=zz&limit=10'],
]
for (const [name, path] of cases) {
  const times: number[] = []
  let total = 0
  for (let n = 0; n < ROUNDS; n++) {
    const { ms, result } = await timed(() => get(path))
    times.push(ms)
    total = result.total
  }
  times.sort((a, b) => a - b)
  console.log(`${name.padEnd(28)} p50 ${times[10]?.toFixed(1)} ms  p95 ${times[19]?.toFixed(1)} ms  total ${total}`)
}
await app.db.engine.close()
process.exit(0)
