import { SignJWT } from 'jose'
import { expect, test } from 'vitest'
import { asTenantId } from '#db/engine/tenant'
import { startApp } from '#tests/support/app'
import { type AccessClaims, issueAccessToken, madeAt, verifyAccessToken } from './access-token.ts'

const start = async () => {
  const { ctx, clock } = await startApp([])
  const [tenantId, sub, clientId, authorizationId, sessionId] = [asTenantId(ctx.random.id()), ...Array.from({ length: 4 }, () => ctx.random.id())]
  const grant = {
    tenantId,
    sub: sub ?? '',
    clientId: clientId ?? '',
    audience: 'https://api.acme.com/mcp',
    scopes: ['a', 'b:c'],
    authorizationId,
    jkt: 'k'.repeat(43),
    authentication: { authTime: clock.now(), acr: 'aal2', amr: ['pwd', 'otp'], sessionId: sessionId ?? '' },
    ttlSeconds: 60,
  }
  return { ctx, clock, grant }
}

test('what is issued is read back, whole', async () => {
  const { ctx, clock, grant } = await start()
  const { ttlSeconds: _, ...said } = grant
  for (const given of [grant, { ...grant, authorizationId: undefined, jkt: undefined, authentication: undefined, scopes: [] }]) {
    const claims = await verifyAccessToken(ctx, await issueAccessToken(ctx, given))
    const { ttlSeconds: __, ...expected } = { ...said, ...given }
    expect(claims).toMatchObject(expected)
    expect(claims?.expiresAt.getTime()).toBe(clock.now().getTime() + 60_000)
    expect(madeAt(claims as AccessClaims).getTime()).toBe(clock.now().getTime())
  }
})

test('it counts to the second, and not under a key that was revoked', async () => {
  const { ctx, clock, grant } = await start()
  const token = await issueAccessToken(ctx, grant)
  clock.advance(59)
  expect(await verifyAccessToken(ctx, token)).toBeDefined()
  clock.advance(1)
  expect(await verifyAccessToken(ctx, token)).toBeUndefined()
  const other = await issueAccessToken(ctx, grant)
  expect(await verifyAccessToken(ctx, other)).toBeDefined()
  expect(await verifyAccessToken(ctx, other)).toBeDefined()
  const { signingKeys } = ctx
  const revoked = { ...ctx, signingKeys: { ...signingKeys, verifier: async () => undefined } }
  expect(await verifyAccessToken(revoked, other)).toBeUndefined()
  Object.assign(signingKeys, { verifier: async () => undefined })
  expect(await verifyAccessToken(ctx, other)).toBeUndefined()
})

test.each([
  ['no subject', { sub: undefined }],
  ['a list of audiences', { aud: ['https://api.acme.com/mcp'] }],
  ['another issuer', { iss: 'https://evil.example' }],
  ['a tenant that is none', { tenant_id: 'acme' }],
  ['an id that is none', { jti: 'x' }],
  ['a time in fractions', { exp: 99999999999.5 }],
  ['a beginning that is far away', { iat: 99999999999 }],
  ['a confirmation without a thumbprint', { cnf: {} }],
  ['scopes as a list', { scope: ['a'] }],
])('with %s it is none', async (_, change) => {
  const { ctx, grant } = await start()
  const token = await issueAccessToken(ctx, grant)
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
  const { kid, key } = await ctx.signingKeys.signer('ES256')
  const sign = (more: object) => new SignJWT({ ...claims, ...more }).setProtectedHeader({ alg: 'ES256', kid, typ: 'at+jwt' }).sign(key)
  expect(await verifyAccessToken(ctx, await sign({}))).toBeDefined()
  expect(await verifyAccessToken(ctx, await sign(change))).toBeUndefined()
})
