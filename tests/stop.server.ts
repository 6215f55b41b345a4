// `npm start` as it is built, twice, behind a balancer that checks readiness: one process is stopped under load, and no request is lost.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Company, PASSWORD, type Person, startApp } from './support/app.ts'
import { ownDatabase, TEST_LOGIN_PASSWORD } from './support/database.ts'

const SECRETS = { MASTER_KEYS: `m1:${Buffer.alloc(32, 7).toString('base64')}`, HASH_KEY: Buffer.alloc(32, 9).toString('base64') }
const FOLDER = join(process.cwd(), 'dist', `server-${process.pid}`)
const HOST = 'auth.example.com'
const IN_FLIGHT = 24

type Server = { readonly port: number; readonly child: ChildProcess; readonly ended: Promise<number | null>; log(): string }

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer()
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })

type Answer = { readonly status: number; readonly text: string; readonly closes: boolean }
let callers = 0
const ask = (agent: Agent, port: number, path: string, more: { readonly token?: string; readonly body?: unknown } = {}): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const body = more.body === undefined ? undefined : JSON.stringify(more.body)
    const headers = {
      host: HOST,
      // Each caller has its own address; otherwise the rate limits would be tested.
      'x-forwarded-for': `10.${(++callers >> 16) & 255}.${(callers >> 8) & 255}.${callers & 255}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
      ...(more.token === undefined ? {} : { authorization: `Bearer ${more.token}` }),
    }
    const sent = request({ host: '127.0.0.1', port, path, method: body === undefined ? 'GET' : 'POST', headers, agent }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text, closes: response.headers.connection === 'close' }))
      response.on('error', reject)
    })
    sent.on('error', reject)
    sent.end(body)
  })

const probing = new Agent({ keepAlive: false })
const isReady = (port: number): Promise<boolean> =>
  ask(probing, port, '/health/ready').then(
    ({ status }) => status === 200,
    () => false,
  )

let env: Readonly<Record<string, string>>
let company: Company
let token: string
/** Enough people that none reaches the limit of sign-ins. */
const PEOPLE = 30
let people: readonly Person[]
let stopDatabase: () => Promise<void>
const servers: Server[] = []

const loginOf = (url: string, user: string): string => {
  const out = new URL(url)
  out.username = user
  out.password = TEST_LOGIN_PASSWORD
  return out.href
}

beforeAll(async () => {
  execFileSync(process.execPath, ['--import', 'tsx', 'infra/bundle/build-server.ts', FOLDER], { stdio: 'ignore' })
  const { db, url } = await ownDatabase()
  const redis = process.env.TEST_REDIS_URL
  if (url === undefined || redis === undefined) throw new Error('TEST_DATABASE_URL and TEST_REDIS_URL must be set')
  const app = await startApp([], { db, env: SECRETS, start: new Date().toISOString() })
  company = await app.company('stop')
  people = await Promise.all(Array.from({ length: PEOPLE }, () => app.person(company, 'admin')))
  token = await app.token(await app.person(company))
  env = {
    ...SECRETS,
    PATH: process.env.PATH ?? '',
    BASE_URL: `https://${HOST}`,
    DATABASE_URL: loginOf(url, 'authsec_app'),
    DATABASE_JOBS_URL: loginOf(url, 'authsec_jobs'),
    DATABASE_OWNER_URL: url,
    REDIS_URL: redis,
    SMTP_URL: 'smtp://127.0.0.1:1',
    SIGN_UP: 'closed',
    TRUSTED_PROXIES: '127.0.0.1',
    HOSTS: '127.0.0.1',
    STOP_NOTICE_SECONDS: '2',
  }
  stopDatabase = () => db.engine.close()
}, 180_000)

afterAll(async () => {
  for (const { child } of servers) child.kill('SIGKILL')
  await stopDatabase()
  rmSync(FOLDER, { recursive: true, force: true })
})

const startServer = async (more: Readonly<Record<string, string>> = {}): Promise<Server> => {
  const port = await freePort()
  const child = spawn(process.execPath, [join(FOLDER, 'server.mjs')], {
    env: { ...env, PORT: String(port), ...more },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let written = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (written += chunk.toString('utf8')))
  const server = { port, child, ended: new Promise<number | null>((resolve) => child.once('exit', resolve)), log: () => written }
  servers.push(server)
  return server
}
const startReady = async (): Promise<Server> => {
  const server = await startServer()
  for (let tried = 0; tried < 600 && !(await isReady(server.port)); tried++) await wait(100)
  expect(await isReady(server.port), server.log()).toBe(true)
  return server
}

test('one of two processes stops under load: no request is lost, and every answered write is visible at the other', async () => {
  const [first, second] = [await startReady(), await startReady()]
  const ready = new Set([first.port, second.port])
  let over = false
  const balancing = (async () => {
    while (!over) {
      for (const { port } of [first, second]) if (!(await isReady(port))) ready.delete(port)
      await wait(100)
    }
  })()
  const agent = new Agent({ keepAlive: true, maxSockets: IN_FLIGHT })
  const served = new Map<number, number>()
  const lost: string[] = []
  const tokens: string[] = []
  let turn = 0
  const caller = async (): Promise<void> => {
    while (!over) {
      const ports = [...ready]
      const port = ports[turn++ % ports.length] ?? second.port
      const person = turn % 60 === 0 ? people[(turn / 60) % PEOPLE] : undefined
      const call = person
        ? ask(agent, port, '/authsec/uflow/auth/admin/login', { body: { email: person.email, password: PASSWORD, tenant_domain: company.domain } })
        : ask(agent, port, '/account/sessions', { token })
      const answer = await call.catch((error: Error) => ({ status: 0, text: error.message }))
      if (answer.status !== 200) lost.push(`${port === first.port ? 'first' : 'second'} ${answer.status} ${answer.text.slice(0, 200)}`)
      else if (person) tokens.push((JSON.parse(answer.text) as { token: string }).token)
      served.set(port, (served.get(port) ?? 0) + 1)
    }
  }
  const callers = Array.from({ length: IN_FLIGHT }, caller)
  const until = async (isDone: () => boolean): Promise<void> => {
    for (let tried = 0; tried < 600 && !isDone(); tried++) await wait(50)
  }
  await until(() => (served.get(first.port) ?? 0) > 200)
  first.child.kill('SIGTERM')
  expect(await first.ended, first.log()).toBe(0)
  const before = served.get(second.port) ?? 0
  await until(() => (served.get(second.port) ?? 0) > before + 200)
  over = true
  await Promise.all([...callers, balancing])
  agent.destroy()
  expect(lost).toEqual([])
  expect(served.get(first.port)).toBeGreaterThan(200)
  expect(served.get(second.port)).toBeGreaterThan(before + 200)
  expect(tokens.length).toBeGreaterThan(0)
  for (const minted of tokens) expect((await ask(probing, second.port, '/account/sessions', { token: minted })).status).toBe(200)
  expect(first.log()).toContain('server.ending')
}, 120_000)

test('after SIGTERM it keeps answering, asks clients to close connections, and reports not ready', async () => {
  const server = await startReady()
  expect((await ask(probing, server.port, '/health/live')).status).toBe(200)
  server.child.kill('SIGTERM')
  for (let tried = 0; tried < 100 && (await isReady(server.port)); tried++) await wait(20)
  const kept = new Agent({ keepAlive: true })
  const [ready, live, served] = [
    await ask(kept, server.port, '/health/ready'),
    await ask(kept, server.port, '/health/live'),
    await ask(kept, server.port, '/account/sessions', { token }),
  ]
  expect([ready.status, live.status, served.status, served.closes]).toEqual([503, 200, 200, true])
  expect(await server.ended).toBe(0)
})

test('without a required variable of production it does not start, and names the variable in one line', async () => {
  const server = await startServer({ SIGN_UP: '' })
  expect(await server.ended).toBe(1)
  expect(server.log()).toBe('SIGN_UP: must be set in production\n')
})
