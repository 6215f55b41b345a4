// `npm run bench:oauth`: the authorization server over HTTP against the floor, oidc-provider and better-auth, each in its own process on the same PostgreSQL. CPU time
// is the server process's own, from /proc/PID/stat; PostgreSQL's is reported next to it. Needs TEST_DATABASE_URL: `eval "$(scripts/services.sh)"`.
// BENCH_PREVIOUS=<another checkout> measures that checkout's server in turn with this one instead of the peers: what a change costs.
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import pg from 'pg'
import { openDb } from '#db/engine/client'
import { postgresEngine } from '#db/engine/postgres'
import { migrate } from '#db/migrations/migrate'
import { startApp } from '#tests/support/app'
import { authorizePath, challengeOf, newOauthClient, newResource, type OauthTestClient, type ResourceServer, VERIFIER } from '#tests/support/oauth'
import { oauthRoutes } from '../functions/oauth/routes.ts'
import { BETTER_AUTH_API, BETTER_AUTH_CALLBACK, fillBetterAuth, serveBetterAuth } from './oauth/better-auth.ts'
import { ENV } from './oauth/env.ts'
import { fillFloor, serveFloor } from './oauth/floor.ts'
import { serveOurs } from './oauth/ours.ts'
import { fillPeer, PEER_API, PEER_OPAQUE, servePeer } from './oauth/peer.ts'

const NAME = 'authsec_bench_oauth'
const SERVERS = { ours: serveOurs, floor: serveFloor, peer: servePeer, betterAuth: serveBetterAuth }
/** `previous` is another checkout of this project, bundled by its own `npm run bench:oauth`, on the same database. */
type Which = keyof typeof SERVERS | 'previous'
const PREVIOUS = process.env.BENCH_PREVIOUS

const [role, url = ''] = process.argv.slice(2)
if (role !== undefined && role in SERVERS) {
  process.on('disconnect', () => process.exit(0))
  await SERVERS[role as keyof typeof SERVERS](url, (port) => process.send?.(port))
  await new Promise(() => undefined)
}

const admin = process.env.TEST_DATABASE_URL
if (admin === undefined) throw new Error('TEST_DATABASE_URL must be set: eval "$(scripts/services.sh)"')

type Server = { readonly base: string; readonly pid: number; readonly child: ChildProcess }
const start = (which: Which, database: string): Promise<Server> =>
  new Promise((resolve, reject) => {
    const [program = '', role] = which === 'previous' ? [`${PREVIOUS}/.data/bench/oauth.mjs`, 'ours'] : [process.argv[1], which]
    const child = spawn(process.execPath, [program, role, database], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    child.on('exit', (code) => reject(new Error(`${which} ended with ${code}`)))
    child.once('message', (port) => resolve({ base: `http://127.0.0.1:${port}`, pid: child.pid ?? 0, child }))
  })

/** User and system time in ticks of 10 ms (proc(5)). */
const ticksOf = (pid: number): number => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return Number(fields[11]) + Number(fields[12])
  } catch {
    return 0
  }
}

const fresh = async (): Promise<string> => {
  const client = new pg.Client({ connectionString: admin })
  await client.connect()
  await client.query(`drop database if exists ${NAME} with (force)`)
  await client.query(`create database ${NAME}`)
  await client.end()
  const to = new URL(admin)
  to.pathname = `/${NAME}`
  return to.href
}

const database = await fresh()
const db = openDb(postgresEngine({ url: database }))
await migrate(db, new Date())
const pool = new pg.Pool({ connectionString: database, max: 2 })
const app = await startApp(oauthRoutes, { db, env: ENV, start: new Date().toISOString() })
const company = await app.company('bench')
const api: ResourceServer = await newResource(app, company, [{ name: 'tools:read' }])
const machine: OauthTestClient = await newOauthClient(app, company, { at: [api] })
/** Public client on a device: its consent is asked every time. */
const REDIRECT = 'http://127.0.0.1/callback'
const device: OauthTestClient = await newOauthClient(app, company, { at: [api], isPublic: true, redirectUris: [REDIRECT] })
await fillFloor(pool, { id: machine.id, secret: machine.secret })
await pool.query('insert into floor_clients values ($1, $2, $3)', [device.id, Buffer.alloc(32), ['tools:read']])
await fillPeer(pool, { id: machine.id, secret: machine.secret, redirectUri: 'https://app.example.com/callback' })
const theirs = await fillBetterAuth(pool)
const session = await app.token(company.admin)
const children: ChildProcess[] = []
process.on('exit', () => {
  for (const child of children) child.kill()
})
const ours = await start('ours', database)
const servers: Readonly<Record<Which, Server>> = {
  ours,
  previous: PREVIOUS === undefined ? ours : await start('previous', database),
  floor: await start('floor', database),
  peer: await start('peer', database),
  betterAuth: await start('betterAuth', database),
}

type Answer = { readonly status: number; readonly location: string; readonly text: string; readonly cookies: readonly string[] }
const ask = async (target: string, init: RequestInit = {}): Promise<Answer> => {
  const response = await fetch(target, { redirect: 'manual', ...init })
  return {
    status: response.status,
    location: response.headers.get('location') ?? '',
    text: await response.text(),
    cookies: response.headers.getSetCookie(),
  }
}
type Form = Readonly<Record<string, string>>
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
const post = (target: string, form: Form, headers: Form = {}): Promise<Answer> =>
  ask(target, { method: 'POST', body: new URLSearchParams(form).toString(), headers: { ...FORM, ...headers } })
const jsonOf = ({ status, text }: Answer): Readonly<Record<string, unknown>> => {
  if (status !== 200) throw new Error(`${status} ${text}`)
  return JSON.parse(text) as Readonly<Record<string, unknown>>
}
const basic = { authorization: machine.authorization }
const theirBasic = { authorization: theirs.authorization }
const OUR_PATHS = { token: '/oauth/token', introspect: '/oauth/introspect', jwks: '/.well-known/jwks.json' } as const
const PATHS = {
  ours: OUR_PATHS,
  previous: OUR_PATHS,
  floor: OUR_PATHS,
  peer: { token: '/token', introspect: '/token/introspection', jwks: '/jwks' },
  betterAuth: { token: '/api/auth/oauth2/token', introspect: '/api/auth/oauth2/introspect', jwks: '/api/auth/jwks' },
} as const
const DISCOVERY = '/.well-known/openid-configuration'
const at = (which: Which, path: keyof (typeof PATHS)['ours']): string => `${servers[which].base}${PATHS[which][path]}`

/** The peers need the resource in the request to issue a signed token. */
const RESOURCE: Readonly<Record<Which, Form>> = {
  ours: {},
  previous: {},
  floor: {},
  peer: { resource: PEER_API },
  betterAuth: { resource: BETTER_AUTH_API },
}
const proof = (which: Which): Form => (which === 'betterAuth' ? theirBasic : basic)

const credentials = (which: Which): Promise<Answer> =>
  post(at(which, 'token'), { grant_type: 'client_credentials', scope: 'tools:read', ...RESOURCE[which] }, proof(which))

// The code flow through each server's own pages.
const field = (name: string, html: string): string => new RegExp(`name="${name}" value="([^"]*)"`).exec(html)?.[1] ?? ''
const codeIn = ({ location, status, text }: Answer): string => {
  const code = URL.canParse(location) ? new URL(location).searchParams.get('code') : null
  if (code === null) throw new Error(`no code: ${status} ${location} ${text.slice(0, 200)}`)
  return code
}
const exchange = (which: Which, code: string, redirectUri: string, more: Form, headers: Form = {}): Promise<Answer> =>
  post(at(which, 'token'), { grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: VERIFIER, ...more }, headers)

const oursFlow = async (which: 'ours' | 'previous' = 'ours'): Promise<Answer> => {
  const { base } = servers[which]
  const cookie = `authsec_session=${session}`
  const path = authorizePath({ ...device, redirectUri: REDIRECT }, { scope: 'openid tools:read' })
  const page = await ask(`${base}${path}`, { headers: { cookie } })
  const mark = page.cookies.map((line) => line.slice(0, line.indexOf(';')))
  const form = { form_token: field('form_token', page.text), consent: field('consent', page.text), decision: 'allow' }
  const headers = { cookie: [cookie, ...mark].join('; '), 'sec-fetch-site': 'same-origin', origin: 'http://localhost:7468' }
  const action = /<form[^>]*action="([^"]*)"/.exec(page.text)?.[1]?.replaceAll('&amp;', '&') ?? path
  return exchange(which, codeIn(await post(new URL(action, `${base}${path}`).href, form, headers)), REDIRECT, { client_id: device.id })
}
const floorFlow = async (): Promise<Answer> => {
  const path = `${servers.floor.base}/oauth/authorize?client_id=${device.id}&code_challenge=${challengeOf(VERIFIER)}&state=s`
  const page = await ask(path, { headers: { cookie: 's=s1' } })
  const answered = await post(path, { challenge: field('challenge', page.text), decision: 'allow' }, { cookie: 's=s1' })
  return exchange('floor', codeIn(answered), REDIRECT, { client_id: device.id })
}
const peerFlow = async (scope = 'openid tools:read'): Promise<Answer> => {
  const jar = new Map<string, string>()
  const callback = 'https://app.example.com/callback'
  const query = {
    client_id: machine.id,
    response_type: 'code',
    redirect_uri: callback,
    code_challenge: challengeOf(VERIFIER),
    code_challenge_method: 'S256',
    state: 's',
    scope,
    prompt: 'consent',
    resource: PEER_API,
  }
  let next = `${servers.peer.base}/auth?${new URLSearchParams(query)}`
  for (let hop = 0; hop < 10 && !next.startsWith(callback); hop++) {
    const answer = await ask(next, { headers: { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; ') } })
    for (const line of answer.cookies) {
      const [pair = ''] = line.split(';')
      jar.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1))
    }
    if (answer.location === '') throw new Error(`peer: ${answer.status} ${answer.text.slice(0, 300)}`)
    next = new URL(answer.location, servers.peer.base).href.replace('http://127.0.0.1/', `${servers.peer.base}/`)
  }
  return exchange('peer', codeIn({ status: 303, location: next, text: '', cookies: [] }), callback, {}, basic)
}
const betterAuthFlow = async (scope = 'openid tools:read'): Promise<Answer> => {
  const { cookie } = theirs
  const query = {
    client_id: theirs.id,
    response_type: 'code',
    redirect_uri: BETTER_AUTH_CALLBACK,
    code_challenge: challengeOf(VERIFIER),
    code_challenge_method: 'S256',
    state: 's',
    scope,
    prompt: 'consent',
    resource: BETTER_AUTH_API,
  }
  const api = `${servers.betterAuth.base}/api/auth/oauth2`
  // Scripts receive the redirect target in the response body.
  const { url } = jsonOf(await ask(`${api}/authorize?${new URLSearchParams(query)}`, { headers: { cookie } }))
  const consent = await ask(`${api}/consent`, {
    method: 'POST',
    headers: { cookie, 'content-type': 'application/json', origin: 'http://127.0.0.1' },
    body: JSON.stringify({ accept: true, oauth_query: new URL(String(url), api).search.slice(1) }),
  })
  const code = codeIn({ ...consent, location: String(jsonOf(consent).url) })
  return exchange('betterAuth', code, BETTER_AUTH_CALLBACK, { resource: BETTER_AUTH_API }, theirBasic)
}
const flow: Readonly<Record<Which, () => Promise<Answer>>> = {
  ours: () => oursFlow(),
  previous: () => oursFlow('previous'),
  floor: floorFlow,
  peer: () => peerFlow(),
  betterAuth: () => betterAuthFlow(),
}

type Row = { readonly which: Which; readonly run: (n: number) => Promise<unknown> }
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
const backends = async (): Promise<readonly number[]> =>
  (await pool.query<{ pid: number }>('select pid from pg_stat_activity where datname = $1 and pid <> pg_backend_pid()', [NAME])).rows.map(
    ({ pid }) => pid,
  )

const TICK_US = 10_000
/** The figure is the median of the rounds; servers take turns in each. */
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3)
type Measured = { readonly cpu: number; readonly database: number }
const measure = async (rows: readonly Row[], operations: number, inFlight: number, rounds = ROUNDS): Promise<Map<Which, Measured>> => {
  const seen = new Map(rows.map(({ which }) => [which, { cpu: [] as number[], database: [] as number[] }]))
  for (let round = 0; round <= rounds; round++) {
    // Each round begins with another server: a turn pays for what the ones before it left to clean up.
    const turns = rows.map((_, n) => rows[(n + round) % rows.length]).filter((row) => row !== undefined)
    for (const { which, run } of turns) {
      const pids = await backends()
      const before = { cpu: ticksOf(servers[which].pid), database: pids.map(ticksOf) }
      let next = round * operations
      const worker = async (): Promise<void> => {
        while (next < (round + 1) * operations) await run(next++)
      }
      await Promise.all(Array.from({ length: inFlight }, worker))
      if (round === 0) continue
      seen.get(which)?.cpu.push(((ticksOf(servers[which].pid) - before.cpu) * TICK_US) / operations)
      seen.get(which)?.database.push((pids.reduce((sum, pid, i) => sum + ticksOf(pid) - (before.database[i] ?? 0), 0) * TICK_US) / operations)
    }
  }
  return new Map([...seen].map(([which, { cpu, database: of }]) => [which, { cpu: median(cpu), database: median(of) }]))
}
const NAMES: Readonly<Record<Which, string>> = {
  ours: 'ours',
  previous: 'previous',
  floor: 'floor',
  peer: 'oidc-provider',
  betterAuth: 'better-auth',
}
const table = (title: string, measured: Map<Which, Measured>): void => {
  const floor = measured.get('floor')?.cpu ?? Number.NaN
  console.log(`\n${title}\n  ${''.padEnd(16)}${'CPU us'.padStart(9)}${'PostgreSQL us'.padStart(15)}   x floor`)
  for (const [which, { cpu, database: of }] of measured) {
    console.log(`  ${NAMES[which].padEnd(16)}${cpu.toFixed(0).padStart(9)}${of.toFixed(0).padStart(15)}   ${(cpu / floor).toFixed(2)}`)
  }
}
const OURS: readonly Which[] = PREVIOUS === undefined ? ['floor', 'ours'] : ['floor', 'ours', 'previous']
const ALL: readonly Which[] = PREVIOUS === undefined ? [...OURS, 'peer', 'betterAuth'] : OURS
const each = (run: (which: Which, n: number) => Promise<unknown>, of = ALL): Row[] => of.map((which) => ({ which, run: (n) => run(which, n) }))

const wanted = process.env.BENCH_ONLY
const isWanted = (name: string): boolean => wanted === undefined || name.includes(wanted)

/** Fewer where only the ratio matters. */
const OPERATIONS = Number(process.env.BENCH_OPERATIONS ?? 1000)
/** Fewer on a busy machine, where requests would time out. */
const FLOWS = Number(process.env.BENCH_FLOWS ?? 16)
if (isWanted('credentials')) {
  for (const inFlight of [1, 32]) {
    const title = `client_credentials, ${inFlight} in flight`
    table(
      title,
      await measure(
        each(async (which) => jsonOf(await credentials(which))),
        OPERATIONS,
        inFlight,
      ),
    )
  }
}

if (isWanted('introspection')) {
  const TOKENS = 64
  const kept = new Map<Which, string[]>()
  for (const which of ALL) {
    const resource = which === 'peer' ? { resource: PEER_OPAQUE } : {}
    const made = Array.from({ length: TOKENS }, () =>
      post(at(which, 'token'), { grant_type: 'client_credentials', scope: 'tools:read', ...resource }, proof(which)),
    )
    kept.set(
      which,
      (await Promise.all(made)).map((answer) => String(jsonOf(answer).access_token)),
    )
  }
  const introspect = async (which: Which, n: number): Promise<void> => {
    const headers = which === 'ours' || which === 'previous' ? { authorization: api.authorization } : proof(which)
    const { active } = jsonOf(await post(at(which, 'introspect'), { token: kept.get(which)?.[n % TOKENS] ?? '' }, headers))
    if (active !== true) throw new Error(`${which}: inactive`)
  }
  for (const inFlight of [1, 32])
    table(`Introspection, revocation honoured, ${inFlight} in flight`, await measure(each(introspect), OPERATIONS, inFlight))
}

if (isWanted('refresh')) {
  const FAMILIES = 32
  const kept = new Map<Which, string[]>()
  const OFFLINE = 'openid offline_access tools:read'
  const scopes = { ...flow, peer: () => peerFlow(OFFLINE), betterAuth: () => betterAuthFlow(OFFLINE) }
  for (const which of ALL) {
    const made: string[] = []
    for (let n = 0; n < FAMILIES; n++) made.push(String(jsonOf(await scopes[which]()).refresh_token))
    kept.set(which, made)
  }
  // Without the ID token: one signature each.
  const refresh = async (which: Which, n: number): Promise<void> => {
    const family = kept.get(which) ?? []
    const token = family.pop()
    if (token === undefined) throw new Error('more requests in flight than families')
    // better-auth issues no further refresh token when the requested scope lacks `offline_access`.
    const more = which === 'betterAuth' ? { scope: 'offline_access tools:read', ...RESOURCE[which] } : { scope: 'tools:read' }
    const form = { grant_type: 'refresh_token', refresh_token: token, ...more }
    const { refresh_token: next } = jsonOf(
      await (which === 'ours' || which === 'previous'
        ? post(at(which, 'token'), { ...form, client_id: device.id })
        : post(at(which, 'token'), form, proof(which))),
    )
    family.unshift(String(next))
    if (n < 0) throw new Error('no such operation')
  }
  // floor_families belong to the public client there as well.
  await pool.query('update floor_families set client_id = $1', [machine.id])
  for (const inFlight of [1, 16]) table(`Refresh with rotation, ${inFlight} in flight`, await measure(each(refresh, OURS), OPERATIONS, inFlight))
  if (PREVIOUS === undefined) table('The same beside the peers', await measure(each(refresh), Math.min(OPERATIONS, 400), 16))
}

if (isWanted('flow')) {
  table(
    `Code flow, PKCE, consent, ID token, ${FLOWS} in flight, no hash`,
    await measure(
      each(async (which) => jsonOf(await flow[which]())),
      Math.min(OPERATIONS, 1000),
      FLOWS,
    ),
  )
}

if (isWanted('documents')) {
  const read = async (target: string): Promise<void> => {
    const answer = await ask(target)
    if (answer.status !== 200) throw new Error(`${target}: ${answer.status}`)
  }
  table(
    'JWKS, 16 in flight',
    await measure(
      each((which) => read(at(which, 'jwks'))),
      OPERATIONS * 3,
      16,
    ),
  )
  table(
    'Discovery, 16 in flight',
    await measure(
      each((which) => read(`${servers[which].base}${which === 'betterAuth' ? '/api/auth' : ''}${DISCOVERY}`)),
      OPERATIONS * 3,
      16,
    ),
  )
}

if (isWanted('growth')) {
  const grow = async (to: number): Promise<void> => {
    await pool.query('set session_replication_role = replica')
    await pool.query(
      `with made as (insert into authsec.clients (tenant_id, id, name, valid_from, created_at, updated_at)
        select $1, gen_random_uuid(), 'client ' || n, now(), now(), now() from generate_series(1, $2 - (select count(*)::int from authsec.clients)) n returning id)
      insert into authsec.client_directory (client_id, tenant_id, created_at) select id, $1, now() from made`,
      [company.tenantId, to],
    )
    await pool.query('analyze')
  }
  const sizes = [1, 1000, 100_000]
  const seen: { readonly size: number; readonly measured: Measured | undefined }[] = []
  for (const size of sizes) {
    await grow(size)
    seen.push({
      size,
      measured: (
        await measure(
          each(async (which) => jsonOf(await credentials(which)), ['ours']),
          OPERATIONS,
          16,
        )
      ).get('ours'),
    })
  }
  console.log('\nclient_credentials as clients grow, 16 in flight')
  const [first] = seen
  for (const { size, measured } of seen) {
    const sum = (of: Measured | undefined): number => (of?.cpu ?? Number.NaN) + (of?.database ?? Number.NaN)
    console.log(
      `  ${String(size).padStart(8)} clients: ${measured?.cpu.toFixed(0)} us, PostgreSQL ${measured?.database.toFixed(0)} us, together x ${(sum(measured) / sum(first?.measured)).toFixed(2)}`,
    )
  }
}

if (isWanted('kill')) {
  const KILLS = 200
  const other = await start('ours', database)
  const times: number[] = []
  for (let n = 0; n < KILLS; n++) {
    const token = String(jsonOf(await credentials('ours')).access_token)
    const request = { token }
    const isActive = async (): Promise<boolean> =>
      jsonOf(await post(`${other.base}/oauth/introspect`, request, { authorization: api.authorization })).active === true
    if (!(await isActive())) throw new Error('the token is inactive from the start')
    const killed = await post(`${servers.ours.base}/oauth/revoke`, request, basic)
    if (killed.status !== 200) throw new Error(killed.text)
    const since = performance.now()
    while (await isActive());
    times.push(performance.now() - since)
  }
  other.child.removeAllListeners('exit')
  times.sort((a, b) => a - b)
  console.log(
    `\nFrom a revocation on one instance to the refusal on another, ${KILLS} kills: p50 ${times[KILLS / 2]?.toFixed(1)} ms, p99 ${times[Math.floor(KILLS * 0.99)]?.toFixed(1)} ms`,
  )
}

await pool.end()
process.exit(0)
