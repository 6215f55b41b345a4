// The session token of a person who signed in at the authorization server for the tenant's main client. It belongs to that session and ends with it.
import type * as z from 'zod'
import { atomically } from '#db/engine/tenant'
import { readMainClientToken } from '#shared/domains/oauth/main-client-token'
import { recordEvent } from '#shared/platform/audit/audit-log'
import { reissueSessionToken } from '#shared/platform/tokens/reissue'
import type { Ctx } from './group.ts'
import type { GeneratedToken } from './tokens.schema.ts'

/** @throws AppError invalid_token */
export const sessionTokenFor = async (ctx: Ctx, token: string): Promise<z.input<typeof GeneratedToken>> => {
  const { t, user, tenant, session, claims } = await readMainClientToken(ctx, token)
  await atomically(t, (tx) =>
    recordEvent(tx, ctx, {
      event: 'token.reissued',
      actor: { type: 'user', id: user.id, sessionId: session.id, clientId: claims.clientId },
      target: { type: 'session', id: session.id },
    }),
  )
  const issued = await reissueSessionToken(ctx, { t, user, tenant, session }, claims.clientId)
  return { access_token: issued.token, token_type: 'Bearer', expires_in: issued.expiresInSeconds }
}
