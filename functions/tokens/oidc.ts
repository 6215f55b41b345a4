// The session token of whoever signed in at the authorization server for the tenant's main client: of that very session, so that it ends with it.
import type * as z from 'zod'
import { findLiveRoleNames } from '#db/store/bindings'
import { atomically } from '#db/tenant'
import { record } from '#shared/audit/record'
import { behindMainClientToken } from '#shared/oauth/main-client-token'
import { issueSessionToken } from '#shared/token/session-token'
import type { Ctx } from './group.ts'
import type { GeneratedToken } from './tokens.schema.ts'

/** @throws AppError invalid_token */
export const sessionTokenFor = async (ctx: Ctx, token: string): Promise<z.input<typeof GeneratedToken>> => {
  const { t, user, tenant, session, claims } = await behindMainClientToken(ctx, token)
  const clientId = session.clientId ?? claims.clientId
  await atomically(t, (tx) =>
    record(tx, ctx, {
      event: 'token.reissued',
      actor: { type: 'user', id: user.id, sessionId: session.id, clientId: claims.clientId },
      target: { type: 'session', id: session.id },
    }),
  )
  const issued = await issueSessionToken(ctx, {
    tenantId: t.tenantId,
    userId: user.id,
    sessionId: session.id,
    tokenId: session.tokenId,
    email: user.email,
    projectId: user.projectId ?? '',
    clientId,
    tenantDomain: tenant.domain,
    scopes: [],
    roles: await findLiveRoleNames(t, user.id, ctx.clock.now()),
    authTime: session.authTime,
    amr: session.amr,
    acr: session.acr,
    expiresAt: session.expiresAt,
  })
  return { access_token: issued.token, token_type: 'Bearer', expires_in: Math.floor((issued.expiresAt.getTime() - issued.issuedAt.getTime()) / 1000) }
}
