// jose and fast-jwt as verifiers that have only an address: they fetch the keys over HTTP, as a resource server does.
import { createPublicKey, type JsonWebKey } from 'node:crypto'
import { createVerifier } from 'fast-jwt'
import { createRemoteJWKSet, customFetch, jwtVerify } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PASSWORD } from '../support/app.ts'
import { newOauthClient, newResource } from '../support/oauth.ts'
import { type AuthorizationServer, startAuthorizationServer } from './oauth-system.ts'
import { unmetChecks } from './unmet-checks.ts'

type Said = Readonly<Record<string, unknown>>
type Wanted = { readonly issuer: string; readonly audience: string; readonly typ: string }
type Verify = (token: string, wanted: Wanted) => Promise<Said>

let server: AuthorizationServer
let jwksUri: string
const tokens: Record<'session' | 'access', string> = { session: '', access: '' }
let wanted: Readonly<Record<'session' | 'access', Wanted>>

const json = async (response: Response): Promise<Said> => (await response.json()) as Said

const sessionToken = async (): Promise<string> => {
  const body = JSON.stringify({ email: server.email, password: PASSWORD, tenant_domain: server.company.domain })
  const headers = { 'content-type': 'application/json' }
  return String((await json(await unmetChecks(`${server.issuer}/authsec/uflow/auth/admin/login`, { method: 'POST', headers, body }))).token)
}

beforeAll(async () => {
  server = await startAuthorizationServer()
  const api = await newResource(server.where, server.company, [{ name: 'tools:read' }])
  const client = await newOauthClient(server.where, server.company, { at: [api] })
  const metadata = await json(await unmetChecks(`${server.issuer}/.well-known/oauth-authorization-server`))
  jwksUri = String(metadata.jwks_uri)
  const body = new URLSearchParams({ grant_type: 'client_credentials', scope: 'tools:read', resource: api.resource })
  const asked = await unmetChecks(String(metadata.token_endpoint), { method: 'POST', headers: { authorization: client.authorization }, body })
  tokens.access = String((await json(asked)).access_token)
  tokens.session = await sessionToken()
  const { AUTH_EXPECT_ISS, AUTH_EXPECT_AUD } = server.where.ctx.config
  wanted = {
    session: { issuer: AUTH_EXPECT_ISS, audience: AUTH_EXPECT_AUD, typ: 'session+jwt' },
    access: { issuer: server.issuer, audience: api.resource, typ: 'at+jwt' },
  }
})
afterAll(() => server?.stop())

const withJose: Verify = async (token, { issuer, audience, typ }) => {
  const keys = createRemoteJWKSet(new URL(jwksUri), {
    [customFetch]: (url, { headers, ...more }) => unmetChecks(url, { ...more, headers: Object.fromEntries(headers) }),
  })
  return (await jwtVerify(token, keys, { issuer, audience, typ, algorithms: ['ES256'] })).payload
}

/** fast-jwt expects single keys as PEM. */
const withFastJwt: Verify = async (token, { issuer, audience, typ }) => {
  const { keys } = (await json(await unmetChecks(jwksUri))) as { keys: readonly JsonWebKey[] }
  const key = async ({ header }: { readonly header: { readonly kid?: string } }): Promise<string> => {
    const jwk = keys.find(({ kid }) => kid === header.kid)
    if (jwk === undefined) throw new Error('no such key')
    return createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' }).toString()
  }
  return (await createVerifier({ key, algorithms: ['ES256'], allowedIss: issuer, allowedAud: audience, checkTyp: typ })(token)) as Said
}

const changed = (token: string, more: Said): string => {
  const [header, payload = '', signature] = token.split('.')
  const said = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Said
  return [header, Buffer.from(JSON.stringify({ ...said, ...more })).toString('base64url'), signature].join('.')
}

test('smoke: only public keys are published', async () => {
  const { keys } = (await json(await unmetChecks(jwksUri))) as { keys: readonly Said[] }
  expect(keys.length).toBeGreaterThan(0)
  for (const key of keys) {
    expect(key).toMatchObject({ kid: expect.any(String), use: 'sig' })
    for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) expect(key).not.toHaveProperty(secret)
  }
})

describe.each<[string, Verify]>([
  ['jose', withJose],
  ['fast-jwt', withFastJwt],
])('%s', (_, verify) => {
  test('smoke: verifies a session token and an access token', async () => {
    const { tenantId } = server.company
    expect(await verify(tokens.session, wanted.session)).toMatchObject({ email_id: server.email, tenant_id: tenantId, amr: ['pwd'] })
    expect(await verify(tokens.access, wanted.access)).toMatchObject({ scope: 'tools:read', iss: server.issuer })
  })

  test('accepts neither in place of the other', async () => {
    await expect(verify(tokens.session, { ...wanted.session, typ: 'at+jwt' })).rejects.toThrow(/typ/)
    await expect(verify(tokens.access, { ...wanted.access, typ: 'session+jwt' })).rejects.toThrow(/typ/)
    await expect(verify(tokens.access, { ...wanted.access, audience: wanted.session.audience })).rejects.toThrow(/aud/)
    await expect(verify(tokens.session, { ...wanted.session, issuer: server.issuer })).rejects.toThrow(/iss/)
  })

  test.each(['session', 'access'] as const)('refuses a changed %s token', async (kind) => {
    await expect(verify(changed(tokens[kind], { sub: 'another-person' }), wanted[kind])).rejects.toThrow(/signature/)
  })
})
