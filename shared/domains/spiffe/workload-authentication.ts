// SVID-Proof: how a workload proves possession of its X.509-SVID where TLS ends before us. A JWS by the key of the SVID, with the SVID in `x5c`, for one
// request: its address, its method and its body. Each proof is accepted once.
import { X509Certificate } from 'node:crypto'
import { compactVerify } from 'jose'
import { forTenant, type TenantId } from '#db/engine/tenant'
import { findSvidState } from '#db/store/svids'
import type { BaseCtx } from '#shared/domains/context'
import { unixSeconds } from '#shared/kernel/clock'
import type { RequestInfo } from '#shared/kernel/context'
import { AppError } from '#shared/kernel/errors'
import { SVID_PROOF, type WorkloadAuthentication } from '#shared/platform/http/workload-authentication'
import type { Workload } from '#shared/platform/principals/principal'
import { canonicalBytes } from '#shared/platform/tokens/strict-jws'
import { isInTenantTrustDomain, parseSpiffeId, tenantOfSpiffeId } from './id.ts'
import { acceptedKeys, type WorkloadKey } from './keys.ts'
import { isSvidLive } from './verify.ts'

type Deps = Pick<BaseCtx, 'db' | 'clock' | 'keyring' | 'config' | 'cache' | 'hash' | 'signingKeys'>

const MAX_PROOF_LENGTH = 8192
const WINDOW_SECONDS = 60
const TYP = 'svid-proof+jwt'
const ALGS = ['ES256', 'ES384', 'RS256', 'PS256']

type Json = Readonly<Record<string, unknown>>
const objectOf = (segment: string | undefined): Json | undefined => {
  try {
    const value: unknown = JSON.parse(canonicalBytes(segment ?? '')?.toString('utf8') ?? '')
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined
  } catch {
    return undefined
  }
}

/** The first certificate of `x5c`; the others are ours and not read. */
const certificateIn = ({ typ, alg, x5c, ...others }: Json): { readonly alg: string; readonly leaf: X509Certificate } | undefined => {
  const [first] = Array.isArray(x5c) ? (x5c as unknown[]) : []
  if (typ !== TYP || typeof alg !== 'string' || !ALGS.includes(alg) || typeof first !== 'string' || Object.keys(others).length > 0) return undefined
  try {
    const der = Buffer.from(first, 'base64')
    return der.toString('base64') === first ? { alg, leaf: new X509Certificate(der) } : undefined
  } catch {
    return undefined
  }
}

type Named = { readonly tenantId: TenantId; readonly spiffeId: string }
/** The one URI of the certificate, in the trust domain of a tenant. */
const nameOf = (ctx: Pick<Deps, 'config'>, { subjectAltName = '' }: X509Certificate): Named | undefined => {
  const spiffeId = subjectAltName.startsWith('URI:') ? subjectAltName.slice('URI:'.length) : ''
  const id = parseSpiffeId(spiffeId)
  const tenantId = id === undefined ? undefined : tenantOfSpiffeId(ctx.config, id)
  return id === undefined || tenantId === undefined || !isInTenantTrustDomain(tenantId, id) ? undefined : { tenantId, spiffeId }
}

const isIssuedBy = (leaf: X509Certificate, { certificate }: WorkloadKey): boolean => {
  if (certificate === undefined) return false
  const ca = new X509Certificate(certificate)
  return leaf.checkIssued(ca) && leaf.verify(ca.publicKey)
}

type ProofClaims = { readonly jti: string; readonly bodyDigest: string }
/** @see the claims are those of RFC 9449 section 4.2, with the whole address and the body's digest */
const claimsIn = (
  ctx: Pick<Deps, 'config' | 'clock'>,
  { aud, htm, iat, jti, body_digest: digest }: Json,
  request: RequestInfo,
): ProofClaims | undefined => {
  if (aud !== `${ctx.config.BASE_URL}${request.page}` || htm !== request.method) return undefined
  if (typeof iat !== 'number' || Math.abs(unixSeconds(ctx.clock.now()) - iat) > WINDOW_SECONDS) return undefined
  if (typeof jti !== 'string' || jti.length < 8 || jti.length > 256 || typeof digest !== 'string' || digest.length !== 43) return undefined
  return { jti, bodyDigest: digest }
}

const isSigned = async (proof: string, leaf: X509Certificate, alg: string): Promise<boolean> => {
  try {
    await compactVerify(proof, leaf.publicKey, { algorithms: [alg] })
    return true
  } catch {
    return false
  }
}

const serialOf = (leaf: X509Certificate): string => leaf.serialNumber.toLowerCase()

/** The authority is verified before the proof: only keys that we certified are used. */
const issuerOf = async (ctx: Deps, { tenantId }: Named, leaf: X509Certificate): Promise<WorkloadKey | undefined> =>
  (await acceptedKeys(ctx, tenantId, 'x509')).find((key) => isIssuedBy(leaf, key))

const stateOf = async (ctx: Deps, { tenantId, spiffeId }: Named, leaf: X509Certificate, ca: WorkloadKey) => {
  const state = await findSvidState(forTenant(ctx.db, tenantId), serialOf(leaf))
  const isIts = state !== undefined && state.kind === 'x509' && state.kid === ca.kid && state.spiffeId === spiffeId
  return isIts && isSvidLive(state, ctx.clock.now()) ? state : undefined
}

const proved = async (ctx: Deps, proof: string, request: RequestInfo): Promise<Workload | undefined> => {
  const segments = proof.split('.')
  if (proof.length > MAX_PROOF_LENGTH || segments.length !== 3) return undefined
  const [header, payload] = [objectOf(segments[0]), objectOf(segments[1])]
  const presented = header === undefined ? undefined : certificateIn(header)
  const claims = payload === undefined ? undefined : claimsIn(ctx, payload, request)
  const named = presented === undefined ? undefined : nameOf(ctx, presented.leaf)
  if (presented === undefined || claims === undefined || named === undefined) return undefined
  const ca = await issuerOf(ctx, named, presented.leaf)
  if (ca === undefined || !(await isSigned(proof, presented.leaf, presented.alg))) return undefined
  const state = await stateOf(ctx, named, presented.leaf, ca)
  if (state === undefined) return undefined
  const key = Buffer.from(ctx.hash('svid-proof', state.id, claims.jti)).toString('base64url')
  if (!(await ctx.cache.putIfAbsent(`svid-proof:${key}`, '1', 3 * WINDOW_SECONDS))) return undefined
  return {
    kind: 'workload',
    tenantId: named.tenantId,
    spiffeId: named.spiffeId,
    entryId: state.entryId,
    ...(state.instanceId === null ? {} : { instanceId: state.instanceId }),
    ...(state.agentId === null ? {} : { agentId: state.agentId }),
    svidId: state.id,
    jkt: state.jkt ?? '',
    notAfter: state.expiresAt,
    permissions: new Set(),
    bodyDigest: claims.bodyDigest,
  }
}

export const createWorkloadAuthentication = (ctx: Deps): WorkloadAuthentication => ({
  authenticate: async (request) => {
    const proof = request.header(SVID_PROOF)
    if (proof === undefined) {
      if (request.header('authorization') !== undefined) throw new AppError('invalid_token')
      throw new AppError('unauthorized', 'An SVID-Proof header is required.')
    }
    const workload = await proved(ctx, proof, request)
    if (workload === undefined) throw new AppError('invalid_token')
    return workload
  },
})
