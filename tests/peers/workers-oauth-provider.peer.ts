// Cloudflare's OAuth provider for workers, in workerd. It accepts our assertions about a person, for the MCP server behind it, and nothing else. It signs no assertions
// itself; for the other direction a third party signs for both of us, and each must accept the same assertions.
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import * as jose from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { atomically, forTenant } from '#db/engine/tenant'
import { insertIssuer, type NewTrustedIssuer } from '#db/store/oauth-issuers'
import { insertUser } from '#db/store/users'
import { CIBA, JWT_BEARER, TOKEN_EXCHANGE, TOKEN_TYPES } from '#shared/domains/oauth/supported'
import { basicOf, newOauthClient, newResource, type OauthTestClient, type ResourceServer } from '../support/oauth.ts'
import { startWorker, type Worker } from './edge/worker.ts'
import { freePort } from './free-port.ts'
import { type AuthorizationServer, startAuthorizationServer } from './oauth-system.ts'
import { unmetChecks } from './unmet-checks.ts'

/** It accepts only https issuers: workerd requests our keys under this name and is directed to our address. */
const OURS = 'https://id.peers.example.com'
const THIRD = 'https://idp.peers.example.com'

let server: AuthorizationServer
let keys: Server
let worker: Worker
/** The output until it was ready. */
let atStart: string
let api: ResourceServer
/** Our client, and its id there. */
let own: OauthTestClient
let theirs: { readonly id: string; readonly authorization: string }
let there: string
let signing: CryptoKey
let idToken: string
let userId: string
/** A third party's assertion never reaches an administrator by a user id. */
let endUserId: string
const folder = mkdtempSync(join(tmpdir(), 'authsec-workers-oauth-'))

type Json = Readonly<Record<string, unknown>>
type Form = Readonly<Record<string, string>>
const answerOf = async (response: Response) => [response.status, (await response.json()) as Json] as const
const send = async (url: string, form: Form, authorization: string) =>
  answerOf(await unmetChecks(url, { method: 'POST', body: new URLSearchParams(form), headers: { authorization } }))
const portOf = (listening: Server): number => {
  const at = listening.address()
  return typeof at === 'object' && at !== null ? at.port : 0
}

const trust = async (more: Pick<NewTrustedIssuer, 'name' | 'issuer'> & Partial<NewTrustedIssuer>): Promise<void> => {
  const { where, company } = server
  const at = where.ctx.clock.now()
  await atomically(forTenant(where.db, company.tenantId), (t) =>
    insertIssuer(t, { id: where.ctx.random.id(), validFrom: at, createdAt: at, updatedAt: at, ...more }),
  )
}

/** A client that registers itself at the worker. */
const registerThere = async () => {
  const metadata = {
    client_name: 'Assistant',
    redirect_uris: ['https://assistant.example.com/callback'],
    grant_types: ['authorization_code', JWT_BEARER],
    token_endpoint_auth_method: 'client_secret_basic',
  }
  const headers = { 'content-type': 'application/json' }
  const [status, made] = await answerOf(await unmetChecks(`${there}/oauth/register`, { method: 'POST', headers, body: JSON.stringify(metadata) }))
  expect([status, made]).toEqual([201, expect.objectContaining({ client_secret: expect.any(String) })])
  return { id: String(made.client_id), authorization: basicOf(String(made.client_id), String(made.client_secret)) }
}

/** The person signs in through a backchannel request, so that no page or cookie depends on our host name. */
const signedIn = async (): Promise<Json> => {
  const phone = await server.newPhone()
  const request = { scope: 'openid', login_hint: server.email }
  const [, begun] = await send(`${server.issuer}/oauth/bc-authorize`, request, own.authorization)
  await phone.approve()
  const [status, tokens] = await send(`${server.issuer}/oauth/token`, { grant_type: CIBA, auth_req_id: String(begun.auth_req_id) }, own.authorization)
  expect([status, tokens]).toEqual([200, expect.objectContaining({ id_token: expect.any(String) })])
  return tokens
}

beforeAll(async () => {
  server = await startAuthorizationServer({ BASE_URL: OURS })
  const { where, company } = server
  const pair = await jose.generateKeyPair('RS256')
  signing = pair.privateKey
  const jwks = { keys: [{ ...(await jose.exportJWK(pair.publicKey)), kid: 'one', alg: 'RS256' }] }
  keys = createServer((_, response) => response.setHeader('content-type', 'application/json').end(JSON.stringify(jwks))).listen(0, '127.0.0.1')
  const port = await freePort()
  there = `http://127.0.0.1:${port}`
  const script = join(folder, 'worker.mjs')
  await build({
    entryPoints: [join(import.meta.dirname, 'edge/mcp-worker.mjs')],
    outfile: script,
    bundle: true,
    format: 'esm',
    external: ['cloudflare:workers', 'node:*'],
    logLevel: 'error',
  })
  const trusted = [
    { issuer: OURS, jwksUri: `${OURS}/.well-known/jwks.json`, tenant: company.tenantId },
    { issuer: THIRD, jwksUri: `${THIRD}/keys` },
  ]
  const hosts = { [new URL(OURS).host]: server.issuer, [new URL(THIRD).host]: `http://127.0.0.1:${portOf(keys)}` }
  worker = await startWorker(
    script,
    { SETTINGS: JSON.stringify({ issuer: there, trusted }) },
    {
      compatibilityFlags: ['nodejs_compat'],
      port,
      kvNamespaces: ['OAUTH_KV'],
      hosts,
    },
  )
  atStart = worker.log()
  theirs = await registerThere()
  api = await newResource(where, company, [{ name: 'mcp:read' }, { name: 'mcp:write' }])
  own = await newOauthClient(where, company, { at: [api], grantTypes: [CIBA, TOKEN_EXCHANGE, JWT_BEARER] })
  await trust({ name: 'Worker', issuer: there, sends: true, clientIds: { [own.id]: theirs.id }, sentScopes: ['mcp:read'] })
  await trust({ name: 'Third', issuer: THIRD, acceptsIdentity: true, jwks, subjectMapping: 'user_id' })
  idToken = String((await signedIn()).id_token)
  userId = String(jose.decodeJwt(idToken).sub)
  endUserId = where.ctx.random.id()
  const at = where.ctx.clock.now()
  const endUser = { id: endUserId, email: 'pat@example.com', name: 'Pat', provider: 'custom', validFrom: at, createdAt: at, updatedAt: at }
  await atomically(forTenant(where.db, company.tenantId), (t) => insertUser(t, { ...endUser, emailVerifiedAt: at }))
}, 300_000)
afterAll(async () => {
  worker?.stop()
  keys?.close()
  await server?.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** Our identity assertion for the worker. */
const asserted = async (more: Form = {}): Promise<string> => {
  const form = {
    grant_type: TOKEN_EXCHANGE,
    requested_token_type: TOKEN_TYPES.idJag,
    subject_token: idToken,
    subject_token_type: TOKEN_TYPES.id,
    audience: there,
    resource: `${there}/mcp`,
    scope: 'mcp:read',
    ...more,
  }
  const [status, answer] = await send(`${server.issuer}/oauth/token`, form, own.authorization)
  expect([status, answer]).toEqual([200, expect.objectContaining({ issued_token_type: TOKEN_TYPES.idJag, token_type: 'N_A' })])
  return String(answer.access_token)
}
const redeemThere = (assertion: string, authorization = theirs.authorization) =>
  send(`${there}/oauth/token`, { grant_type: JWT_BEARER, assertion }, authorization)

test('smoke: it accepts our assertion for a person of the company, authorizes the client for what was asserted, and knows the company', async () => {
  const [status, tokens] = await redeemThere(await asserted())
  expect([status, tokens, worker.log().slice(atStart.length)]).toEqual([200, expect.objectContaining({ scope: 'mcp:read' }), ''])
  const headers = { authorization: `Bearer ${String(tokens.access_token)}` }
  expect(await answerOf(await unmetChecks(`${there}/mcp`, { headers }))).toEqual([
    200,
    { props: { subject: userId, tenant: server.company.tenantId }, scope: ['mcp:read'] },
  ])
})

test('it accepts an assertion once, only from the client that it names, and only with our signature', async () => {
  const assertion = await asserted()
  const other = await registerThere()
  expect((await redeemThere(assertion, other.authorization))[1].error).toBe('invalid_grant')
  const [head, claims = '', signature] = assertion.split('.')
  const wider = Buffer.from(JSON.stringify({ ...jose.decodeJwt(assertion), scope: 'mcp:read mcp:write' })).toString('base64url')
  expect(wider).not.toBe(claims)
  expect((await redeemThere([head, wider, signature].join('.')))[1].error).toBe('invalid_grant')
  expect((await redeemThere(assertion))[0]).toBe(200)
  expect((await redeemThere(assertion))[1].error).toBe('invalid_grant')
})

/** The claims of the third party for both, equal except for the audience. */
const said = async (aud: string, clientId: string, resource: string, change: (good: Json) => Json, typ = 'oauth-id-jag+jwt'): Promise<string> => {
  const iat = Math.floor(Date.now() / 1000)
  const good = { iss: THIRD, sub: endUserId, aud, client_id: clientId, resource, scope: 'mcp:read', jti: crypto.randomUUID(), iat, exp: iat + 120 }
  return new jose.SignJWT(change(good)).setProtectedHeader({ alg: 'RS256', kid: 'one', typ }).sign(signing)
}
const redeemHere = (assertion: string) => send(`${server.issuer}/oauth/token`, { grant_type: JWT_BEARER, assertion }, own.authorization)
const both = async (change: (good: Json) => Json, typ?: string) => {
  const [us, them] = [await said(OURS, own.id, api.resource, change, typ), await said(there, theirs.id, `${there}/mcp`, change, typ)]
  return [(await redeemHere(us))[0], (await redeemThere(them))[0]]
}
const without = (name: string) => (good: Json) => Object.fromEntries(Object.entries(good).filter(([one]) => one !== name))

test('smoke: an assertion of a third party is accepted by both', async () => {
  expect(await both((good) => good)).toEqual([200, 200])
})

const REFUSED: readonly (readonly [string, (good: Json) => Json, string?])[] = [
  ['of another type', (good) => good, 'JWT'],
  ['for another audience', (good) => ({ ...good, aud: 'https://elsewhere.example.com' })],
  ['for several', (good) => ({ ...good, aud: [good.aud, 'https://elsewhere.example.com'] })],
  ['of another client', (good) => ({ ...good, client_id: 'another' })],
  ['of an unknown issuer', (good) => ({ ...good, iss: 'https://stranger.example.com' })],
  ['at another resource', (good) => ({ ...good, resource: 'https://elsewhere.example.com/mcp' })],
  ['that has expired', (good) => ({ ...good, iat: Number(good.iat) - 600, exp: Number(good.iat) - 300 })],
  ['of tomorrow', (good) => ({ ...good, iat: Number(good.iat) + 86_400, exp: Number(good.iat) + 86_500 })],
  ['for a day', (good) => ({ ...good, exp: Number(good.iat) + 86_400 })],
  ['without an id', without('jti')],
  ['without an expiry', without('exp')],
  ['without a subject', without('sub')],
  ['without a client', without('client_id')],
  ['bound to a key without a proof', (good) => ({ ...good, cnf: { jkt: 'x'.repeat(43) } })],
  ['with unknown details', (good) => ({ ...good, authorization_details: [{ type: 'unknown' }] })],
]
test.each(REFUSED.map(([name, change, typ]) => ({ name, change, typ })))('an assertion $name is refused by both', async ({ change, typ }) => {
  expect(await both(change, typ)).toEqual([400, 400])
})

test('an assertion is accepted once by both', async () => {
  const jti = crypto.randomUUID()
  const named = (good: Json): Json => ({ ...good, jti })
  expect(await both(named)).toEqual([200, 200])
  expect(await both(named)).toEqual([400, 400])
})
