// `npm run bench:soak`: two production processes under load for SOAK_SECONDS (600) at half of this machine's saturation, while the database is killed and
// restarted, the cache is flushed, and one process is killed (kill -9) and restarted. No answer may be wrong and no acknowledged write may be lost; the output shows how
// long each recovery took. PostgreSQL and Redis are its own, in a scratch folder (root on Debian). The load has a fixed pace, so delays are counted and not left out.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import { startServers } from './soak-servers.ts'

const SECONDS = Number(process.env.SOAK_SECONDS ?? '600')
const PORTS = [7581, 7582] as const
const SECRETS = { MASTER_KEYS: `m1:${Buffer.alloc(32, 7).toString('base64')}`, HASH_KEY: Buffer.alloc(32, 9).toString('base64') }
const HOST = 'auth.example.com'
const FOLDER = join(process.cwd(), 'dist', `soak-${process.pid}`)
const PEOPLE = 40

const servers = await startServers()
// These variables are read when the modules are loaded.
process.env.TEST_DATABASE_URL = servers.databaseUrl
process.env.TEST_REDIS_URL = servers.redisUrl
const { startApp } = await import('#tests/support/app')
const { atomically, forTenant } = await import('#db/engine/tenant')
const { updateTenantSettings } = await import('#db/store/tenants')
const { ownDatabase, TEST_LOGIN_PASSWORD } = await import('#tests/support/database')
// Not a copy of the suite's template: that one does not wait for the disk, and here an acknowledged commit must survive a kill.
await (await import('#tests/support/global-setup')).prepareServer(servers.databaseUrl)
const { db, url } = await ownDatabase()
if (url === undefined) throw new Error('the database has no address')
execFileSync(process.execPath, ['--import', 'tsx', 'infra/bundle/build-server.ts', FOLDER], { stdio: 'ignore' })
const app = await startApp([], { db, env: SECRETS, start: new Date().toISOString() })
const company = await app.company('soak')
// Ten minutes of load exceed the default quotas of requests and groups.
await atomically(forTenant(db, company.tenantId), (t) =>
  updateTenantSettings(t, { quotas: { groups: 1_000_000, requestsPerMinute: 1_000_000 } }, app.clock.now()),
)
const people = await Promise.all(Array.from({ length: PEOPLE }, () => app.person(company, 'admin')))
const tokens = await Promise.all(people.map((person) => app.token(person)))
const revoked = await app.token(people[0] ?? company.admin)
const loginOf = (user: string): string => {
  const out = new URL(url)
  out.username = user
  out.password = TEST_LOGIN_PASSWORD
  return out.href
}
const env = {
  ...SECRETS,
  PATH: process.env.PATH ?? '',
  BASE_URL: `https://${HOST}`,
  DATABASE_URL: loginOf('authsec_app'),
  DATABASE_JOBS_URL: loginOf('authsec_jobs'),
  DATABASE_OWNER_URL: url,
  REDIS_URL: servers.redisUrl,
  SMTP_URL: 'smtp://127.0.0.1:1',
  SIGN_UP: 'closed',
  TRUSTED_PROXIES: '127.0.0.1',
  HOSTS: '127.0.0.1',
}

const children = new Map<number, ChildProcess>()
const begin = (port: number): void => {
  children.set(port, spawn(process.execPath, [join(FOLDER, 'server.mjs')], { env: { ...env, PORT: String(port) }, stdio: 'ignore' }))
}
const agent = new Agent({ keepAlive: true, maxSockets: 256 })
let callers = 0
type Answer = { readonly status: number; readonly text: string }
const ask = (port: number, method: string, path: string, more: { readonly token?: string; readonly body?: unknown } = {}): Promise<Answer> =>
  new Promise((resolve) => {
    const body = more.body === undefined ? undefined : JSON.stringify(more.body)
    const headers = {
      host: HOST,
      'x-forwarded-for': `10.${(++callers >> 16) & 255}.${(callers >> 8) & 255}.${callers & 255}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
      ...(more.token === undefined ? {} : { authorization: `Bearer ${more.token}` }),
    }
    const sent = request({ host: '127.0.0.1', port, path, method, headers, agent, timeout: 30_000 }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
      response.on('error', () => resolve({ status: 0, text: '' }))
    })
    sent.on('error', () => resolve({ status: 0, text: '' }))
    sent.on('timeout', () => sent.destroy())
    sent.end(body)
  })
const isReady = async (port: number): Promise<boolean> => (await ask(port, 'GET', '/health/ready')).status === 200
const untilReady = async (port: number): Promise<void> => {
  while (!(await isReady(port))) await wait(100)
}

/** Ports to which the balancer forwards. */
const ready = new Set<number>()
let over = false
const balancing = async (): Promise<void> => {
  while (!over) {
    for (const port of PORTS) {
      if (await isReady(port)) ready.add(port)
      else ready.delete(port)
    }
    await wait(200)
  }
}

const wrong: string[] = []
const kept: string[] = []
const failures: { readonly at: number; readonly status: number }[] = []
let answered = 0
const now = (): number => performance.now() / 1000
let turn = 0
/** One third each: a read that must be correct, a token that must be refused, a change that must persist. */
const once = async (): Promise<void> => {
  const ports = [...ready]
  const n = turn++
  const port = ports[n % ports.length]
  const token = tokens[n % tokens.length] ?? ''
  if (port === undefined) return void failures.push({ at: now(), status: 0 })
  const kind = n % 3
  const answer =
    kind === 0
      ? await ask(port, 'GET', '/account/sessions', { token })
      : kind === 1
        ? await ask(port, 'GET', '/account/sessions', { token: revoked })
        : await ask(port, 'POST', '/authsec/uflow/admin/groups', {
            token,
            body: { tenant_id: company.tenantId, groups: [`soak-${n}`] },
          })
  if (answer.status === 0 || answer.status === 503 || answer.status === 429) return void failures.push({ at: now(), status: answer.status })
  answered += 1
  if (kind === 1 ? answer.status !== 401 : answer.status > 201)
    wrong.push(`${['read', 'revoked', 'write'][kind]} ${answer.status} ${answer.text.slice(0, 160)}`)
  else if (kind === 2) kept.push(`soak-${n}`)
}

const atPace = async (perSecond: number, seconds: number): Promise<void> => {
  const running = new Set<Promise<void>>()
  const from = now()
  for (let sent = 0; now() - from < seconds; sent++) {
    const due = from + sent / perSecond
    if (due > now()) await wait((due - now()) * 1000)
    const one = once().finally(() => running.delete(one))
    running.add(one)
  }
  await Promise.all(running)
}
/** As fast as twenty callers can go, for a few seconds. */
const saturation = async (): Promise<number> => {
  const [from, before] = [now(), answered]
  const caller = async (): Promise<void> => {
    while (now() - from < 5) await once()
  }
  await Promise.all(Array.from({ length: 20 }, caller))
  return (answered - before) / (now() - from)
}

for (const port of PORTS) begin(port)
for (const port of PORTS) await untilReady(port)
await ask(PORTS[0], 'POST', '/account/sign-out', { token: revoked })
await wait(2500)
const balanced = balancing()
await wait(500)
const best = await saturation()
const pace = Math.max(1, best / 2)
console.log(`saturated at ${best.toFixed(0)} requests a second; ${SECONDS} seconds at ${pace.toFixed(0)}`)

const happenings: { readonly what: string; readonly at: number; readonly settled: number }[] = []
const happen = async (what: string, after: number, work: () => Promise<unknown>): Promise<void> => {
  await wait(after * 1000)
  const at = now()
  await work()
  happenings.push({ what, at, settled: now() })
}
await Promise.all([
  atPace(pace, SECONDS),
  happen('database: killed, and started again', SECONDS * 0.25, servers.restartDatabase),
  happen('cache: flushed', SECONDS * 0.5, servers.flushCache),
  happen('one of two processes: kill -9, and started again', SECONDS * 0.75, async () => {
    const [port] = PORTS
    children.get(port)?.kill('SIGKILL')
    begin(port)
    await untilReady(port)
  }),
])
over = true
await balanced

const client = new pg.Client({ connectionString: url })
await client.connect()
const { rows } = await client.query<{ name: string }>('select name from authsec.groups where tenant_id = $1', [company.tenantId])
await client.end()
const there = new Set(rows.map((row) => row.name))
const lost = kept.filter((group) => !there.has(group))
console.log(
  `${answered} answers, ${failures.length} answered with 429 or 503, or cut off, ${wrong.length} wrong, ${kept.length} changes acknowledged, ${lost.length} of them lost`,
)
for (const status of new Set(failures.map((failure) => failure.status)))
  console.log(`  ${status === 0 ? 'cut' : `told ${status}`}: ${failures.filter((failure) => failure.status === status).length}`)
for (const { what, at } of happenings) {
  const until = at + SECONDS * 0.2
  const after = failures.filter((failure) => failure.at >= at && failure.at < until)
  const last = after.at(-1)
  console.log(`  ${what}: ${after.length} failed, the last ${last === undefined ? 0 : (last.at - at).toFixed(1)} s after it began`)
}
for (const text of [...new Set(wrong)].slice(0, 10)) console.log(`  wrong: ${text}`)

for (const child of children.values()) child.kill('SIGKILL')
await db.engine.close()
await servers.stop()
rmSync(FOLDER, { recursive: true, force: true })
process.exit(wrong.length + lost.length > 0 || answered === 0 ? 1 : 0)
