// The person's decision on the consent page. It is valid once, in the session and for the client that the page was rendered for.

import { forTenant } from '#db/engine/tenant'
import { consumeConsent } from '#db/store/oauth-code-flow'
import { readHandle } from '#shared/domains/oauth/handles'
import { AppError } from '#shared/kernel/errors'
import type { User } from '#shared/platform/principals/principal'
import { pickParameters, responsePlaceOf, validateAuthorizationRequest } from './authorization-request.ts'
import { knownTypes } from './detail-types.ts'
import type { Ctx } from './group.ts'
import { issueCode } from './issue-code.ts'
import { answerClient, grantableScopes, type PageResult, reportToClient } from './pending-authorization.ts'
import { isOwnCallback, redirectUriFor } from './redirect.ts'

export type Decision = {
  readonly consent: string
  readonly decision: 'allow' | 'deny'
  /** The code of an MCP session. */
  readonly user_code?: string | undefined
}

/** Validates everything again, since the client may have changed after the page was rendered. @throws AppError form_expired, invalid_request */
export const decideConsent = async (ctx: Ctx, principal: User, { consent, decision, user_code: userCode = '' }: Decision): Promise<PageResult> => {
  const handle = readHandle(consent)
  if (handle === undefined || handle.tenantId !== principal.tenantId) throw new AppError('form_expired')
  const { userId, sessionId, tenantId } = principal
  const consumed = await consumeConsent(forTenant(ctx.db, tenantId), { handleHash: handle.hash, userId, sessionId, now: ctx.clock.now() })
  if (consumed === undefined) throw new AppError('form_expired')
  const parameters = pickParameters(consumed.parameters)
  const { client } = consumed
  if (client?.active !== true) throw new AppError('invalid_request', 'The client is no longer active.')
  const redirectUri = redirectUriFor(ctx.config, client, parameters.redirect_uri)
  return reportToClient(ctx, responsePlaceOf(client, parameters, redirectUri), async () => {
    if (decision === 'deny') throw new AppError('access_denied', 'The person denied access.')
    const j = validateAuthorizationRequest({ client, parameters, pushed: true }, redirectUri)
    const types = await knownTypes(ctx, j)
    const held = j.resource === undefined ? [] : consumed.held
    const scopes = grantableScopes(j, { held })
    if (isOwnCallback(ctx.config, redirectUri))
      return (await import('./mcp-consent.ts')).allowMcpSession(ctx, principal, { request: j, parameters, scopes, types }, userCode)
    return answerClient(ctx, j, { code: await issueCode(ctx, j, principal, scopes, types) })
  })
}
