// Verifies tokens that this deployment issued to workloads: the signature by the tenant's keys, the claims, and the live state of the SVID, its entry and its
// agent. The tenant comes from the subject, and its keys from that tenant alone.
import { compactVerify } from 'jose'
import { forTenant, type TenantId } from '#db/engine/tenant'
import { findSvidState, type SvidState } from '#db/store/svids'
import type { BaseCtx } from '#shared/domains/context'
import { unixSeconds } from '#shared/kernel/clock'
import { objectIn, parseStrictJws, type StrictJws } from '#shared/platform/tokens/strict-jws'
import { parseSpiffeId, type SpiffeId, tenantOfSpiffeId } from './id.ts'
import { acceptedKeys, findTrustDomain } from './keys.ts'
import { ACCESS_TOKEN_TYPE } from './plane-token.ts'

type Deps = Pick<BaseCtx, 'db' | 'clock' | 'keyring' | 'config' | 'signingKeys'>

export type VerifiedSvid = {
  readonly tenantId: TenantId
  readonly spiffeId: string
  readonly issuer: string
  readonly audience: readonly string[]
  readonly claims: Readonly<Record<string, unknown>>
  readonly state: SvidState
}

type Claims = Readonly<Record<string, unknown>>
type Presented = { readonly jws: StrictJws; readonly claims: Claims; readonly id: SpiffeId; readonly tenantId: TenantId }

/** The token's parts, nothing of which is verified. */
const presentedIn = (ctx: Pick<Deps, 'config'>, token: string): Presented | undefined => {
  const jws = parseStrictJws(token)
  const claims = jws === undefined ? undefined : objectIn(jws.payloadSegment)
  const id = typeof claims?.sub === 'string' ? parseSpiffeId(claims.sub) : undefined
  const tenantId = id === undefined ? undefined : tenantOfSpiffeId(ctx.config, id)
  return jws === undefined || claims === undefined || id === undefined || tenantId === undefined ? undefined : { jws, claims, id, tenantId }
}

const isSignedBy = async (token: string, key: CryptoKey, alg: string): Promise<boolean> => {
  try {
    await compactVerify(token, key, { algorithms: [alg] })
    return true
  } catch {
    return false
  }
}

const audienceIn = (aud: unknown): readonly string[] => [aud].flat().filter((one): one is string => typeof one === 'string')

const SKEW_SECONDS = 60
const isCurrent = ({ exp, iat }: Claims, now: Date): boolean =>
  typeof exp === 'number' && typeof iat === 'number' && exp > unixSeconds(now) && iat <= unixSeconds(now) + SKEW_SECONDS

/** Whether the SVID and what it depends on still stand. */
export const isSvidLive = (state: SvidState, now: Date): boolean =>
  state.revokedAt === null && state.expiresAt > now && state.isEntryValid && state.isAgentAuthorized

const withState = async (ctx: Deps, { claims, tenantId }: Presented, kind: SvidState['kind'], kid: string): Promise<VerifiedSvid | undefined> => {
  const now = ctx.clock.now()
  if (!isCurrent(claims, now) || typeof claims.jti !== 'string' || typeof claims.iss !== 'string') return undefined
  const state = await findSvidState(forTenant(ctx.db, tenantId), claims.jti)
  if (state === undefined || state.kind !== kind || state.kid !== kid || state.spiffeId !== claims.sub || !isSvidLive(state, now)) return undefined
  return { tenantId, spiffeId: state.spiffeId, issuer: claims.iss, audience: audienceIn(claims.aud), claims, state }
}

/** A live JWT-SVID of any tenant of this deployment; undefined for any other text. The caller checks the audience, and the tenant where it expects one. */
export const verifyJwtSvid = async (ctx: Deps, token: string): Promise<VerifiedSvid | undefined> => {
  const presented = presentedIn(ctx, token)
  if (presented === undefined || presented.jws.header.typ !== 'JWT') return undefined
  const { alg, kid } = presented.jws.header
  const key = (await acceptedKeys(ctx, presented.tenantId, 'jwt')).find((one) => one.kid === kid && one.alg === alg)
  if (key === undefined || !(await isSignedBy(token, key.verifyingKey, key.alg))) return undefined
  return withState(ctx, presented, 'jwt', kid)
}

/** A live access token of the identity plane; undefined for any other text. */
export const verifyPlaneToken = async (ctx: Deps, token: string): Promise<VerifiedSvid | undefined> => {
  const presented = presentedIn(ctx, token)
  if (presented === undefined || presented.jws.header.typ !== ACCESS_TOKEN_TYPE || presented.jws.header.alg !== 'RS256') return undefined
  const { kid } = presented.jws.header
  const key = await ctx.signingKeys.verifier(kid)
  if (key === undefined || key.alg !== 'RS256' || !(await isSignedBy(token, key.key, key.alg))) return undefined
  if ((await findTrustDomain(ctx, presented.tenantId))?.isTenantActive !== true) return undefined
  return withState(ctx, presented, 'access_token', kid)
}

/** A live JWT-SVID or access token of the identity plane. */
export const verifyWorkloadToken = async (ctx: Deps, token: string): Promise<VerifiedSvid | undefined> =>
  (await verifyJwtSvid(ctx, token)) ?? (await verifyPlaneToken(ctx, token))
