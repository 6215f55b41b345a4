// The checks that all signed evidence has in common, each once and in this order.
import { compactVerify, importJWK, type JWK } from 'jose'
import type { Attestor } from '#db/store/attestors'
import { type KeyFreshness, keysOfIssuer } from '#shared/domains/oauth/issuer-keys'
import { unixSeconds } from '#shared/kernel/clock'
import { weaknessOf } from '#shared/platform/crypto/public-key'
import { sha256 } from '#shared/platform/crypto/sha256'
import { type ForeignJws, type JsonObject, parseForeignJws } from '#shared/platform/tokens/foreign-jws'
import { audienceFor } from './key-binding.ts'
import type { AttestationCtx, PresentedEvidence } from './method.ts'
import { refuseEvidence, requireEvidence } from './refusal.ts'

export const MAX_EVIDENCE_BYTES = 16 * 1024
export const SKEW_SECONDS = 30
export const MAX_LIFETIME_SECONDS = 24 * 3600
const FRESHNESS: KeyFreshness = { cacheMs: 300_000, refetchMs: 60_000, staleMs: 600_000 }

/** The only header members: keys and addresses of keys in the evidence itself are refused. */
const HEADER = new Set(['alg', 'kid', 'typ', 'x5t', 'x5t#S256'])
const CERTIFIED_HEADER = new Set(['alg', 'typ', 'x5c'])

/** @throws EvidenceRefusal size, encoding */
export const parseEvidence = (evidence: string): ForeignJws => {
  requireEvidence(Buffer.byteLength(evidence) <= MAX_EVIDENCE_BYTES, 'size')
  return parseForeignJws(evidence) ?? refuseEvidence('encoding')
}

type HeaderChecks = { readonly algorithms: readonly string[]; readonly types?: readonly string[]; readonly certified?: true }

/** @throws EvidenceRefusal critical, header, type, algorithm */
export const requireHeader = ({ header }: ForeignJws, { algorithms, types = ['jwt'], certified }: HeaderChecks): string => {
  const { alg, typ } = header
  requireEvidence(!Object.hasOwn(header, 'crit'), 'critical')
  const known = certified ? CERTIFIED_HEADER : HEADER
  requireEvidence(
    Object.keys(header).every((name) => known.has(name)),
    'header',
  )
  requireEvidence(typ === undefined || (typeof typ === 'string' && types.includes(typ.toLowerCase())), 'type')
  requireEvidence(typeof alg === 'string' && algorithms.includes(alg) && alg !== 'none' && !alg.startsWith('HS'), 'algorithm')
  return alg
}

const findKey = (keys: readonly JWK[], kid: string, alg: string): JWK => {
  const [key, ...others] = keys.filter((one) => one.kid === kid)
  if (key === undefined || others.length > 0) return refuseEvidence('key')
  const isForSignatures = (key.use === undefined || key.use === 'sig') && (key.key_ops === undefined || key.key_ops.includes('verify'))
  requireEvidence(isForSignatures && (key.alg === undefined || key.alg === alg) && weaknessOf(key) === undefined, 'key')
  return key
}

/** @throws EvidenceRefusal signature */
export const requireSignature = async (evidence: string, key: JWK, alg: string): Promise<void> => {
  try {
    await compactVerify(evidence, await importJWK(key, alg), { algorithms: [alg] })
  } catch (error) {
    refuseEvidence('signature', error)
  }
}

const isTime = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)

/** @throws EvidenceRefusal expiry, issued_at, lifetime, not_before */
export const requireTimes = (
  { exp, iat, nbf }: JsonObject,
  now: Date,
  { maxAgeSeconds }: Pick<Attestor, 'maxAgeSeconds'>,
  most = MAX_LIFETIME_SECONDS,
): Date => {
  const at = unixSeconds(now)
  requireEvidence(isTime(exp) && exp > at - SKEW_SECONDS, 'expiry')
  requireEvidence(isTime(iat) && iat <= at + SKEW_SECONDS && iat >= at - maxAgeSeconds - SKEW_SECONDS, 'issued_at')
  requireEvidence(exp > iat && exp - iat <= most, 'lifetime')
  requireEvidence(nbf === undefined || (isTime(nbf) && nbf <= at + SKEW_SECONDS), 'not_before')
  return new Date(exp * 1000)
}

/** One exact audience. Kubernetes and SPIFFE write it as a list of one. @throws EvidenceRefusal audience */
export const requireAudience = ({ aud }: JsonObject, wanted: string | null, mayBeList = false): void => {
  const value: unknown = mayBeList && Array.isArray(aud) && aud.length === 1 ? aud[0] : aud
  requireEvidence(wanted !== null && wanted !== '' && value === wanted, 'audience')
}

export type TokenChecks = {
  /** Keys from elsewhere than the attestor's row. */
  readonly keys?: readonly JWK[]
  /** The `typ` values in lower case besides an absent one. */
  readonly types?: readonly string[]
  readonly listedAudience?: true
  /** JWT-SVIDs need no issuer; their keys belong to the trust domain. */
  readonly withoutIssuer?: true
  readonly maxLifetimeSeconds?: number
}
export type VerifiedToken = { readonly claims: JsonObject; readonly digest: Uint8Array; readonly expiresAt: Date }

/** Verifies a token against the attestor's issuer, keys, algorithms and audience. @throws EvidenceRefusal */
export const verifyToken = async (
  ctx: AttestationCtx,
  { attestor, evidence, jkt }: PresentedEvidence,
  checks: TokenChecks = {},
): Promise<VerifiedToken> => {
  const jws = parseEvidence(evidence)
  const alg = requireHeader(jws, { algorithms: attestor.algorithms, ...(checks.types === undefined ? {} : { types: checks.types }) })
  const { kid } = jws.header
  requireEvidence(typeof kid === 'string' && kid !== '' && kid.length <= 256, 'kid')
  const keys = checks.keys ?? (await keysOfIssuer(ctx, attestor, kid, FRESHNESS))
  await requireSignature(evidence, findKey(keys, kid, alg), alg)
  const claims = jws.payload
  requireEvidence(checks.withoutIssuer === true || (attestor.issuer !== null && claims.iss === attestor.issuer), 'issuer')
  requireAudience(claims, audienceFor(ctx, attestor, jkt), checks.listedAudience)
  const expiresAt = requireTimes(claims, ctx.clock.now(), attestor, checks.maxLifetimeSeconds)
  return { claims, digest: sha256(jws.signingInput), expiresAt }
}
