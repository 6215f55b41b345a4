// Revocation (RFC 7009) by the client that holds the token.
import type * as z from 'zod'
import { atomically, forTenant } from '#db/engine/tenant'
import type { OauthClient } from '#db/store/oauth-clients'
import { findAuthorizationState, revokeAuthorization } from '#db/store/oauth-families'
import { revokeToken } from '#db/store/sessions'
import { verifyAccessToken } from '#shared/domains/oauth/access-token'
import { readRefreshToken } from '#shared/domains/oauth/handles'
import { AppError } from '#shared/kernel/errors'
import { byClient, recordEvent } from '#shared/platform/audit/audit-log'
import { constantTimeEqual } from '#shared/platform/crypto/equal'
import { sha256 } from '#shared/platform/crypto/sha256'
import { authenticateClient } from './client-authentication.ts'
import type { Ctx } from './group.ts'
import type { RevocationForm } from './introspection.schema.ts'

/** A refresh token revokes its whole authorization. */
const revokeFamily = async (ctx: Ctx, client: OauthClient, token: string): Promise<void> => {
  const refresh = readRefreshToken(ctx, token)
  if (refresh?.tenantId !== client.tenantId) return
  const [t, now, id] = [forTenant(ctx.db, client.tenantId), ctx.clock.now(), refresh.authorizationId]
  const authorization = await findAuthorizationState(t, id, now)
  const isFamily = authorization?.familyHash !== undefined && constantTimeEqual(sha256(refresh.family), new Uint8Array(authorization.familyHash))
  if (!isFamily || authorization.clientId !== client.clientId) return
  await atomically(t, async (tx) => {
    if (!(await revokeAuthorization(tx, id, now, 'revoked_by_client'))) return
    const actor = byClient(client.clientId, authorization.userId)
    const target = { type: 'authorization', id }
    await recordEvent(tx, ctx, { event: 'oauth.authorization_revoked', actor, target, after: { reason: 'revoked_by_client' } })
  })
}

const revokeAccess = async (ctx: Ctx, client: OauthClient, token: string): Promise<void> => {
  const claims = await verifyAccessToken(ctx, token)
  if (claims?.clientId !== client.clientId || claims.tenantId !== client.tenantId) return
  await atomically(forTenant(ctx.db, client.tenantId), async (t) => {
    await revokeToken(t, claims.tokenId, claims.expiresAt, ctx.clock.now())
    await recordEvent(t, ctx, { event: 'token.revoked', actor: byClient(client.clientId), target: { type: 'token', id: claims.tokenId } })
  })
}

/**
 * An unknown token, or that of another client, changes nothing and gets the same response (RFC 7009 section 2.2). The token type hint is ignored.
 * @throws AppError invalid_request, client_authentication_failed
 */
export const revoke = async (ctx: Ctx, form: z.output<typeof RevocationForm>): Promise<string> => {
  const client = await authenticateClient(ctx, form)
  if (form.token === undefined) throw new AppError('invalid_request', 'token is missing.')
  await revokeFamily(ctx, client, form.token)
  await revokeAccess(ctx, client, form.token)
  return ''
}
