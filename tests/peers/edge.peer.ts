// Discovery, keys and the decision in workerd, from the same code, on PostgreSQL through Neon's driver and Redis through Upstash's. Needs both servers, and
// scripts/edge.sh.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { neonBridge } from '#db/testing/neon-bridge'
import { problem } from '#shared/platform/http/problem'
import { accessRoutes } from '../../functions/access/routes.ts'
import { wellknownRoutes } from '../../functions/wellknown/routes.ts'
import { buildEdge } from '../../infra/bundle/build-edge.ts'
import { type Company, type Person, startApp } from '../support/app.ts'
import { ownDatabase, TEST_LOGIN_PASSWORD } from '../support/database.ts'
import { upstashBridge } from '../support/upstash-bridge.ts'
import { startWorker, type Worker } from './edge/worker.ts'

const SECRETS = { MASTER_KEYS: `m1:${Buffer.alloc(32, 7).toString('base64')}`, HASH_KEY: Buffer.alloc(32, 9).toString('base64') }
const onServers = process.env.TEST_DATABASE_URL !== undefined && process.env.TEST_REDIS_URL !== undefined

describe.runIf(onServers)('in workerd', () => {
  const folder = mkdtempSync(join(tmpdir(), 'authsec-edge-'))
  const closing: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })]
  let worker: Worker
  let node: Awaited<ReturnType<typeof startApp>>
  let company: Company
  let manager: Person
  let sources: readonly string[]

  beforeAll(async () => {
    const script = join(folder, 'edge.mjs')
    sources = await buildEdge(script)
    const { db, url = '' } = await ownDatabase()
    const { hostname, port } = new URL(url)
    const [neon, upstash] = [await neonBridge(hostname, Number(port || 5432)), await upstashBridge(process.env.TEST_REDIS_URL ?? '')]
    const login = new URL(url)
    login.hostname = 'db.example.com'
    login.port = ''
    login.username = 'authsec_app'
    login.password = TEST_LOGIN_PASSWORD
    const env = { ...SECRETS, ENVIRONMENT: 'development', BASE_URL: 'https://auth.example.com', SIGN_UP: 'closed' }
    node = await startApp([...wellknownRoutes, ...accessRoutes], {
      db,
      render: problem,
      env: { ...env, RATE_LIMIT: 'off' },
      start: new Date().toISOString(),
    })
    company = await node.company('edge')
    manager = await node.person(company, 'admin')
    worker = await startWorker(
      script,
      {
        ...env,
        DATABASE_URL: login.href,
        DATABASE_DRIVER: 'neon',
        NEON_BRIDGE: neon.at,
        UPSTASH_REDIS_REST_URL: upstash.url,
        UPSTASH_REDIS_REST_TOKEN: upstash.token,
      },
      { compatibilityFlags: ['nodejs_compat'] },
    )
    closing.push(
      () => worker.stop(),
      () => neon.close(),
      () => upstash.close(),
      () => db.engine.close(),
    )
  }, 300_000)
  afterAll(async () => {
    for (const close of closing.toReversed()) await close()
  })

  const ask = async (path: string, more: { readonly token?: string; readonly body?: unknown } = {}) => {
    const headers = {
      ...(more.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(more.token === undefined ? {} : { authorization: `Bearer ${more.token}` }),
    }
    const init = {
      method: more.body === undefined ? 'GET' : 'POST',
      headers,
      ...(more.body === undefined ? {} : { body: JSON.stringify(more.body) }),
    }
    const [there, here] = await Promise.all([
      fetch(new URL(path, worker.url), init),
      node.app.request(path, init, { peer: { address: '192.0.2.1', secure: true } }),
    ])
    const read = async (response: Response) => {
      const { request_id: _, timestamp: __, ...body } = (await response.json()) as Record<string, unknown>
      return { status: response.status, body }
    }
    return { there: await read(there), here: await read(here) }
  }

  test('smoke: discovery and keys are the same as those of the functions', async () => {
    for (const path of ['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server', '/.well-known/jwks.json', '/oauth/jwks']) {
      const { there, here } = await ask(path)
      expect(there.status, path + worker.log().slice(-3000)).toBe(200)
      expect(there, path).toEqual(here)
    }
    const { there } = await ask('/.well-known/jwks.json')
    expect((there.body as { keys: unknown[] }).keys.length).toBeGreaterThan(0)
  })

  test('decisions are the same as those of the functions: allowed, denied, unknown, unauthenticated, malformed', async () => {
    const token = await node.token(manager)
    const subject = (id: string) => ({ type: 'user', id })
    const request = [
      { subject: subject(manager.id), action: { name: 'read' }, resource: { type: 'users', id: 'any' } },
      { subject: subject(manager.id), action: { name: 'fly' }, resource: { type: 'users', id: 'any' } },
      { subject: subject((await node.person(company)).id), action: { name: 'read' }, resource: { type: 'users', id: 'any' } },
      { subject: subject('0190c0de-0000-7000-8000-000000000001'), action: { name: 'read' }, resource: { type: 'users', id: 'any' } },
    ]
    const decisions = []
    for (const body of request) {
      const { there, here } = await ask('/access/v1/evaluation', { token, body })
      expect(there).toEqual(here)
      decisions.push((there.body as { decision?: boolean }).decision)
    }
    expect(decisions[0]).toBe(true)
    expect(decisions.slice(1)).toEqual([false, false, false])
    for (const more of [{ body: request[0] }, { token: `${token}x`, body: request[0] }, { token, body: { subject: 1 } }]) {
      const { there, here } = await ask('/access/v1/evaluation', more)
      expect(there.status).toBeGreaterThanOrEqual(400)
      expect(there).toEqual(here)
    }
  })

  test('a revocation made elsewhere takes effect here within two seconds', async () => {
    const someone = await node.person(company, 'admin')
    const token = await node.token(someone)
    const body = { subject: { type: 'user', id: someone.id }, action: { name: 'read' }, resource: { type: 'users', id: 'any' } }
    expect((await ask('/access/v1/evaluation', { token, body })).there.status).toBe(200)
    await node.db.engine.one(
      { role: 'authsec_app', tenantId: company.tenantId },
      {
        text: "update authsec.sessions set revoked_at = now(), revoked_reason = 'test' where tenant_id = $1 and user_id = $2",
        params: [company.tenantId, someone.id],
        arrays: false,
      },
    )
    await new Promise((resolve) => setTimeout(resolve, 2000))
    expect(
      (
        await fetch(new URL('/access/v1/evaluation', worker.url), {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
          body: JSON.stringify(body),
        })
      ).status,
    ).toBe(401)
  })

  test('the bundle contains no native code, no TCP cache and no embedded database', () => {
    expect(sources.filter((source) => /@node-rs|ioredis|pglite|nodemailer|@aws-sdk/.test(source))).toEqual([])
  })
})
