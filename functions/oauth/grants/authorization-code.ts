// Redeems a code for tokens, once (RFC 6749 section 4.1.3, RFC 7636). Replaying a code revokes every token issued from it.

import { atomically, forTenant } from '#db/engine/tenant'
import { redeemCode } from '#db/store/oauth-authorizations'
import { findClientAndCode } from '#db/store/oauth-code-flow'
import { type AuthorizationState, findAuthorizationStateByCode, revokeAuthorization } from '#db/store/oauth-families'
import { decideRedemption } from '#shared/domains/oauth/code-redemption'
import { newFamily, readHandle } from '#shared/domains/oauth/handles'
import { secondsAfter } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import { onSnapshot, SnapshotChanged } from '#shared/kernel/snapshot'
import { type AuditEntry, byClient, prepareAuditEvents, recordEvent } from '#shared/platform/audit/audit-log'
import { sha256 } from '#shared/platform/crypto/sha256'
import { authenticateClient, authenticateClientWith, type ClientForm } from '../client-authentication.ts'
import { detailSelector } from '../detail-selector.ts'
import type { Ctx } from '../group.ts'
import type { Grant, TokenRequest } from '../token-request.ts'
import { currentScopes, tokensOfPerson } from '../token-set.ts'
import { OFFLINE_SECONDS, ONLINE_SECONDS } from './lifetimes.ts'

const VERIFIER = /^[\w.~-]{43,128}$/

/** Revokes every token issued from the code (RFC 6749 section 4.1.2). @throws AppError invalid_grant */
const refuseReplay = async (ctx: Ctx, { client }: TokenRequest, { id, userId }: AuthorizationState): Promise<never> => {
  await atomically(forTenant(ctx.db, client.tenantId), async (t) => {
    if (!(await revokeAuthorization(t, id, ctx.clock.now(), 'code_replayed'))) return
    await recordEvent(t, ctx, {
      event: 'oauth.authorization_revoked',
      actor: byClient(client.clientId, userId),
      target: { type: 'authorization', id },
      after: { reason: 'code_replayed' },
    })
  })
  throw new AppError('invalid_grant')
}

/** The authenticated client, and the authorization of the code that it presents. @throws AppError invalid_request, client_authentication_failed, quota_exceeded, rate_limited */
export const authenticateWithCode = async (ctx: Ctx, form: ClientForm): Promise<Pick<TokenRequest, 'client' | 'code'>> => {
  const code = readHandle(form.code ?? '')
  if (code === undefined) return { client: await authenticateClient(ctx, form) }
  const { client, beside } = await authenticateClientWith(ctx, form, (t, of) => findClientAndCode(t, { ...of, codeHash: code.hash }))
  return { client, code: code.tenantId === client.tenantId ? beside : undefined }
}

const issued = ({ client }: TokenRequest, authorizationState: AuthorizationState): AuditEntry => ({
  event: 'oauth.tokens_issued',
  actor: byClient(client.clientId, authorizationState.userId),
  target: { type: 'authorization', id: authorizationState.id },
  after: { scopes: currentScopes(authorizationState), resource: authorizationState.resource?.resource ?? null },
})

/** @throws AppError invalid_request, invalid_grant, invalid_target, invalid_authorization_details */
export const authorizationCode: Grant = async (ctx, request) => {
  const { client, form, jkt, code } = request
  if (form.code === undefined) throw new AppError('invalid_request', 'code is missing.')
  if (form.code_verifier === undefined) throw new AppError('invalid_request', 'code_verifier is missing.')
  const handle = readHandle(form.code)
  if (handle === undefined || handle.tenantId !== client.tenantId || !VERIFIER.test(form.code_verifier)) throw new AppError('invalid_grant')
  const choose = await detailSelector(form.authorization_details)
  const [t, family, now] = [forTenant(ctx.db, client.tenantId), newFamily(ctx), ctx.clock.now()]
  const presented = { clientId: client.clientId, codeVerifier: form.code_verifier, redirectUri: form.redirect_uri, jkt }
  const until = { offlineUntil: secondsAfter(now, OFFLINE_SECONDS), onlineUntil: secondsAfter(now, ONLINE_SECONDS) }
  const { authorization, details } = await onSnapshot(async (isFirst) => {
    const snapshot = (isFirst ? code : undefined) ?? (await findAuthorizationStateByCode(t, handle.hash, now))
    const outcome = decideRedemption(snapshot, presented, now)
    if (snapshot === undefined || outcome === 'refused') throw new AppError('invalid_grant')
    if (outcome === 'replayed') return refuseReplay(ctx, request, snapshot)
    if (form.resource !== undefined && form.resource !== snapshot.resource?.resource) throw new AppError('invalid_target')
    const chosen = choose(snapshot.details)
    const events = await prepareAuditEvents(t, ctx, issued(request, snapshot))
    const redeemed = await redeemCode(t, { snapshot, jkt, now, familyHash: sha256(family), ...until }, events)
    if (redeemed === undefined) throw new SnapshotChanged()
    return { authorization: redeemed, details: chosen }
  })
  return tokensOfPerson(ctx, {
    tenantId: client.tenantId,
    publicId: client.publicId,
    authorizationId: authorization.id,
    authorizationState: authorization,
    scopes: currentScopes(authorization),
    details,
    jkt,
    nonce: authorization.nonce,
    refresh: client.grantTypes.includes('refresh_token') ? { generation: authorization.generation, family } : undefined,
  })
}
