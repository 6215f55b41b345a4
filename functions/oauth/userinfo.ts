// Userinfo: claims about a person, for an access token presented by RFC 6750 or RFC 9449 section 7.
import type * as z from 'zod'
import { forTenant } from '#db/engine/tenant'
import { findAuthorizationState } from '#db/store/oauth-families'
import { findTokenState } from '#db/store/oauth-introspection'
import { type AccessClaims, tokenQueryOf, verifyAccessToken } from '#shared/domains/oauth/access-token'
import { proofKey } from '#shared/domains/oauth/dpop'
import { CLIENT_SIGNING_ALGS } from '#shared/domains/oauth/supported'
import { AppError } from '#shared/kernel/errors'
import type { Ctx } from './group.ts'
import type { Userinfo } from './introspection.schema.ts'
import { currentScopes, identityClaims } from './token-set.ts'

const challenge = (scheme: string, error: string | undefined): Readonly<Record<string, string>> => ({
  'WWW-Authenticate': `${scheme} realm="authsec"${error === undefined ? '' : `, error="${error}"`}${scheme === 'DPoP' ? `, algs="${CLIENT_SIGNING_ALGS.join(' ')}"` : ''}`,
})
const unauthorised = (scheme: string, error?: string): AppError =>
  new AppError(error === undefined ? 'unauthorized' : 'invalid_token', undefined, { headers: challenge(scheme, error) })

/** The verified access token of the request. A DPoP-bound token is not accepted as a bearer token (RFC 9449 section 7.1). */
const presentedToken = async (ctx: Ctx): Promise<AccessClaims> => {
  const [scheme = '', token = '', ...rest] = (ctx.request.header('authorization') ?? '').split(' ')
  const kind = scheme.toLowerCase()
  if ((kind !== 'bearer' && kind !== 'dpop') || token === '' || rest.length > 0) throw unauthorised('Bearer')
  const name = kind === 'dpop' ? 'DPoP' : 'Bearer'
  const claims = await verifyAccessToken(ctx, token)
  if (claims === undefined || (claims.jkt === undefined) === (kind === 'dpop')) throw unauthorised(name, 'invalid_token')
  if (claims.jkt === undefined) return claims
  const jkt = await proofKey(ctx, { method: ctx.request.method, target: ctx.request.page, token }).catch((error: unknown) => {
    if (!(error instanceof AppError)) throw error
    throw new AppError(error.code, error.message, { ...error.details, headers: { ...error.details.headers, ...challenge('DPoP', error.code) } })
  })
  if (jkt !== claims.jkt) throw unauthorised('DPoP', 'invalid_token')
  return claims
}

/** @throws AppError unauthorized, invalid_token, insufficient_scope, invalid_dpop_proof, use_dpop_nonce */
export const userinfo = async (ctx: Ctx): Promise<z.input<typeof Userinfo>> => {
  const claims = await presentedToken(ctx)
  const scheme = claims.jkt === undefined ? 'Bearer' : 'DPoP'
  const t = forTenant(ctx.db, claims.tenantId)
  const now = ctx.clock.now()
  if (claims.authorizationId === undefined || !claims.scopes.includes('openid')) {
    throw new AppError('insufficient_scope', 'The token must have the scope openid.', {
      headers: { 'WWW-Authenticate': `${scheme} realm="authsec", error="insufficient_scope", scope="openid"` },
    })
  }
  const state = await findTokenState(t, tokenQueryOf(claims, now))
  const authorization = state?.alive === true ? await findAuthorizationState(t, claims.authorizationId, now) : undefined
  if (authorization === undefined || authorization.revoked || !authorization.alive) throw unauthorised(scheme, 'invalid_token')
  const scopes = claims.scopes.filter((scope) => currentScopes(authorization).includes(scope))
  return { sub: claims.sub, ...identityClaims(authorization, scopes) }
}
