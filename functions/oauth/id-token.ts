// Issues ID tokens (OpenID Connect Core section 2). id-token-hint.ts reads them.
import { createHash } from 'node:crypto'
import { SignJWT } from 'jose'
import type { TenantId } from '#db/engine/tenant'
import type { AuthorizationState } from '#db/store/oauth-families'
import { unixSeconds } from '#shared/kernel/clock'
import type { Ctx } from './group.ts'

export const IDENTITY_TOKEN_SECONDS = 300

/** OpenID Connect Core section 3.1.3.6 */
const halfHash = (token: string): string => createHash('sha256').update(token).digest().subarray(0, 16).toString('base64url')

export type NewIdToken = {
  readonly tenantId: TenantId
  readonly authorizationId: string
  readonly authorizationState: AuthorizationState
  readonly accessToken: string
  /** The client's id on the wire. */
  readonly publicId: string
  readonly nonce: string | undefined
  /** Claims about the person that the granted scopes allow. */
  readonly about: Readonly<Record<string, unknown>>
}

export const issueIdToken = async (ctx: Ctx, of: NewIdToken): Promise<string> => {
  const { authorizationState: s } = of
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
  return new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid, typ: 'JWT' }).sign(key)
}
