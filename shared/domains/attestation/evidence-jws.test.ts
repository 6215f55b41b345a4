// The checks that all signed evidence has in common: each case fails one check alone, and is accepted when that check is removed.
import { createHmac, generateKeyPairSync } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { asTenantId, forTenant, type TenantDb } from '#db/engine/tenant'
import type { Attestor } from '#db/store/attestors'
import type { Outbound, OutboundResponse } from '#shared/platform/fetch/guarded'
import { startApp, type TestApp } from '#tests/support/app'
import {
  attestationCtx,
  attestorOf,
  commonClaims,
  JKT,
  type Json,
  newSigningKey,
  OTHER_JKT,
  type SigningKey,
  signedJws,
  signedToken,
} from '#tests/support/attestation'
import { verifyEvidence } from './attest.ts'
import { MAX_EVIDENCE_BYTES } from './evidence-jws.ts'
import { keyAudience } from './key-binding.ts'

const TENANT = '0190aaaa-bbbb-7ccc-8ddd-000000000001'
const OTHER_TENANT = '0190aaaa-bbbb-7ccc-8ddd-000000000002'
const ISSUER = 'https://issuer.example.org'

type World = {
  readonly app: TestApp
  readonly t: TenantDb
  readonly key: SigningKey
  readonly stranger: SigningKey
  readonly attestor: Attestor
  readonly claims: (more?: Json) => Json
}
let w: World
beforeAll(async () => {
  const app = await startApp([])
  const [key, stranger] = [newSigningKey('ES256', 'k-1'), newSigningKey('ES256', 'k-1')]
  const settings = { issuer: ISSUER, jwks: { keys: [key.jwk] }, rules: { sub: 'job-1' }, algorithms: ['ES256', 'RS256'] }
  const attestor = attestorOf(app, TENANT, 'oidc', settings)
  const claims = (more: Json = {}): Json => ({ ...commonClaims(app, attestor), sub: 'job-1', ...more })
  w = { app, t: forTenant(app.db, asTenantId(TENANT)), key, stranger, attestor, claims }
})

const judged = async (evidence: string, more: Partial<Attestor> = {}, jkt = JKT, outbound?: Outbound) => {
  const verdict = await verifyEvidence(attestationCtx(w.app, outbound === undefined ? {} : { outbound }), w.t, {
    attestor: { ...w.attestor, ...more },
    evidence,
    jkt,
  })
  return verdict.accepted ? 'accepted' : verdict.failed
}

test('evidence that passes every check becomes sorted selectors, a digest and an end', async () => {
  const attestor = { ...w.attestor, rules: { sub: 'job-1', group: 'a*' } }
  const evidence = signedToken(w.key, w.claims({ group: ['b', 'ab'], other: 'ignored' }))
  const verdict = await verifyEvidence(attestationCtx(w.app), w.t, { attestor, evidence, jkt: JKT })
  expect(verdict).toMatchObject({
    accepted: true,
    attested: { attestorId: attestor.id, selectors: ['oidc:group:ab', 'oidc:group:b', 'oidc:sub:job-1'], entryId: undefined },
  })
})

const at = (): number => Math.floor(w.app.clock.now().getTime() / 1000)
type Case = readonly [name: string, check: string, evidence: () => string]

const CLAIMS: readonly Case[] = [
  ['another issuer', 'issuer', () => signedToken(w.key, w.claims({ iss: 'https://issuer.example.com' }))],
  ['the issuer in another spelling', 'issuer', () => signedToken(w.key, w.claims({ iss: `${ISSUER}/` }))],
  ['no issuer', 'issuer', () => signedToken(w.key, w.claims({ iss: undefined }))],
  ['an audience without a key', 'audience', () => signedToken(w.key, w.claims({ aud: `${w.app.config.BASE_URL}/spiffe/${TENANT}` }))],
  ['the audience of another key', 'audience', () => signedToken(w.key, w.claims({ aud: keyAudience(w.app.ctx, TENANT, OTHER_JKT) }))],
  ['the audience of another tenant', 'audience', () => signedToken(w.key, w.claims({ aud: keyAudience(w.app.ctx, OTHER_TENANT, JKT) }))],
  ['the audience in a list', 'audience', () => signedToken(w.key, w.claims({ aud: [keyAudience(w.app.ctx, TENANT, JKT)] }))],
  ['no audience', 'audience', () => signedToken(w.key, w.claims({ aud: undefined }))],
  ['an end 31 seconds ago', 'expiry', () => signedToken(w.key, w.claims({ iat: at() - 60, exp: at() - 31 }))],
  ['no end', 'expiry', () => signedToken(w.key, w.claims({ exp: undefined }))],
  ['an end as text', 'expiry', () => signedToken(w.key, w.claims({ exp: `${at() + 60}` }))],
  ['a life of more than a day', 'lifetime', () => signedToken(w.key, w.claims({ exp: at() + 24 * 3600 + 1 }))],
  ['an end before its beginning', 'lifetime', () => signedToken(w.key, w.claims({ iat: at() + 20, exp: at() + 10 }))],
  ['an age of more than ten minutes', 'issued_at', () => signedToken(w.key, w.claims({ iat: at() - 631 }))],
  ['a beginning in 31 seconds', 'issued_at', () => signedToken(w.key, w.claims({ iat: at() + 31 }))],
  ['no beginning', 'issued_at', () => signedToken(w.key, w.claims({ iat: undefined }))],
  ['a beginning as text', 'issued_at', () => signedToken(w.key, w.claims({ iat: `${at()}` }))],
  ['a use from in 31 seconds', 'not_before', () => signedToken(w.key, w.claims({ nbf: at() + 31 }))],
  ['another subject', 'rule.sub', () => signedToken(w.key, w.claims({ sub: 'job-2' }))],
  ['the subject with a suffix', 'rule.sub', () => signedToken(w.key, w.claims({ sub: 'job-1 ' }))],
]

const withHeader = (header: Json): string => signedToken(w.key, w.claims(), header)
const hs256 = (): string => {
  const input = `${Buffer.from('{"alg":"HS256","kid":"k-1"}').toString('base64url')}.${Buffer.from(JSON.stringify(w.claims())).toString('base64url')}`
  return `${input}.${createHmac('sha256', JSON.stringify(w.key.jwk)).update(input).digest('base64url')}`
}
const HEADERS: readonly Case[] = [
  ['no key id', 'kid', () => withHeader({ kid: undefined })],
  ['an empty key id', 'kid', () => withHeader({ kid: '' })],
  ['a key id that is no text', 'kid', () => withHeader({ kid: 1 })],
  ['an unknown key id', 'key', () => withHeader({ kid: 'k-2' })],
  ['a critical extension', 'critical', () => withHeader({ crit: ['b64'] })],
  ['an address of keys', 'header', () => withHeader({ jku: 'https://attacker.example.com/jwks' })],
  ['a key in the token', 'header', () => withHeader({ jwk: w.stranger.jwk })],
  ['an address of certificates', 'header', () => withHeader({ x5u: 'https://attacker.example.com/' })],
  ['certificates in the token', 'header', () => withHeader({ x5c: ['MA=='] })],
  ['a compressed payload', 'header', () => withHeader({ zip: 'DEF' })],
  ['the type of another token', 'type', () => withHeader({ typ: 'at+jwt' })],
  ['the type of a proof', 'type', () => withHeader({ typ: 'dpop+jwt' })],
  ['an algorithm that the attestor does not accept', 'algorithm', () => withHeader({ alg: 'ES384' })],
  ['an algorithm that is no text', 'algorithm', () => withHeader({ alg: ['ES256'] })],
  ['no signature algorithm', 'algorithm', () => withHeader({ alg: 'none' })],
  ['a public key as a shared secret', 'algorithm', hs256],
  ['the algorithm of another kind of key', 'key', () => withHeader({ alg: 'RS256' })],
  ['the signature of another key of that id', 'signature', () => signedToken(w.stranger, w.claims())],
]
const replacedPayload = (): string => {
  const [header, , signature] = signedToken(w.key, w.claims({ sub: 'job-2' })).split('.')
  return `${header}.${Buffer.from(JSON.stringify(w.claims())).toString('base64url')}.${signature}`
}
const twice = (): string =>
  signedJws({ alg: 'ES256', kid: 'k-1' }, JSON.stringify(w.claims()).replace('"sub":"job-1"', '"sub":"job-2","sub":"job-1"'), w.key)
const FORMS: readonly Case[] = [
  ['more than 16 KiB', 'size', () => signedToken(w.key, w.claims({ padding: 'x'.repeat(MAX_EVIDENCE_BYTES) }))],
  ['a claim that stands twice', 'encoding', twice],
  ['no signature', 'encoding', () => signedToken(w.key, w.claims()).replace(/[^.]+$/, '')],
  ['no token at all', 'encoding', () => 'nonsense'],
  ['nothing', 'encoding', () => ''],
  ['another payload under the signature', 'signature', replacedPayload],
]

describe('evidence is refused', () => {
  test.each([...CLAIMS, ...HEADERS, ...FORMS])('with %s: %s', async (_, check, evidence) => {
    expect(await judged(evidence())).toBe(check)
  })

  test.each<[string, () => readonly Json[]]>([
    ['two keys have the same id', () => [w.key.jwk, { ...w.stranger.jwk }]],
    ['the key is for encryption', () => [{ ...w.key.jwk, use: 'enc' }]],
    ['the key is for other operations', () => [{ ...w.key.jwk, key_ops: ['deriveBits'] }]],
    ['the key is for another algorithm', () => [{ ...w.key.jwk, alg: 'ES384' }]],
    ['there is no key', () => []],
  ])('where %s', async (_, keys) => {
    expect(await judged(signedToken(w.key, w.claims()), { jwks: { keys: keys() } })).toBe('key')
  })

  test('where the key is weak', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 })
    const weak: SigningKey = { kid: 'weak', alg: 'RS256', privateKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid: 'weak' } }
    expect(await judged(signedToken(weak, w.claims()), { jwks: { keys: [weak.jwk] } })).toBe('key')
  })

  test('with an algorithm without a public key, even where a row would accept it', async () => {
    for (const alg of ['none', 'HS256']) expect(await judged(withHeader({ alg }), { algorithms: [alg] })).toBe('algorithm')
  })

  test('without an audience, where a row names none', async () => {
    const row = { keyBinding: 'pinned' } as const
    expect(await judged(signedToken(w.key, w.claims({ aud: null })), { ...row, audience: null })).toBe('audience')
    expect(await judged(signedToken(w.key, w.claims({ aud: '' })), { ...row, audience: '' })).toBe('audience')
    expect(await judged(signedToken(w.key, w.claims({ aud: 'acme' })), { ...row, audience: 'acme' })).toBe('accepted')
  })

  test('for a thumbprint that is none', async () => {
    expect(await judged(signedToken(w.key, w.claims({ aud: keyAudience(w.app.ctx, TENANT, 'x') })), {}, 'x')).toBe('audience')
  })
})

describe('evidence is accepted', () => {
  test.each<[string, () => string]>([
    ['without a type', () => withHeader({ typ: undefined })],
    ['with the thumbprint of a certificate', () => withHeader({ x5t: 'abc' })],
    ['with an end 29 seconds ago', () => signedToken(w.key, w.claims({ iat: at() - 60, exp: at() - 29 }))],
    ['with a beginning in 29 seconds', () => signedToken(w.key, w.claims({ iat: at() + 29 }))],
    ['with an age of ten minutes', () => signedToken(w.key, w.claims({ iat: at() - 600 }))],
    ['with a life of a day', () => signedToken(w.key, w.claims({ exp: at() + 24 * 3600 }))],
  ])('%s', async (_, evidence) => {
    expect(await judged(evidence())).toBe('accepted')
  })
})

describe('published keys', () => {
  const publisher = (keys: Json[]) => {
    const state = { keys, requests: 0, isAway: false }
    const send = async (): Promise<OutboundResponse> => {
      state.requests++
      if (state.isAway) throw new Error('away')
      return { status: 200, body: Buffer.from(JSON.stringify({ keys: state.keys })), header: () => undefined }
    }
    return { state, outbound: { loopback: false, send } satisfies Outbound }
  }
  const fetched = { jwks: null, jwksUri: 'https://issuer.example.org/jwks' }
  const token = (key: SigningKey): string => signedToken(key, w.claims())

  test('are fetched once for five minutes, also by many requests at once', async () => {
    const { state, outbound } = publisher([w.key.jwk])
    await Promise.all(Array.from({ length: 20 }, () => judged(token(w.key), fetched, JKT, outbound)))
    w.app.clock.advance(299)
    expect([await judged(token(w.key), fetched, JKT, outbound), state.requests]).toEqual(['accepted', 1])
    w.app.clock.advance(2)
    expect([await judged(token(w.key), fetched, JKT, outbound), state.requests]).toEqual(['accepted', 2])
  })

  test('are fetched again for an unknown key id, at most once a minute', async () => {
    const { state, outbound } = publisher([w.key.jwk])
    const next = newSigningKey('ES256', 'k-next')
    expect(await judged(token(w.key), fetched, JKT, outbound)).toBe('accepted')
    for (let n = 0; n < 5; n++) expect(await judged(token(next), fetched, JKT, outbound)).toBe('key')
    expect(state.requests).toBe(1)
    state.keys = [next.jwk]
    w.app.clock.advance(61)
    expect([await judged(token(next), fetched, JKT, outbound), state.requests]).toEqual(['accepted', 2])
    expect(await judged(token(w.key), fetched, JKT, outbound)).toBe('key')
  })

  test('stay valid for ten minutes while they cannot be read, with one attempt a minute', async () => {
    const { state, outbound } = publisher([w.key.jwk])
    expect(await judged(token(w.key), fetched, JKT, outbound)).toBe('accepted')
    state.isAway = true
    w.app.clock.advance(599)
    for (let n = 0; n < 3; n++) expect(await judged(token(w.key), fetched, JKT, outbound)).toBe('accepted')
    expect(state.requests).toBe(2)
    w.app.clock.advance(2)
    expect(await judged(token(w.key), fetched, JKT, outbound)).toBe('key')
  })

  test('come from the address in the attestor, never from the evidence', async () => {
    const { state, outbound } = publisher([w.stranger.jwk])
    expect(await judged(signedToken(w.stranger, w.claims(), { jku: 'https://attacker.example.com' }), {}, JKT, outbound)).toBe('header')
    expect(state.requests).toBe(0)
  })
})
