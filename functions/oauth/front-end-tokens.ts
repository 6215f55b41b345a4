// Code exchange for a front end that is a client itself. A browser cannot keep a client secret, so the code verifier is the proof, and it must be that of
// the request for which the person signed in.
import type * as z from 'zod'
import { forTenant } from '#db/engine/tenant'
import { findAnyAuthorizationRequest, type StoredAuthorizationRequest } from '#db/store/oauth-authorizations'
import type { OauthClient } from '#db/store/oauth-clients'
import { FRONT_END_CALLBACK, frontEndOf } from '#shared/domains/oauth/front-end'
import { readHandle } from '#shared/domains/oauth/handles'
import { readVerifierCookie, spentVerifierCookie } from '#shared/domains/oauth/verifier-cookie'
import { AppError } from '#shared/kernel/errors'
import { sha256 } from '#shared/platform/crypto/sha256'
import { HttpResult } from '#shared/platform/http/route'
import { findClientByRowId } from './client-authentication.ts'
import type { ExchangedToken, ExchangeToken } from './front-end-tokens.schema.ts'
import { authorizationCode } from './grants/authorization-code.ts'
import type { Ctx } from './group.ts'

type Body = z.output<typeof ExchangeToken>

/** The authorization request of the challenge; a person must have signed in for it. @throws AppError login_challenge_invalid */
const requestOf = async (ctx: Ctx, text: string): Promise<StoredAuthorizationRequest> => {
  const handle = readHandle(text)
  const row = handle === undefined ? undefined : await findAnyAuthorizationRequest(forTenant(ctx.db, handle.tenantId), handle.hash)
  if (row?.kind !== 'waiting' || row.browserHash === null || row.usedAt === null) throw new AppError('login_challenge_invalid')
  return row
}

/** The verifier from the cookie of the state, the cookie of the challenge, or the body; only the one that matches the request is used. @throws AppError invalid_request */
const verifierOf = (ctx: Ctx, body: Body, codeChallenge: string | undefined): string => {
  const candidates = [readVerifierCookie(ctx, body.state), readVerifierCookie(ctx, body.login_challenge), body.code_verifier]
  const found = candidates.find((one) => one !== undefined && Buffer.from(sha256(one)).toString('base64url') === codeChallenge)
  if (found === undefined)
    throw new AppError('invalid_request', 'code_verifier is missing, or not that of the request.', { field: 'body.code_verifier' })
  return found
}

/** A client with private_key_jwt or DPoP-bound tokens must use the token endpoint. @throws AppError unauthorized_client */
const requireFrontEnd = async (ctx: Ctx, client: OauthClient, redirectUri: string): Promise<void> => {
  const frontEnd = await frontEndOf(ctx, client.tenantId, client)
  const isItself = frontEnd.kind === 'at' && redirectUri === `${frontEnd.base}${FRONT_END_CALLBACK}`
  const { origin } = ctx.request
  if (!isItself || (origin !== undefined && origin !== new URL(redirectUri).origin) || client.authMethod === 'private_key_jwt' || client.dpopBound)
    throw new AppError('unauthorized_client', 'This client exchanges its codes at the token endpoint.')
}

/** @throws AppError login_challenge_invalid, invalid_request, unauthorized_client, invalid_grant, quota_exceeded */
export const exchangeToken = async (ctx: Ctx, body: Body): Promise<HttpResult<z.input<typeof ExchangedToken>>> => {
  if (readHandle(body.code) === undefined) throw new AppError('invalid_request', 'Invalid authorization code format', { field: 'body.code' })
  const request = await requestOf(ctx, body.login_challenge)
  const { parameters } = request
  const handle = readHandle(body.login_challenge)
  const client = handle && (await findClientByRowId(ctx, handle.tenantId, request.clientId, parameters.resource))
  if (client === undefined) throw new AppError('login_challenge_invalid')
  if (parameters.state !== body.state || (parameters.redirect_uri ?? body.redirect_uri) !== body.redirect_uri) throw new AppError('invalid_grant')
  await requireFrontEnd(ctx, client, body.redirect_uri)
  const code_verifier = verifierOf(ctx, body, parameters.code_challenge)
  const form = { grant_type: 'authorization_code', code: body.code, redirect_uri: body.redirect_uri, code_verifier } as const
  // A browser gets no refresh token.
  const withoutRefresh = { ...client, grantTypes: client.grantTypes.filter((type) => type !== 'refresh_token') }
  const tokens = await authorizationCode(ctx, { form, client: withoutRefresh, jkt: undefined })
  const cookies = [spentVerifierCookie(ctx, body.state), spentVerifierCookie(ctx, body.login_challenge)]
  return new HttpResult({ access_token: tokens.access_token, token_type: tokens.token_type, expires_in: tokens.expires_in }, { cookies })
}
