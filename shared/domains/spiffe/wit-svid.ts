// WIT-SVIDs: bound to the workload's key, without `aud`, and worthless without a proof by that key.
import { createPublicKey } from 'node:crypto'
import { calculateJwkThumbprint, type JWK, SignJWT } from 'jose'
import { asTenantId } from '#db/engine/tenant'
import type { RegistrationEntry } from '#db/store/registration-entries'
import { secondsAfter, unixSeconds } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import { DEFAULT_JWT_SECONDS } from './entries.ts'
import { type IssueCtx, type IssuedToken, type IssueOptions, lifetime, recordSigned, type SignedSvid } from './issued.ts'
import { workloadSigner } from './signer.ts'
import { requireOwnTrustDomain } from './x509-svid.ts'

const WORKLOAD_ALGS: Readonly<Record<string, string>> = { 'P-256': 'ES256', 'P-384': 'ES384', Ed25519: 'EdDSA' }

/** The public members of a workload's key, with its algorithm. @throws AppError invalid_request */
const confirmationKey = (jwk: Readonly<Record<string, unknown>>): JWK => {
  const { kty, crv } = jwk
  const alg = typeof crv === 'string' ? WORKLOAD_ALGS[crv] : undefined
  try {
    if (alg === undefined || 'd' in jwk) throw new Error('no public key')
    const { x, y } = createPublicKey({ key: jwk as JWK, format: 'jwk' }).export({ format: 'jwk' })
    return { kty: String(kty), crv: String(crv), ...(x === undefined ? {} : { x }), ...(y === undefined ? {} : { y }), alg }
  } catch (cause) {
    throw new AppError('invalid_request', 'body.jwk: a public key on P-256, P-384 or Ed25519', { field: 'body.jwk' }, cause)
  }
}

export type WitSvidRequested = {
  readonly jwk: Readonly<Record<string, unknown>>
  /** Lifetime, shortened to what the entry allows. */
  readonly seconds?: number | undefined
}

/** @throws AppError invalid_request, not_found */
export const signWitSvid = async (ctx: IssueCtx, entry: RegistrationEntry, { jwk, seconds }: WitSvidRequested): Promise<SignedSvid<IssuedToken>> => {
  requireOwnTrustDomain(entry)
  const confirmation = confirmationKey(jwk)
  const key = await workloadSigner(ctx, asTenantId(entry.tenantId), 'wit', 'ES256')
  const [id, issuedAt] = [ctx.random.id(), ctx.clock.now()]
  const expiresAt = secondsAfter(issuedAt, lifetime(seconds, DEFAULT_JWT_SECONDS, entry.jwtSeconds))
  const claims = { sub: entry.spiffeId, iat: unixSeconds(issuedAt), exp: unixSeconds(expiresAt), jti: id, cnf: { jwk: confirmation } }
  const token = await new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: key.kid, typ: 'wit+jwt' }).sign(key.signingKey)
  const jkt = await calculateJwkThumbprint(confirmation)
  return {
    result: { id, token, spiffeId: entry.spiffeId, issuedAt, expiresAt },
    record: { row: { id, kind: 'wit', kid: key.kid, jkt, issuedAt, expiresAt } },
  }
}

/** Events: svid.issued. @throws AppError invalid_request, not_found */
export const issueWitSvid = async (ctx: IssueCtx, entry: RegistrationEntry, options: IssueOptions & WitSvidRequested): Promise<IssuedToken> =>
  recordSigned(ctx, entry, options, await signWitSvid(ctx, entry, options))
