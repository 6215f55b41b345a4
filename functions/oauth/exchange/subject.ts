// The subject of a token exchange (RFC 8693 section 2.1): an active token of ours, and the authorization or delegation that it depends on.

import type { TenantDb } from '#db/engine/tenant'
import type { OauthClient } from '#db/store/oauth-clients'
import { type Act, findDelegation } from '#db/store/oauth-delegations'
import type { AuthorizationDetail } from '#db/store/oauth-details'
import { findAuthorizationState } from '#db/store/oauth-families'
import { findTokenState } from '#db/store/oauth-introspection'
import { type AccessClaims, madeAt, tokenQueryOf, verifyAccessToken } from '#shared/domains/oauth/access-token'
import { isIdentityScope, TOKEN_TYPES } from '#shared/domains/oauth/supported'
import { AppError } from '#shared/kernel/errors'
import type { Ctx } from '../group.ts'
import { readIdTokenHint } from '../id-token-hint.ts'
import type { TokenRequest } from '../token-request.ts'
import { actOf, currentScopes } from '../token-set.ts'

/** The origin of a delegation chain. */
export type Root = {
  readonly authorizationId: string | null
  readonly rootClientId: string | null
  readonly issuerId: string | null
  readonly rootMadeAt: Date
}
export type Subject = {
  readonly sub: string
  /** The client that holds the token. */
  readonly clientId: string
  readonly userId: string | undefined
  readonly serviceAccountId: string | undefined
  readonly tokenId: string | undefined
  readonly expiresAt: Date
  readonly audience: string | undefined
  readonly resourceServerId: string | undefined
  /** Scopes of the resource server that can still be granted. */
  readonly scopes: readonly string[]
  readonly details: readonly AuthorizationDetail[]
  readonly act: Act | undefined
  /** The number of actors, including those that an impersonation does not disclose. */
  readonly depth: number
  readonly jkt: string | undefined
  readonly mayAct: string | undefined
  readonly authentication: AccessClaims['authentication']
  readonly path: readonly string[]
  /** The id of the authorization or delegation that holds the budgets of the details. */
  readonly holderId: string | undefined
  readonly root: Root
}

export const depthOf = (act: Act | undefined): number => (act === undefined ? 0 : 1 + depthOf(act.act))

/** RFC 8693 section 2.2.2: every defect of a token is reported as invalid_request. */
export const unacceptable = (what: 'subject_token' | 'actor_token', why = 'is invalid, expired or revoked.'): AppError =>
  new AppError('invalid_request', `The ${what} ${why}`)

const ofResource = (scopes: readonly string[], held: readonly string[]): readonly string[] =>
  scopes.filter((scope) => !isIdentityScope(scope) && held.includes(scope))

const pickRoot = ({ authorizationId, rootClientId, issuerId, rootMadeAt }: Root): Root => ({ authorizationId, rootClientId, issuerId, rootMadeAt })
const rootOf = (claims: AccessClaims): Root => ({
  authorizationId: claims.authorizationId ?? null,
  rootClientId: claims.authorizationId === undefined ? claims.clientId : null,
  issuerId: null,
  rootMadeAt: madeAt(claims),
})

/** Reads an active access token of ours. */
const fromAccessToken = async (ctx: Ctx, t: TenantDb, token: string): Promise<Subject | undefined> => {
  const claims = await verifyAccessToken(ctx, token)
  if (claims === undefined || claims.tenantId !== t.tenantId) return undefined
  const state = await findTokenState(t, tokenQueryOf(claims, ctx.clock.now()))
  if (state?.alive !== true) return undefined
  const step = claims.delegationId === undefined ? undefined : await findDelegation(t, claims.delegationId)
  if (claims.delegationId !== undefined && step === undefined) return undefined
  return {
    sub: claims.sub,
    clientId: claims.clientId,
    userId: state.userId,
    serviceAccountId: state.serviceAccountId,
    tokenId: claims.tokenId,
    expiresAt: claims.expiresAt,
    audience: claims.audience,
    resourceServerId: state.resourceServerId,
    scopes: ofResource(claims.scopes, state.scopes),
    details: claims.details,
    act: claims.act,
    depth: step?.depth ?? depthOf(claims.act),
    jkt: claims.jkt,
    mayAct: claims.mayAct,
    authentication: claims.authentication,
    path: step?.path ?? [],
    holderId: claims.delegationId ?? claims.authorizationId,
    root: step === undefined ? rootOf(claims) : pickRoot(step),
  }
}

/** A valid ID token of ours represents the authorization that it was issued with, for the client in its audience. */
const fromIdToken = async (ctx: Ctx, t: TenantDb, token: string, { clientId, publicId }: OauthClient): Promise<Subject | undefined> => {
  const [claims, now] = [await readIdTokenHint(ctx, token), ctx.clock.now()]
  if (claims?.audience !== publicId || claims.tenantId !== t.tenantId || claims.expiresAt <= now) return undefined
  const authorization = await findAuthorizationState(t, claims.authorizationId, now)
  if (authorization === undefined || authorization.revoked || !authorization.alive || authorization.clientId !== clientId) return undefined
  const act = authorization.isAgent ? actOf(clientId) : undefined
  return {
    sub: authorization.userId,
    clientId,
    userId: authorization.userId,
    serviceAccountId: undefined,
    tokenId: undefined,
    expiresAt: claims.expiresAt,
    audience: authorization.resource?.resource,
    resourceServerId: authorization.resource?.id,
    scopes: ofResource(authorization.scopes, currentScopes(authorization)),
    details: authorization.details,
    act,
    depth: depthOf(act),
    jkt: authorization.jkt,
    mayAct: undefined,
    authentication: { authTime: authorization.authTime, acr: authorization.acr, amr: authorization.amr, sessionId: authorization.sessionId },
    path: [],
    holderId: claims.authorizationId,
    root: { authorizationId: claims.authorizationId, rootClientId: null, issuerId: null, rootMadeAt: now },
  }
}

/** @throws AppError invalid_request */
export const readSubject = async (ctx: Ctx, t: TenantDb, { form, client }: TokenRequest): Promise<Subject> => {
  const { subject_token: token, subject_token_type: type } = form
  if (token === undefined) throw new AppError('invalid_request', 'subject_token is missing.')
  if (type === undefined) throw new AppError('invalid_request', 'subject_token_type is missing.')
  const isAccess = type === TOKEN_TYPES.access || type === TOKEN_TYPES.jwt
  if (!isAccess && type !== TOKEN_TYPES.id) throw new AppError('invalid_request', 'This subject_token_type is not offered.')
  const subject = isAccess ? await fromAccessToken(ctx, t, token) : await fromIdToken(ctx, t, token, client)
  if (subject === undefined) throw unacceptable('subject_token')
  return subject
}

/**
 * The actor is the client of the request. actor_token may only be a token that this client holds for itself, without delegation.
 * @throws AppError invalid_request
 */
export const validateActorToken = async (ctx: Ctx, t: TenantDb, { form, client }: TokenRequest): Promise<void> => {
  const { actor_token: token, actor_token_type: type } = form
  if (token === undefined && type === undefined) return
  if (token === undefined || type === undefined) throw new AppError('invalid_request', 'actor_token and actor_token_type come together.')
  if (type !== TOKEN_TYPES.access && type !== TOKEN_TYPES.jwt) throw new AppError('invalid_request', 'This actor_token_type is not offered.')
  const claims = await verifyAccessToken(ctx, token)
  if (claims === undefined || claims.tenantId !== t.tenantId || claims.clientId !== client.clientId) throw unacceptable('actor_token')
  if (claims.sub !== client.clientId || claims.act !== undefined) throw unacceptable('actor_token', 'is not of the actor itself.')
  const state = await findTokenState(t, tokenQueryOf(claims, ctx.clock.now()))
  if (state?.alive !== true) throw unacceptable('actor_token')
}
