// The packaged guard in workerd, without Node's modules, in front of a resource server: against a running authorization server, over HTTP.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { claimsOf, newOauthClient, newResource, type OauthTestClient, prover, type ResourceServer } from '../support/oauth.ts'
import { startWorker, type Worker } from './edge/worker.ts'
import { type AuthorizationServer, startAuthorizationServer } from './oauth-system.ts'
import { unmetChecks } from './unmet-checks.ts'

const ROOT = join(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'authsec-guard-edge-'))

/** The program of a resource server's author. */
const PROGRAM = `
import { guard } from 'authsec-serverless/guard'

let own
export default {
  fetch: (request, { ISSUER: issuer, RESOURCE: resource, ID: id, SECRET: secret, MODE: checkedBy }) => {
    own ??= guard({ issuer, resource, scopes: ['tools:read'], credentials: { id, secret }, checkedBy })
    const maxAge = new URL(request.url).searchParams.has('fresh') ? { maxAge: 60 } : {}
    return own.protect({ scopes: ['tools:read'], ...maxAge }, (_, token) => Response.json({ subject: token.subject, bound: token.jkt !== undefined }))(request)
  },
}
`

/** Packed, unpacked as npm would, and bundled for workers. */
const buildWorker = async (): Promise<string> => {
  execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] })
  const [archive = ''] = readdirSync(folder).filter((name) => name.endsWith('.tgz'))
  execFileSync('tar', ['-xzf', join(folder, archive), '-C', folder])
  writeFileSync(join(folder, 'program.js'), PROGRAM)
  const script = join(folder, 'worker.mjs')
  await build({
    entryPoints: [join(folder, 'program.js')],
    outfile: script,
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    conditions: ['workerd', 'worker'],
    target: 'es2022',
    alias: { 'authsec-serverless/guard': join(folder, 'package/dist/guard/guard.js') },
    nodePaths: [join(ROOT, 'node_modules')],
    logLevel: 'error',
  })
  return script
}

let issuer: AuthorizationServer
let server: ResourceServer
let client: OauthTestClient
const workers: Partial<Record<'keys' | 'introspection', Worker>> = {}
beforeAll(async () => {
  issuer = await startAuthorizationServer()
  server = await newResource(issuer.where, issuer.company, [{ name: 'tools:read' }, { name: 'tools:write' }])
  client = await newOauthClient(issuer.where, issuer.company, { at: [server] })
  const script = await buildWorker()
  const bindings = { ISSUER: issuer.issuer, RESOURCE: server.resource, ID: server.id, SECRET: server.secret }
  for (const MODE of ['keys', 'introspection'] as const) workers[MODE] = await startWorker(script, { ...bindings, MODE })
}, 300_000)
afterAll(async () => {
  for (const worker of Object.values(workers)) worker.stop()
  await issuer?.stop()
  rmSync(folder, { recursive: true, force: true })
})

const token = async (scope = 'tools:read', headers: Readonly<Record<string, string>> = {}): Promise<string> => {
  const body = new URLSearchParams({ grant_type: 'client_credentials', scope, resource: server.resource })
  const response = await unmetChecks(`${issuer.issuer}/oauth/token`, {
    method: 'POST',
    headers: { authorization: client.authorization, ...headers },
    body,
  })
  return String(((await response.json()) as { readonly access_token?: string }).access_token)
}
const revoke = (one: string) =>
  unmetChecks(`${issuer.issuer}/oauth/revoke`, {
    method: 'POST',
    headers: { authorization: client.authorization },
    body: new URLSearchParams({ token: one }),
  })
const modes = ['keys', 'introspection'] as const
type Mode = (typeof modes)[number]

const call = async (mode: Mode, headers: Readonly<Record<string, string>> = {}, path = new URL(server.resource).pathname) => {
  const response = await unmetChecks(new URL(path, workers[mode]?.url), { headers })
  const body = (await response.json()) as Readonly<Record<string, unknown>>
  return { status: response.status, body, challenge: response.headers.get('www-authenticate') ?? '', log: workers[mode]?.log().slice(-1500) }
}
const toResponse = (mode: Mode, one: string, path?: string) => call(mode, { authorization: `Bearer ${one}` }, path)

test.each(modes)('smoke: by %s: a valid token passes, and other requests are refused with instructions for getting one', async (mode) => {
  const good = await toResponse(mode, await token())
  expect(good.status, good.log).toBe(200)
  expect(good.body).toEqual({ subject: client.id, bound: false })
  const metadata = `${new URL(server.resource).origin}/.well-known/oauth-protected-resource/mcp`
  const none = await call(mode)
  expect([none.status, none.challenge]).toEqual([401, expect.stringContaining(`resource_metadata="${metadata}"`)])
  expect(none.challenge).not.toContain('error=')
  const [head, claims, signature] = (await token()).split('.')
  const forged = `${head}.${Buffer.from(JSON.stringify({ ...claimsOf(`.${claims}.`), sub: 'another-person' })).toString('base64url')}.${signature}`
  for (const bad of [forged, 'x.y.z']) {
    const refused = await toResponse(mode, bad)
    expect([refused.status, refused.challenge]).toEqual([401, expect.stringContaining('error="invalid_token"')])
  }
  const narrow = await toResponse(mode, await token('tools:write'))
  expect([narrow.status, narrow.challenge]).toEqual([403, expect.stringMatching(/error="insufficient_scope".*scope="tools:read"/)])
  const stale = await toResponse(mode, await token(), `${new URL(server.resource).pathname}?fresh`)
  expect([stale.status, stale.challenge]).toEqual([401, expect.stringMatching(/error="insufficient_user_authentication".*max_age="60"/)])
})

test('its metadata name the authorization server', async () => {
  const { status, body } = await call('keys', {}, '/.well-known/oauth-protected-resource/mcp')
  expect([status, body]).toEqual([200, expect.objectContaining({ resource: server.resource, authorization_servers: [issuer.issuer] })])
})

test.each(modes)('by %s: a bound token is accepted once with a proof of its key', async (mode) => {
  const holder = await prover({ ctx: issuer.where.ctx, clock: issuer.where.ctx.clock })
  const bound = await token('tools:read', { dpop: await holder.proof({ htm: 'POST', htu: `${issuer.issuer}/oauth/token` }) })
  const ath = Buffer.from(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(bound))).toString('base64url')
  const here = { htm: 'GET', htu: server.resource, ath }
  const withProof = (proof: string) => call(mode, { authorization: `DPoP ${bound}`, dpop: proof })
  const proof = await holder.proof(here)
  const good = await withProof(proof)
  expect([good.status, good.body], good.log).toEqual([200, { subject: client.id, bound: true }])
  const thief = await prover({ ctx: issuer.where.ctx, clock: issuer.where.ctx.clock })
  for (const bad of [proof, await thief.proof(here), await holder.proof({ ...here, htm: 'POST' }), await holder.proof({ ...here, ath: 'x' })]) {
    const refused = await withProof(bad)
    expect([refused.status, refused.challenge]).toEqual([401, expect.stringContaining('DPoP error="invalid_dpop_proof"')])
  }
  expect((await toResponse(mode, bound)).status).toBe(401)
})

test.each(modes)('by %s: a revoked token is refused within two seconds, and others are still accepted', async (mode) => {
  const [one, other] = [await token(), await token()]
  expect((await toResponse(mode, one)).status).toBe(200)
  expect((await revoke(one)).status).toBe(200)
  await new Promise((resolve) => setTimeout(resolve, 2000))
  const refused = await toResponse(mode, one)
  expect([refused.status, refused.challenge], refused.log).toEqual([401, expect.stringContaining('error="invalid_token"')])
  expect((await toResponse(mode, other)).status).toBe(200)
})

test('concurrent requests share one read of the keys and of the feed', async () => {
  const one = await token()
  const all = await Promise.all(Array.from({ length: 20 }, () => toResponse('keys', one)))
  expect(all.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200))
})

test('a redirect is not followed, and a token that cannot be checked is refused', async () => {
  const { createServer } = await import('node:http')
  const elsewhere = createServer((_, response) => response.writeHead(302, { location: `${issuer.issuer}/oauth/introspect` }).end())
  await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve))
  const address = elsewhere.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const bindings = { ISSUER: `http://127.0.0.1:${port}`, RESOURCE: server.resource, ID: server.id, SECRET: server.secret, MODE: 'introspection' }
  const worker = await startWorker(join(folder, 'worker.mjs'), bindings)
  try {
    const response = await unmetChecks(new URL('/mcp', worker.url), { headers: { authorization: `Bearer ${await token()}` } })
    expect([response.status, response.headers.get('retry-after')], worker.log()).toEqual([503, '1'])
    await response.text()
  } finally {
    worker.stop()
    elsewhere.close()
  }
})
