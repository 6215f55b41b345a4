// What a trust domain publishes: its bundle (SPIFFE Trust Domain and Bundle, section 4), the OpenID Connect discovery document and key set of its JWT-SVIDs
// for clouds, and CRLs. Each document is serialised once a sequence.
import { createHash } from 'node:crypto'
import { forTenant, type TenantId } from '#db/engine/tenant'
import { listRevokedCertificates } from '#db/store/svids'
import type { BaseCtx } from '#shared/domains/context'
import { secondsAfter } from '#shared/kernel/clock'
import type { Config } from '#shared/kernel/config'
import { ConstantResult } from '#shared/platform/http/route'
import { findTrustDomain, openAll, type TrustDomainKeys, type WorkloadKey } from './keys.ts'

export const BUNDLE_HINT_SECONDS = 300

/** The issuer of a tenant's own JWT-SVIDs, below which its discovery document and keys are. */
export const issuerOfTenant = ({ BASE_URL }: Pick<Config, 'BASE_URL'>, tenantId: TenantId): string => `${BASE_URL}/spiffe/${tenantId}`

type Jwk = Readonly<Record<string, unknown>>

const bundleKey = ({ use, alg, kid, publicJwk, certificate }: WorkloadKey): Jwk =>
  use === 'x509' ? { use: 'x509-svid', ...publicJwk, x5c: [certificate?.toString('base64')] } : { use: `${use}-svid`, kid, alg, ...publicJwk }

const bundleOf = ({ sequence }: TrustDomainKeys, keys: readonly WorkloadKey[]) => ({
  keys: keys.map(bundleKey),
  spiffe_sequence: sequence,
  spiffe_refresh_hint: BUNDLE_HINT_SECONDS,
})

/** The JWT keys as a JWKS (RFC 7517), for verifiers of tokens. */
const jwksOf = (keys: readonly WorkloadKey[]): { readonly keys: readonly Jwk[] } => ({
  keys: keys.filter(({ use }) => use === 'jwt').map(({ publicJwk, kid, alg }) => ({ ...publicJwk, kid, alg, use: 'sig' })),
})

const discoveryOf = (issuer: string) => ({
  issuer,
  jwks_uri: `${issuer}/jwks`,
  response_types_supported: ['id_token'],
  subject_types_supported: ['public'],
  id_token_signing_alg_values_supported: ['RS256', 'ES256'],
  claims_supported: ['iss', 'sub', 'aud', 'exp', 'iat', 'jti'],
})

const constant = (document: unknown): ConstantResult => {
  const body = JSON.stringify(document)
  return new ConstantResult(body, `"${createHash('sha256').update(body).digest('base64url')}"`)
}

type Deps = Pick<BaseCtx, 'db' | 'clock' | 'keyring' | 'config'>
/** `rs256`: the keys that AuthSec’s SDK can read. */
export type TrustDomainDocument = 'bundle' | 'jwks' | 'rs256' | 'discovery'
type Prepared = { readonly sequence: number; readonly documents: Readonly<Record<TrustDomainDocument, ConstantResult>> }

const prepared = new WeakMap<BaseCtx['keyring'], Map<string, Prepared>>()
const MAX_PREPARED = 2000

const prepare = async (ctx: Deps, domain: TrustDomainKeys): Promise<Prepared> => {
  const keys = await openAll(ctx, domain.tenantId, domain.rows)
  const documents = {
    bundle: constant(bundleOf(domain, keys)),
    jwks: constant(jwksOf(keys)),
    rs256: constant(jwksOf(keys.filter(({ alg }) => alg === 'RS256'))),
    discovery: constant(discoveryOf(issuerOfTenant(ctx.config, domain.tenantId))),
  }
  return { sequence: domain.sequence, documents }
}

/** Undefined where the tenant has no trust domain. */
export const findTrustDomainDocument = async (ctx: Deps, tenantId: TenantId, name: TrustDomainDocument): Promise<ConstantResult | undefined> => {
  const domain = await findTrustDomain(ctx, tenantId)
  if (domain === undefined) return undefined
  const all = prepared.get(ctx.keyring) ?? new Map<string, Prepared>()
  prepared.set(ctx.keyring, all)
  const known = all.get(tenantId)
  if (known?.sequence === domain.sequence) return known.documents[name]
  const made = await prepare(ctx, domain)
  if (all.size >= MAX_PREPARED) all.clear()
  all.set(tenantId, made)
  return made.documents[name]
}

const pemOf = (label: string, der: Buffer): string =>
  `-----BEGIN ${label}-----\n${(der.toString('base64').match(/.{1,64}/g) ?? []).join('\n')}\n-----END ${label}-----\n`
export const certificatePem = (der: Buffer): string => pemOf('CERTIFICATE', der)

/** The certificates of the trust domain's authorities as PEM; undefined where the tenant has none. */
export const findCaBundle = async (ctx: Deps, tenantId: TenantId): Promise<string | undefined> => {
  const domain = await findTrustDomain(ctx, tenantId)
  if (domain === undefined) return undefined
  const keys = await openAll(ctx, tenantId, domain.rows)
  return keys.flatMap(({ certificate }) => (certificate === undefined ? [] : [certificatePem(certificate)])).join('')
}

const CRL_SECONDS = 600
const CRL_FRESH_SECONDS = 300
type PreparedCrl = { readonly revoked: string; readonly madeAt: Date; readonly document: Buffer }
const crls = new WeakMap<BaseCtx['keyring'], Map<string, PreparedCrl>>()

/**
 * The CRL of a certificate authority: by default the current one. Signed on demand, and again when a certificate was revoked or half of its time is over.
 * Undefined for an unknown one.
 */
export const findCrl = async (ctx: Deps, tenantId: TenantId, kid?: string): Promise<Buffer | undefined> => {
  const domain = await findTrustDomain(ctx, tenantId)
  const row = domain?.rows.find((key) => key.use === 'x509' && (kid === undefined ? key.status === 'current' : key.kid === kid))
  const [ca] = row === undefined ? [] : await openAll(ctx, tenantId, [row])
  if (ca?.certificate === undefined) return undefined
  const now = ctx.clock.now()
  const revoked = await listRevokedCertificates(forTenant(ctx.db, tenantId), ca.kid, now)
  const state = revoked.map(({ id }) => id).join()
  const all = crls.get(ctx.keyring) ?? new Map<string, PreparedCrl>()
  crls.set(ctx.keyring, all)
  const known = all.get(ca.kid)
  const isFresh = known !== undefined && known.madeAt <= now && now < secondsAfter(known.madeAt, CRL_FRESH_SECONDS)
  if (isFresh && known.revoked === state) return known.document
  const { createCrl } = await import('./x509.ts')
  const document = await createCrl({
    ca: { certificate: ca.certificate, signingKey: ca.signingKey },
    thisUpdate: now,
    nextUpdate: secondsAfter(now, CRL_SECONDS),
    revoked: revoked.map(({ id, revokedAt }) => ({ serial: id, revokedAt: revokedAt ?? now })),
  })
  if (all.size >= MAX_PREPARED) all.clear()
  all.set(ca.kid, { revoked: state, madeAt: now, document })
  return document
}
