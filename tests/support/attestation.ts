// Evidence for tests of attestation: keys, signed tokens with any header and payload, and attestors.
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { asTenantId, atomically, forTenant } from '#db/engine/tenant'
import { type Attestor, type AttestorKind, insertAttestor } from '#db/store/attestors'
import { type AttestorSettings, withDefaults } from '#shared/domains/attestation/attestor-settings'
import { keyAudience } from '#shared/domains/attestation/key-binding'
import type { AttestationCtx } from '#shared/domains/attestation/method'
import { unixSeconds } from '#shared/kernel/clock'
import type { Outbound } from '#shared/platform/fetch/guarded'
import type { TestApp } from './app.ts'

export type Json = Readonly<Record<string, unknown>>
export type SigningKey = { readonly kid: string; readonly alg: string; readonly privateKey: KeyObject; readonly jwk: Json }

/** RFC 7638 thumbprints of two workloads' keys. */
export const JKT = createHash('sha256').update('one workload').digest('base64url')
export const OTHER_JKT = createHash('sha256').update('another workload').digest('base64url')

const PAIRS: Readonly<Record<string, () => { readonly publicKey: KeyObject; readonly privateKey: KeyObject }>> = {
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  ES384: () => generateKeyPairSync('ec', { namedCurve: 'P-384' }),
}
export const newSigningKey = (alg: string, kid: string): SigningKey => {
  const pair = PAIRS[alg]?.()
  if (pair === undefined) throw new Error(`no key for ${alg}`)
  return { kid, alg, privateKey: pair.privateKey, jwk: { ...pair.publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' } }
}

const encoded = (value: string | Uint8Array): string => Buffer.from(value).toString('base64url')
const HASHES: Readonly<Record<string, string>> = { RS256: 'sha256', ES256: 'sha256', ES384: 'sha384' }

/** Signs header and payload as they are given. */
export const signedJws = (header: Json, payload: Json | string, key: Pick<SigningKey, 'alg' | 'privateKey'>): string => {
  const input = `${encoded(JSON.stringify(header))}.${encoded(typeof payload === 'string' ? payload : JSON.stringify(payload))}`
  return `${input}.${encoded(sign(HASHES[key.alg] ?? 'sha256', Buffer.from(input), { key: key.privateKey, dsaEncoding: 'ieee-p1363' }))}`
}

export const signedToken = (key: SigningKey, claims: Json, header: Json = {}): string =>
  signedJws({ alg: key.alg, kid: key.kid, typ: 'JWT', ...header }, claims, key)

/** An attestor as its row would be, with the defaults of its method. */
export const attestorOf = (app: TestApp, tenantId: string, kind: AttestorKind, given: Partial<AttestorSettings> = {}): Attestor => {
  const at = app.clock.now()
  return {
    ...withDefaults(kind, given),
    tenantId: asTenantId(tenantId),
    id: app.ctx.random.id(),
    name: `${kind} ${app.ctx.random.id()}`,
    kind,
    active: true,
    sealedTokenReviewToken: null,
    validFrom: at,
    createdAt: at,
    updatedAt: at,
  }
}

export const storeAttestor = (app: TestApp, attestor: Attestor): Promise<Attestor> =>
  atomically(forTenant(app.db, asTenantId(attestor.tenantId)), (t) => insertAttestor(t, attestor))

/** Sends nothing. */
export const NO_NETWORK: Outbound = {
  loopback: false,
  send: async () => {
    throw new Error('no network')
  },
}

export const attestationCtx = (app: TestApp, more: Partial<AttestationCtx> = {}): AttestationCtx => ({ ...app.ctx, outbound: NO_NETWORK, ...more })

export type TokenTimes = { readonly iat: number; readonly exp: number }
export const timesOf = (app: TestApp, seconds = 300): TokenTimes => {
  const iat = unixSeconds(app.clock.now())
  return { iat, exp: iat + seconds }
}

/** The claims that every accepted token of the attestor has, for a workload with that key. */
export const commonClaims = (app: TestApp, attestor: Attestor, jkt = JKT): Json => ({
  ...(attestor.issuer === null ? {} : { iss: attestor.issuer }),
  aud: attestor.keyBinding === 'required' ? keyAudience(app.ctx, attestor.tenantId, jkt) : attestor.audience,
  ...timesOf(app),
})
