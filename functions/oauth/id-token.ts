// ID tokens (OpenID Connect Core section 2): who signed in, for one client. Shown to us again by that client alone, as what a token exchange begins with.
import { createHash } from 'node:crypto'
import { compactVerify, SignJWT } from 'jose'
import type { Standing } from '#db/store/oauth-authorizations'
import { asTenantId, type TenantId } from '#db/tenant'
import { unixSeconds } from '#shared/clock'
import { MAX_TOKEN_LENGTH, objectIn, parseStrictJws } from '#shared/token/strict-jws'
import type { Ctx } from './group.ts'

export const IDENTITY_TOKEN_SECONDS = 300
const TYP = 'JWT'

/** OpenID Connect Core section 3.1.3.6 */
const halfHash = (token: string): string => createHash('sha256').update(token).digest().subarray(0, 16).toString('base64url')

export type NewIdToken = {
  readonly tenantId: TenantId
  readonly authorizationId: string
  readonly standing: Standing
  readonly accessToken: string
  /** What the client calls itself. */
  readonly publicId: string
  readonly nonce: string | undefined
  /** About the person, by the scopes that allow it. */
  readonly about: Readonly<Record<string, unknown>>
}

export const issueIdToken = async (ctx: Ctx, of: NewIdToken): Promise<string> => {
  const { standing: s } = of
  const iat = unixSeconds(ctx.clock.now())
  const { kid, key } = await ctx.signingKeys.signer('RS256')
  const claims = {
    iss: ctx.config.BASE_URL,
    sub: s.userId,
    aud: of.publicId,
    iat,
    exp: iat + IDENTITY_TOKEN_SECONDS,
    auth_time: unixSeconds(s.authTime),
    acr: s.acr,
    amr: s.amr,
    sid: s.sessionId,
    tenant_id: of.tenantId,
    authorization_id: of.authorizationId,
    at_hash: halfHash(of.accessToken),
    ...(of.nonce === undefined ? {} : { nonce: of.nonce }),
    ...of.about,
  }
  return new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid, typ: TYP }).sign(key)
}

export type IdClaims = { readonly tenantId: TenantId; readonly sub: string; readonly authorizationId: string; readonly expiresAt: Date }

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const isUuid = (value: unknown): value is string => typeof value === 'string' && UUID.test(value)

/** The claims of an ID token of ours for that client, in time; undefined for anything else. */
export const verifyIdToken = async (ctx: Ctx, token: string, clientId: string): Promise<IdClaims | undefined> => {
  const jws = token.length > MAX_TOKEN_LENGTH ? undefined : parseStrictJws(token)
  if (jws === undefined || jws.header.typ !== TYP || jws.header.alg !== 'RS256') return undefined
  const verifier = await ctx.signingKeys.verifier(jws.header.kid)
  if (verifier?.alg !== 'RS256') return undefined
  try {
    await compactVerify(token, verifier.key, { algorithms: ['RS256'] })
  } catch {
    return undefined
  }
  const { iss, aud, exp, sub, tenant_id, authorization_id } = objectIn(jws.payloadSegment) ?? {}
  if (iss !== ctx.config.BASE_URL || aud !== clientId || !isUuid(sub) || !isUuid(tenant_id) || !isUuid(authorization_id)) return undefined
  if (typeof exp !== 'number' || exp <= unixSeconds(ctx.clock.now())) return undefined
  return { tenantId: asTenantId(tenant_id), sub, authorizationId: authorization_id, expiresAt: new Date(exp * 1000) }
}
