// The response of the token endpoint: the access token and, for a person, the ID token and the next refresh token.

import type { TenantId } from '#db/engine/tenant'
import type { Act } from '#db/store/oauth-delegations'
import type { AuthorizationDetail } from '#db/store/oauth-details'
import type { AuthorizationState } from '#db/store/oauth-families'
import { issueAccessToken } from '#shared/domains/oauth/access-token'
import { refreshToken } from '#shared/domains/oauth/handles'
import { isIdentityScope } from '#shared/domains/oauth/supported'
import type { Ctx } from './group.ts'
import { IDENTITY_TOKEN_SECONDS, issueIdToken } from './id-token.ts'

export type TokenSet = {
  readonly access_token: string
  /** `N_A`: the issued token is not an access token (RFC 8693 section 2.2.1). */
  readonly token_type: 'Bearer' | 'DPoP' | 'N_A'
  readonly expires_in: number
  readonly scope: string
  readonly refresh_token?: string
  readonly id_token?: string
  readonly issued_token_type?: string
  readonly authorization_details?: AuthorizationDetail[]
}

/** The granted scopes that the person still holds. */
export const currentScopes = ({ scopes, resource }: AuthorizationState): readonly string[] =>
  scopes.filter((scope) => isIdentityScope(scope) || resource?.scopes.includes(scope) === true)

/** Claims about the person, by the scopes that allow them (OpenID Connect Core section 5.4). */
export const identityClaims = (person: AuthorizationState, scopes: readonly string[]) => ({
  ...(scopes.includes('profile')
    ? {
        name: person.name,
        ...(person.username === undefined ? {} : { preferred_username: person.username }),
        ...(person.picture === undefined ? {} : { picture: person.picture }),
      }
    : {}),
  ...(scopes.includes('email') ? { email: person.email, email_verified: person.emailVerified } : {}),
})

/** The act claim of an agent, with the earlier actors (RFC 8693 section 4.1). */
export const actOf = (clientId: string, before?: Act): Act => ({
  sub: clientId,
  client_id: clientId,
  ...(before === undefined ? {} : { act: before }),
})

/** RFC 9396 section 7: the response contains the details of the token. */
export const disclosedDetails = (details: readonly AuthorizationDetail[]) =>
  details.length === 0 ? {} : { authorization_details: details as AuthorizationDetail[] }

export type PersonTokens = {
  readonly tenantId: TenantId
  readonly authorizationId: string
  readonly authorizationState: AuthorizationState
  readonly scopes: readonly string[]
  readonly details: readonly AuthorizationDetail[]
  readonly jkt: string | undefined
  /** Only for the first ID token, with the code (OpenID Connect Core section 12.2). */
  readonly nonce: string | undefined
  readonly refresh: { readonly generation: number; readonly family: Uint8Array } | undefined
  /** The client's id on the wire, the audience of its ID tokens. */
  readonly publicId: string
}

/** Signs tokens, so do not call it inside a transaction. */
export const tokensOfPerson = async (ctx: Ctx, of: PersonTokens): Promise<TokenSet> => {
  const { authorizationState: s, scopes, authorizationId, tenantId, details, nonce } = of
  const ttlSeconds = s.resource?.tokenSeconds ?? IDENTITY_TOKEN_SECONDS
  const accessToken = await issueAccessToken(ctx, {
    tenantId,
    sub: s.userId,
    clientId: s.clientId,
    audience: s.resource?.resource ?? ctx.config.BASE_URL,
    scopes,
    authorizationId,
    act: s.isAgent ? actOf(s.clientId) : undefined,
    details,
    jkt: of.jkt,
    authentication: { authTime: s.authTime, acr: s.acr, amr: s.amr, sessionId: s.sessionId },
    ttlSeconds,
  })
  const about = identityClaims(s, scopes)
  return {
    access_token: accessToken,
    token_type: of.jkt === undefined ? 'Bearer' : 'DPoP',
    expires_in: ttlSeconds,
    scope: scopes.join(' '),
    ...disclosedDetails(details),
    ...(of.refresh === undefined ? {} : { refresh_token: refreshToken(ctx, { tenantId, authorizationId, ...of.refresh }) }),
    ...(scopes.includes('openid')
      ? { id_token: await issueIdToken(ctx, { tenantId, authorizationId, authorizationState: s, accessToken, nonce, about, publicId: of.publicId }) }
      : {}),
  }
}
