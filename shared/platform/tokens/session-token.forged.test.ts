import { exportJWK, exportSPKI, generateKeyPair, importJWK, type JWK } from 'jose'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { ownDb } from '#tests/support/database'
import {
  DAY,
  encoded,
  grant,
  HOUR,
  hmacSignedToken,
  partsOf,
  REFUSED,
  random,
  refusedAs,
  signedToken,
  TOKEN_NOW,
  tokenWorld,
  without,
} from '#tests/support/session-tokens'
import { clearSigningKeys } from '#tests/support/signing-keys'
import { issueSessionToken, SESSION_TOKEN_TYP } from './session-token.ts'

const db = await ownDb()
beforeEach(() => clearSigningKeys(db))
afterAll(() => clearSigningKeys(db))

const start = (env: Record<string, string> = {}) => tokenWorld(db, env)

const at = TOKEN_NOW.getTime() / 1000
test.each<[string, Record<string, unknown>]>([
  ['another issuer', { iss: 'authsec-ai/user-flow' }],
  ['another audience', { aud: 'https://api.example' }],
  ['an array audience', { aud: ['authsec-api'] }],
  ['two audiences', { aud: ['authsec-api', 'other'] }],
  ['sub and user_id that differ', { user_id: random.id() }],
  ['a subject that is not a UUID', { sub: 'ana', user_id: 'ana' }],
  ['the tenant "admin"', { tenant_id: 'admin' }],
  ['an upper-case tenant', { tenant_id: random.id().toUpperCase().replace(/\d/g, 'A') }],
  ['another kind of token', { token_type: 'sdk-agent' }],
  ['exp in the past', { exp: at }],
  ['exp as text', { exp: String(at + HOUR) }],
  ['exp that is not an integer', { exp: at + 0.5 }],
  ['exp without end', { exp: Number.MAX_SAFE_INTEGER }],
  ['a lifetime of more than a day', { exp: at + DAY + 1 }],
  ['nbf in the future', { nbf: at + 61 }],
  ['iat in the future', { iat: at + 61 }],
  ['auth_time in the future', { auth_time: at + 61 }],
  ['scopes that are not a list', { scopes: 'read' }],
  ['roles with a number', { roles: [1] }],
  ['an e-mail that is an object', { email_id: {} }],
])('a correctly signed token with %s is refused', async (_, claims) => {
  const ctx = start()
  const { header, payload } = partsOf((await issueSessionToken(ctx, grant())).token)
  expect(await refusedAs(ctx, await signedToken(ctx, header, { ...payload, ...claims }))).toBe(REFUSED)
})

const jwk = await exportJWK((await generateKeyPair('ES256', { extractable: true })).publicKey)
test.each<[string, Record<string, unknown>]>([
  ['typ JWT', { typ: 'JWT' }],
  ['typ of an access token', { typ: 'at+jwt' }],
  ['typ in capitals', { typ: 'SESSION+JWT' }],
  ['typ as media type', { typ: 'application/session+jwt' }],
  ['typ null', { typ: null }],
  ['alg none', { alg: 'none' }],
  ['alg None', { alg: 'None' }],
  ['alg HS256', { alg: 'HS256' }],
  ['alg RS256', { alg: 'RS256' }],
  ['alg ES384', { alg: 'ES384' }],
  ['alg es256', { alg: 'es256' }],
  ['a kid that is a path', { kid: '../../../../dev/null' }],
  ['a kid that is SQL', { kid: "' union select 'x' --" }],
  ['a kid that is a property', { kid: '__proto__' }],
  ['kid default', { kid: 'default' }],
  ['a kid with NUL', { kid: 'a\u0000' }],
  ['a kid that is a number', { kid: 1 }],
  ['an embedded jwk', { jwk }],
  ['jku', { jku: 'https://evil.example/jwks.json' }],
  ['x5u', { x5u: 'https://evil.example/cert.pem' }],
  ['x5c', { x5c: ['MII'] }],
  ['x5t', { x5t: 'abc' }],
  ['an unknown crit', { crit: ['exp2'], exp2: true }],
  ['a known crit', { crit: ['b64'], b64: true }],
  ['an empty crit', { crit: [] }],
  ['a content type', { cty: 'JWT' }],
  ['compression', { zip: 'DEF' }],
])('a correctly signed token with %s in its header is refused', async (_, members) => {
  const ctx = start()
  const { header, payload } = partsOf((await issueSessionToken(ctx, grant())).token)
  expect(await refusedAs(ctx, await signedToken(ctx, { ...header, ...members }, payload))).toBe(REFUSED)
})

test.each([
  'iss',
  'aud',
  'sub',
  'user_id',
  'email_id',
  'tenant_id',
  'project_id',
  'client_id',
  'token_type',
  'jti',
  'sid',
  'auth_time',
  'amr',
  'acr',
  'iat',
  'nbf',
  'exp',
])('a token without %s, or with null for it, is refused', async (name) => {
  const ctx = start()
  const { header, payload } = partsOf((await issueSessionToken(ctx, grant())).token)
  expect(await refusedAs(ctx, await signedToken(ctx, header, payload))).toMatch(/^not refused/)
  expect(await refusedAs(ctx, await signedToken(ctx, header, without(payload, name)))).toBe(REFUSED)
  expect(await refusedAs(ctx, await signedToken(ctx, header, { ...payload, [name]: null }))).toBe(REFUSED)
})

test.each(['alg', 'kid', 'typ'])('a token without %s in its header is refused', async (name) => {
  const ctx = start()
  const { header, payload } = partsOf((await issueSessionToken(ctx, grant())).token)
  expect(await refusedAs(ctx, await signedToken(ctx, without(header, name), payload))).toBe(REFUSED)
})

test('a token that is unsigned, or not signed by the key that kid names, is refused', async () => {
  const ctx = start()
  const { token } = await issueSessionToken(ctx, grant())
  const { header, payload, segments } = partsOf(token)
  const [h = '', p = '', s = ''] = segments
  expect(await refusedAs(ctx, `${encoded({ ...header, alg: 'none' })}.${p}.`)).toBe(REFUSED)
  expect(await refusedAs(ctx, `${h}.${p}.`)).toBe(REFUSED)
  expect(await refusedAs(ctx, `${h}.${p}.${Buffer.alloc(64).toString('base64url')}`)).toBe(REFUSED)

  const { keys } = await ctx.signingKeys.jwks()
  const next = keys.find(({ kid }) => kid !== header.kid)
  expect(await refusedAs(ctx, await signedToken(ctx, { ...header, kid: next?.kid }, payload))).toBe(REFUSED)
  const stranger = await generateKeyPair('ES256')
  const forged = Buffer.from(await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, stranger.privateKey, Buffer.from(`${h}.${p}`)))
  expect(await refusedAs(ctx, `${h}.${p}.${forged.toString('base64url')}`)).toBe(REFUSED)

  const published = keys.find(({ kid }) => kid === header.kid) as JWK
  const key = await importJWK(published, 'ES256', { extractable: true })
  if (key instanceof Uint8Array) throw new Error('not a key')
  for (const secret of [JSON.stringify(published), await exportSPKI(key), String(published.x)]) {
    expect(await refusedAs(ctx, hmacSignedToken(secret, { ...header, alg: 'HS256' }, payload))).toBe(REFUSED)
    expect(await refusedAs(ctx, hmacSignedToken(secret, { alg: 'HS256', kid: 'default', typ: 'JWT' }, payload))).toBe(REFUSED)
  }

  const rsa = await ctx.signingKeys.signer('RS256')
  const input = `${encoded({ alg: 'RS256', kid: rsa.kid, typ: SESSION_TOKEN_TYP })}.${p}`
  const rsaSignature = Buffer.from(await crypto.subtle.sign('RSASSA-PKCS1-v1_5', rsa.key, Buffer.from(input)))
  expect(await refusedAs(ctx, `${input}.${rsaSignature.toString('base64url')}`)).toBe(REFUSED)
  expect(await refusedAs(ctx, `${h}.${p}.${s}`)).toMatch(/^not refused/)
})

test('a correctly signed token with a duplicate member is refused', async () => {
  const ctx = start()
  const { header, payload } = partsOf((await issueSessionToken(ctx, grant())).token)
  const twice = (object: Record<string, unknown>, name: string, value: unknown): string[] => [
    `{${JSON.stringify(name)}:${JSON.stringify(value)},${JSON.stringify(object).slice(1)}`,
    `${JSON.stringify(object).slice(0, -1)},${JSON.stringify(name)}:${JSON.stringify(object[name])}}`,
  ]
  for (const text of twice(header, 'alg', 'none')) expect(await refusedAs(ctx, await signedToken(ctx, text, payload))).toBe(REFUSED)
  for (const text of twice(header, 'kid', 'x')) expect(await refusedAs(ctx, await signedToken(ctx, text, payload))).toBe(REFUSED)
  for (const text of twice(payload, 'sub', random.id())) expect(await refusedAs(ctx, await signedToken(ctx, header, text))).toBe(REFUSED)
  for (const text of twice(payload, 'exp', at + 99 * DAY)) expect(await refusedAs(ctx, await signedToken(ctx, header, text))).toBe(REFUSED)
  const escaped = JSON.stringify(payload).replace('"sub"', '"\\u0073ub"')
  expect(await refusedAs(ctx, await signedToken(ctx, header, escaped))).toBe(REFUSED)
  for (const text of [`${JSON.stringify(payload)} `, `\ufeff${JSON.stringify(payload)}`, '[]', 'null', '"x"', '', '{', `${'['.repeat(3000)}`]) {
    expect(await refusedAs(ctx, await signedToken(ctx, header, text))).toBe(REFUSED)
    expect(await refusedAs(ctx, await signedToken(ctx, text, payload))).toBe(REFUSED)
  }
})

test('a correctly signed token with invalid UTF-8 is refused', async () => {
  const ctx = start()
  const { header, payload } = partsOf((await issueSessionToken(ctx, grant())).token)
  const broken = Buffer.from(JSON.stringify({ ...payload, email_id: 'X' }))
  broken[broken.indexOf('X')] = 0xff
  const input = `${encoded(header)}.${broken.toString('base64url')}`
  const { key } = await ctx.signingKeys.signer('ES256')
  const signature = Buffer.from(await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, key, Buffer.from(input)))
  expect(await refusedAs(ctx, `${input}.${signature.toString('base64url')}`)).toBe(REFUSED)
})

test('another encoding of the same bytes is refused', async () => {
  const ctx = start()
  const { token } = await issueSessionToken(ctx, grant())
  const [h = '', p = '', s = ''] = token.split('.')
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const trailing = `${s.slice(0, -1)}${alphabet[alphabet.indexOf(s.slice(-1)) + 1]}`
  expect(Buffer.from(trailing, 'base64url')).toEqual(Buffer.from(s, 'base64url'))
  const spellings = [
    `${h}.${p}.${trailing}`,
    `${h}.${p}.${s}==`,
    `${h}.${p}.${s}\n`,
    ` ${h}.${p}.${s}`,
    `${h}.${p} .${s}`,
    `${h}=.${p}.${s}`,
    `${h}.${p}.${s.slice(0, 9)}\r\n${s.slice(9)}`,
    `${h}.${p}.${Buffer.from(s, 'base64url').toString('base64')}`,
    `${h}.${p}.${s}\u0000`,
    `${h}.${p}.${s}é`,
  ]
  for (const spelling of spellings) expect(await refusedAs(ctx, spelling)).toBe(REFUSED)
  expect(await refusedAs(ctx, token)).toMatch(/^not refused/)
})

test('truncated, extended, nested and very large tokens are refused', async () => {
  const ctx = start()
  const { token } = await issueSessionToken(ctx, grant())
  const { header, payload, segments } = partsOf(token)
  const [h = '', p = '', s = ''] = segments
  const shapes = [
    '',
    '.',
    '..',
    '...',
    h,
    `${h}.${p}`,
    `${h}.${p}.${s}.`,
    `.${token}`,
    `${token}.${s}`,
    `${token}.${s}.${s}`,
    `${h}..${s}`,
    `.${p}.${s}`,
    `Bearer ${token}`,
  ]
  for (const shape of shapes) expect(await refusedAs(ctx, shape)).toBe(REFUSED)
  expect(await refusedAs(ctx, await signedToken(ctx, { ...header, cty: 'JWT' }, token))).toBe(REFUSED)
  expect(await refusedAs(ctx, await signedToken(ctx, header, JSON.stringify(token)))).toBe(REFUSED)
  const huge = await signedToken(ctx, header, { ...payload, more: 'x'.repeat(8192) })
  expect(await refusedAs(ctx, huge)).toBe(REFUSED)
  expect(await refusedAs(ctx, 'x'.repeat(10_000_000))).toBe(REFUSED)
})
