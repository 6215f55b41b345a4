import { importJWK, type JWK, jwtVerify } from 'jose'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { DatabaseUnavailable } from '#db/engine/client'
import { secondsAfter } from '#shared/kernel/clock'
import type { Config } from '#shared/kernel/config'
import { ownDb } from '#tests/support/database'
import {
  DAY,
  grant,
  HOUR,
  hmacSignedToken,
  partsOf,
  REFUSED,
  refusedAs,
  SECRET,
  signedToken,
  TOKEN_NOW,
  tokenWorld,
  without,
} from '#tests/support/session-tokens'
import { clearSigningKeys, watched } from '#tests/support/signing-keys'
import type { SessionClaims } from './session-claims.ts'
import { issueSessionToken, SESSION_TOKEN_TYP, verifySessionToken } from './session-token.ts'

const db = await ownDb()
beforeEach(() => clearSigningKeys(db))
afterAll(() => clearSigningKeys(db))

const start = (env: Record<string, string> = {}) => tokenWorld(db, env)

test('an ES256 token has AuthSec’s claims and verifies to the granted session', async () => {
  const ctx = start()
  const mine = grant()
  const { token, tokenId } = await issueSessionToken(ctx, mine)
  const { header, payload } = partsOf(token)
  expect(header).toEqual({ alg: 'ES256', kid: (await ctx.signingKeys.signer('ES256')).kid, typ: 'session+jwt' })
  const iat = TOKEN_NOW.getTime() / 1000
  expect(payload).toEqual({
    iss: 'authsec-ai/auth-manager',
    aud: 'authsec-api',
    sub: mine.userId,
    user_id: mine.userId,
    email_id: mine.email,
    tenant_id: mine.tenantId,
    project_id: mine.projectId,
    client_id: mine.clientId,
    tenant_domain: 'acme.localhost',
    token_type: 'default',
    scope: 'read write',
    scopes: ['read', 'write'],
    roles: ['admin'],
    jti: tokenId,
    sid: mine.sessionId,
    auth_time: iat - 60,
    amr: ['pwd', 'otp'],
    acr: 'aal2',
    iat,
    nbf: iat,
    exp: iat + 8 * HOUR,
  })
  const expected: SessionClaims = { ...mine, tokenId, issuedAt: TOKEN_NOW }
  expect(await verifySessionToken(ctx, token)).toEqual(expected)
  expect(await verifySessionToken(start(), token)).toEqual(expected)
})

test('empty values are omitted and grant nothing', async () => {
  const ctx = start()
  const { token } = await issueSessionToken(ctx, grant({ clientId: undefined, tenantDomain: undefined, scopes: [], roles: [] }))
  const { payload } = partsOf(token)
  for (const name of ['scope', 'scopes', 'roles', 'tenant_domain']) expect(payload).not.toHaveProperty(name)
  expect(payload.client_id).toBe('')
  expect(await verifySessionToken(ctx, token)).toMatchObject({ clientId: undefined, tenantDomain: undefined, scopes: [], roles: [] })
})

test('a token lives at most 24 hours, never longer than its session, and has no tolerance after expiry', async () => {
  const ctx = start()
  const long = await issueSessionToken(ctx, grant({ expiresAt: secondsAfter(TOKEN_NOW, 365 * DAY) }))
  expect(long.expiresAt).toEqual(secondsAfter(TOKEN_NOW, DAY))
  ctx.clock.advance(DAY - 0.001)
  expect((await verifySessionToken(ctx, long.token)).tokenId).toBe(long.tokenId)
  ctx.clock.advance(0.001)
  expect(await refusedAs(ctx, long.token)).toBe(REFUSED)
  const another = start()
  another.clock.advance(DAY)
  expect(await refusedAs(another, long.token)).toBe(REFUSED)
})

test('another instance’s clock may be at most a minute ahead', async () => {
  const ctx = start()
  const ahead = start()
  ahead.clock.advance(60)
  expect((await verifySessionToken(ctx, (await issueSessionToken(ahead, grant())).token)).tokenId).toBeDefined()
  ahead.clock.advance(1)
  expect(await refusedAs(ctx, (await issueSessionToken(ahead, grant())).token)).toBe(REFUSED)
})

test('scopes are read from the string when the list is missing, and unknown claims are ignored', async () => {
  const ctx = start()
  const { header, payload } = partsOf((await issueSessionToken(ctx, grant())).token)
  const token = await signedToken(ctx, header, { ...without(payload, 'scopes'), more: { deep: [1] } })
  expect((await verifySessionToken(ctx, token)).scopes).toEqual(['read', 'write'])
})

test('with a shared secret tokens are HS256 under kid default, and nothing else is accepted', async () => {
  const [shared, plain] = [start({ JWT_DEF_SECRET: SECRET }), start()]
  const { token, tokenId } = await issueSessionToken(shared, grant())
  const { header, payload } = partsOf(token)
  expect(header).toEqual({ alg: 'HS256', kid: 'default', typ: 'JWT' })
  expect((await jwtVerify(token, new TextEncoder().encode(SECRET), { currentDate: TOKEN_NOW })).payload.jti).toBe(tokenId)
  expect((await verifySessionToken(shared, token)).tokenId).toBe(tokenId)
  expect(await refusedAs(plain, token)).toBe(REFUSED)
  expect(await refusedAs(start({ JWT_DEF_SECRET: `${SECRET} of others` }), token)).toBe(REFUSED)
  expect(await refusedAs(shared, (await issueSessionToken(plain, grant())).token)).toBe(REFUSED)

  for (const members of [{ kid: 'other' }, { typ: SESSION_TOKEN_TYP }, { alg: 'HS512' }, { alg: 'none' }, { crit: ['x'], x: 1 }]) {
    expect(await refusedAs(shared, hmacSignedToken(SECRET, { ...header, ...members }, payload))).toBe(REFUSED)
  }
  const authsecClaims = ['sid', 'jti', 'auth_time', 'amr', 'acr'].reduce(without, payload)
  expect(await refusedAs(shared, hmacSignedToken(SECRET, header, authsecClaims))).toBe(REFUSED)
  expect(await refusedAs(shared, hmacSignedToken('', header, payload))).toBe(REFUSED)
})

test('a token verified before is only checked again for its expiry and its key', async () => {
  const ctx = start()
  const { token, tokenId } = await issueSessionToken(ctx, grant())
  const first = await verifySessionToken(ctx, token)
  expect(await verifySessionToken(ctx, token)).toBe(first)
  ctx.clock.advance(8 * HOUR)
  expect(await refusedAs(ctx, token)).toBe(REFUSED)
  ctx.clock.advance(-8 * HOUR)
  expect((await verifySessionToken(ctx, token)).tokenId).toBe(tokenId)
  expect(await verifySessionToken(ctx, token)).not.toBe(first)
})

test('a cached token is refused at once where its key is revoked, and within two seconds on other instances', async () => {
  const [here, there, third] = [start(), start(), start()]
  const { token } = await issueSessionToken(here, grant())
  for (const ctx of [here, there]) await verifySessionToken(ctx, token)
  await here.signingKeys.revoke(String(partsOf(token).header.kid))
  expect(await refusedAs(here, token)).toBe(REFUSED)
  there.clock.advance(2)
  expect(await refusedAs(there, token)).toBe(REFUSED)
  expect(await refusedAs(third, token)).toBe(REFUSED)
  expect(await refusedAs(here, (await issueSessionToken(here, grant())).token)).toMatch(/^not refused/)
})

test('the cache of verified tokens is separate per configuration', async () => {
  const ctx = start()
  const { token } = await issueSessionToken(ctx, grant())
  await verifySessionToken(ctx, token)
  const other: Config = { ...ctx.config, AUTH_EXPECT_AUD: 'other-api' }
  expect(await refusedAs({ ...ctx, config: other }, token)).toBe(REFUSED)
  expect(await refusedAs(ctx, token)).toMatch(/^not refused/)
})

test('without the database a token is not reported as invalid', async () => {
  let isDown = false
  const through = watched(db, (send) => (isDown ? Promise.reject(new DatabaseUnavailable(new Error('gone'))) : send()))
  const ctx = tokenWorld(through.db)
  const { token, tokenId } = await issueSessionToken(ctx, grant())
  await verifySessionToken(ctx, token)
  isDown = true
  ctx.clock.advance(2)
  expect(await refusedAs(ctx, token)).toMatch(/^not refused/)
  await expect(verifySessionToken(ctx, token)).rejects.not.toMatchObject({ code: 'invalid_token' })
  isDown = false
  expect((await verifySessionToken(ctx, token)).tokenId).toBe(tokenId)
})
test('a third party verifies the token with the published keys', async () => {
  const ctx = start()
  const { token } = await issueSessionToken(ctx, grant())
  const jwk = (await ctx.signingKeys.jwks()).keys.find(({ kid }) => kid === partsOf(token).header.kid)
  const options = { issuer: 'authsec-ai/auth-manager', audience: 'authsec-api', typ: SESSION_TOKEN_TYP, currentDate: TOKEN_NOW }
  expect((await jwtVerify(token, await importJWK(jwk as JWK), options)).payload.jti).toBe(partsOf(token).payload.jti)
})
