// Turns an approval on another device into an authorization with its own session. The person sees the session in their list; ending it revokes the tokens.

import type { TenantTx } from '#db/engine/tenant'
import { authorizeClient, findConsentState } from '#db/store/oauth-authorizations'
import { type DetailType, insertBudgets } from '#db/store/oauth-details'
import { type AuthorizationState, findAuthorizationState } from '#db/store/oauth-families'
import { beginGrantedSession, type DecidedGrant, type PollResult, type RedeemGrant } from '#shared/domains/device-authorization/poll'
import { auditedDetails, type Details } from '#shared/domains/oauth/details'
import { newFamily } from '#shared/domains/oauth/handles'
import { isIdentityScope } from '#shared/domains/oauth/supported'
import { secondsAfter } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import { byClient, recordEvent } from '#shared/platform/audit/audit-log'
import { sha256 } from '#shared/platform/crypto/sha256'
import { admitClient } from '../admission.ts'
import { ownBudgets } from '../budgets.ts'
import { detailSelector } from '../detail-selector.ts'
import { knownTypesAt } from '../detail-types.ts'
import type { Ctx } from '../group.ts'
import type { TokenRequest } from '../token-request.ts'
import { currentScopes, type TokenSet, tokensOfPerson } from '../token-set.ts'
import { OFFLINE_SECONDS, ONLINE_SECONDS } from './lifetimes.ts'

export type Authorized = {
  readonly id: string
  readonly authorizationState: AuthorizationState
  readonly scopes: readonly string[]
  readonly details: Details
  readonly family: Uint8Array
}
type By = Pick<TokenRequest, 'client' | 'form' | 'jkt'>

/** The types of the approved details, or undefined where a detail is no longer valid. */
const typesOf = async (t: TenantTx, { details, resourceServerId }: DecidedGrant): Promise<readonly DetailType[] | undefined> => {
  try {
    return await knownTypesAt(t, details, resourceServerId ?? undefined)
  } catch (error) {
    if (error instanceof AppError && error.code === 'invalid_authorization_details') return undefined
    throw error
  }
}

/**
 * Grants the approved scopes that the person holds now, or undefined when there are none. The poll may select details. An error leaves the grant unredeemed, so
 * the client can poll again. Routes that call this emit `oauth.tokens_issued` and what begins a session.
 * @throws AppError invalid_request, invalid_target, invalid_authorization_details, invalid_grant, quota_exceeded
 */
export const authorizeApproved = async (ctx: Ctx, { client, form, jkt }: By): Promise<RedeemGrant<Authorized>> => {
  const choose = await detailSelector(form.authorization_details)
  return async (t, grant) => {
    const at = ctx.clock.now()
    const owner = { userId: grant.userId, clientId: client.clientId, resourceServerId: grant.resourceServerId }
    const { held } = await findConsentState(t, { ...owner, now: at })
    const scopes = grant.scopes.filter((scope) => isIdentityScope(scope) || held.includes(scope))
    const types = await typesOf(t, grant)
    if (types === undefined || (scopes.length === 0 && grant.details.length === 0)) return undefined
    const session = await beginGrantedSession(ctx, { scopes: [] })(t, grant)
    if (session === undefined) return undefined
    const [id, family, offline] = [ctx.random.id(), newFamily(ctx), scopes.includes('offline_access')]
    await admitClient(t, client, grant.resourceServerId, at)
    const expiresAt = secondsAfter(at, offline ? OFFLINE_SECONDS : ONLINE_SECONDS)
    await authorizeClient(t, {
      id,
      grantId: ctx.random.id(),
      ...owner,
      sessionId: session.grant.sessionId,
      offline,
      scopes,
      authTime: session.grant.authTime,
      amr: [...session.grant.amr],
      acr: session.grant.acr,
      // There is no code: the hash of random bytes fills the unique column.
      codeHash: sha256(ctx.random.bytes(32)),
      codeExpiresAt: at,
      codeUsedAt: at,
      redirectUri: '',
      codeChallenge: '',
      jkt: jkt ?? null,
      details: grant.details,
      familyHash: sha256(family),
      rotatedAt: at,
      refreshExpiresAt: expiresAt,
      createdAt: at,
      expiresAt,
    })
    await insertBudgets(t, ownBudgets(ctx, { holderId: id, details: grant.details, types, at }))
    const authorization = await findAuthorizationState(t, id, at)
    if (authorization?.alive !== true) throw new AppError('invalid_grant')
    if (form.resource !== undefined && form.resource !== authorization.resource?.resource) throw new AppError('invalid_target')
    const details = choose(authorization.details)
    await recordEvent(t, ctx, {
      event: 'oauth.tokens_issued',
      actor: byClient(client.clientId, grant.userId),
      target: { type: 'authorization', id },
      after: { scopes, resource: authorization.resource?.resource ?? null, ...auditedDetails(details) },
    })
    return { id, authorizationState: authorization, scopes: currentScopes(authorization), details, family }
  }
}

/**
 * The tokens of a poll, or why there are none.
 * @throws AppError authorization_pending, slow_down, authorization_denied, expired_token, invalid_grant
 */
export const tokensOfPoll = async (
  ctx: Ctx,
  { client, jkt }: Pick<By, 'client' | 'jkt'>,
  polled: PollResult<Authorized>,
  isExpired: () => Promise<boolean>,
): Promise<TokenSet> => {
  switch (polled.state) {
    case 'pending':
      throw new AppError('authorization_pending')
    case 'slow_down':
      throw new AppError('slow_down', undefined, { extra: { interval: polled.intervalSeconds } })
    case 'denied':
      throw new AppError('authorization_denied')
    case 'expired':
      // An unknown, used or foreign handle gets the same error (OpenID CIBA Core section 11).
      throw new AppError((await isExpired()) ? 'expired_token' : 'invalid_grant')
    case 'redeemed': {
      const { id, authorizationState, scopes, details, family } = polled.value
      return tokensOfPerson(ctx, {
        tenantId: client.tenantId,
        publicId: client.publicId,
        authorizationId: id,
        authorizationState,
        scopes,
        details,
        jkt,
        nonce: undefined,
        refresh: client.grantTypes.includes('refresh_token') ? { generation: authorizationState.generation, family } : undefined,
      })
    }
  }
}
