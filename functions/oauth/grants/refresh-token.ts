// Refresh token rotation (RFC 6749 section 6, RFC 9700 section 4.14.2). The previous token stays valid for a few seconds, in case a response was lost; reuse of an
// older one means that two parties hold the family, and revokes it.

import { atomically, forTenant } from '#db/engine/tenant'
import { type AuthorizationState, findAuthorizationState, revokeAuthorization, rotateRefresh } from '#db/store/oauth-families'
import { type RefreshToken, readRefreshToken } from '#shared/domains/oauth/handles'
import { AppError } from '#shared/kernel/errors'
import { byClient, recordEvent } from '#shared/platform/audit/audit-log'
import { constantTimeEqual } from '#shared/platform/crypto/equal'
import { sha256 } from '#shared/platform/crypto/sha256'
import { detailSelector } from '../detail-selector.ts'
import type { Ctx } from '../group.ts'
import { parseScopes } from '../scopes.ts'
import type { Grant, TokenRequest } from '../token-request.ts'
import { currentScopes, tokensOfPerson } from '../token-set.ts'

const RETRY_SECONDS = 10

type Presented = { readonly clientId: string; readonly generation: number; readonly familyHash: Uint8Array; readonly jkt: string | undefined }
type Outcome = 'rotated' | 'retry' | 'reuse' | 'refused'

/** Decides what happens to a presented refresh token. `rotated`: this request rotated the current token. Pure. */
export const decideRefresh = (s: AuthorizationState, presented: Presented, rotated: boolean, now: Date): Outcome => {
  const isOwn =
    s.clientId === presented.clientId && s.familyHash !== undefined && constantTimeEqual(new Uint8Array(s.familyHash), presented.familyHash)
  if (!isOwn || s.revoked || (s.jkt !== undefined && s.jkt !== presented.jkt)) return 'refused'
  if (rotated) return 'rotated'
  if (!s.alive || s.refreshExpiresAt === undefined || s.refreshExpiresAt <= now) return 'refused'
  // The token was current but not rotated: a parallel request was faster, or this one requests more than was granted.
  if (presented.generation === s.generation) return 'retry'
  const age = s.rotatedAt === undefined ? Number.POSITIVE_INFINITY : (now.getTime() - s.rotatedAt.getTime()) / 1000
  return presented.generation === s.generation - 1 && age <= RETRY_SECONDS ? 'retry' : 'reuse'
}

const endFamily = (ctx: Ctx, { client }: TokenRequest, { authorizationId }: RefreshToken, userId: string): Promise<void> =>
  atomically(forTenant(ctx.db, client.tenantId), async (t) => {
    if (!(await revokeAuthorization(t, authorizationId, ctx.clock.now(), 'refresh_token_reused'))) return
    const target = { type: 'authorization', id: authorizationId }
    await recordEvent(t, ctx, {
      event: 'oauth.authorization_revoked',
      actor: byClient(client.clientId, userId),
      target,
      after: { reason: 'refresh_token_reused' },
    })
  })

const narrowed = (authorizationState: AuthorizationState, requested: readonly string[]): readonly string[] => {
  if (requested.some((scope) => !authorizationState.scopes.includes(scope)))
    throw new AppError('invalid_scope', 'A refresh cannot widen the granted scopes.')
  const held = currentScopes(authorizationState)
  return requested.length === 0 ? held : requested.filter((scope) => held.includes(scope))
}

/** @throws AppError invalid_request, invalid_grant, invalid_scope, invalid_target, invalid_authorization_details */
export const refreshTokenGrant: Grant = async (ctx, request) => {
  const { client, form, jkt } = request
  if (form.refresh_token === undefined) throw new AppError('invalid_request', 'refresh_token is missing.')
  const wanted = parseScopes(form.scope)
  const choose = await detailSelector(form.authorization_details)
  const presented = readRefreshToken(ctx, form.refresh_token)
  if (presented === undefined || presented.tenantId !== client.tenantId) throw new AppError('invalid_grant')
  const [now, familyHash, clientId] = [ctx.clock.now(), sha256(presented.family), client.clientId]
  const { generation, authorizationId: id } = presented
  // A request for details that were not granted must not rotate the token.
  if (form.authorization_details !== undefined) choose((await findAuthorizationState(forTenant(ctx.db, client.tenantId), id, now))?.details ?? [])
  const rotation = { id, generation, familyHash, clientId, jkt, now, scopes: wanted, resource: form.resource }
  const found = await rotateRefresh(forTenant(ctx.db, client.tenantId), rotation)
  if (found === undefined) throw new AppError('invalid_grant')
  const { authorizationState, rotated } = found
  const outcome = decideRefresh(authorizationState, { clientId, generation, familyHash, jkt }, rotated, now)
  if (outcome === 'reuse') await endFamily(ctx, request, presented, authorizationState.userId)
  if (outcome === 'reuse' || outcome === 'refused') throw new AppError('invalid_grant')
  if (form.resource !== undefined && form.resource !== authorizationState.resource?.resource) throw new AppError('invalid_target')
  return tokensOfPerson(ctx, {
    tenantId: client.tenantId,
    publicId: client.publicId,
    authorizationId: id,
    authorizationState,
    scopes: narrowed(authorizationState, wanted),
    details: choose(authorizationState.details),
    jkt,
    nonce: undefined,
    refresh: { generation: generation + 1, family: presented.family },
  })
}
