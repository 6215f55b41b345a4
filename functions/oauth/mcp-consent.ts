// The consent of a person who authenticates an MCP session (`mcp-auth`): the page describes the session, and the answer carries its code.

import { checkMcpCode, type McpConsent, readMcpConsent } from '#shared/domains/mcp-sessions/confirmation'
import type { User } from '#shared/platform/principals/principal'
import type { ValidatedRequest } from './authorization-request.ts'
import { consentPage } from './consent.page.tsx'
import type { ConsentRequest } from './consent-request.ts'
import type { Ctx } from './group.ts'
import { issueCode } from './issue-code.ts'
import { answerClient, type PageResult } from './pending-authorization.ts'

const sessionOf = ({ client, state }: ValidatedRequest) => ({ tenantId: client.tenantId, clientId: client.clientId, state })

/** @throws AppError access_denied when no session waits for the answer */
export const mcpConsentOf = (ctx: Ctx, j: ValidatedRequest): Promise<McpConsent> => readMcpConsent(ctx, sessionOf(j))

/**
 * Issues the code when the person typed the session's; a wrong one leads to the page again.
 * Routes that call this emit `oauth.authorized`, `mcp_session.closed`.
 * @throws AppError access_denied when no session waits for the answer
 */
export const allowMcpSession = async (
  ctx: Ctx,
  principal: User,
  consent: Omit<ConsentRequest, 'mcp' | 'principal'>,
  typed: string,
): Promise<PageResult> => {
  const { request, scopes, types } = consent
  const verdict = await checkMcpCode(ctx, principal, sessionOf(request), typed)
  if (!verdict.isRight) return consentPage(ctx, { ...consent, principal, mcp: { ...(await mcpConsentOf(ctx, request)), wrongCode: true } })
  return answerClient(ctx, request, { code: await issueCode(ctx, request, principal, scopes, types, { also: verdict.confirm }) })
}
