// The consent of a person who authenticates an MCP session (`mcp-auth`): the page describes the session, and the form contains its code.

import { checkMcpCode, type McpConsent, readMcpConsent } from '#shared/domains/mcp-sessions/confirmation'
import type { User } from '#shared/platform/principals/principal'
import type { ValidatedRequest } from './authorization-request.ts'
import { consentPage } from './consent.page.tsx'
import type { ConsentRequest } from './consent-request.ts'
import type { Ctx } from './group.ts'
import { issueCode } from './issue-code.ts'
import { answerClient, type PageResult } from './pending-authorization.ts'

const sessionOf = ({ client, state }: ValidatedRequest) => ({ tenantId: client.tenantId, clientId: client.clientId, state })

/** @throws AppError access_denied when no session is pending */
export const mcpConsentOf = (ctx: Ctx, j: ValidatedRequest): Promise<McpConsent> => readMcpConsent(ctx, sessionOf(j))

/**
 * Issues the authorization code if the person typed the code of the session; otherwise renders the page again.
 * Routes that call this emit `oauth.authorized`, `mcp_session.closed`.
 * @throws AppError access_denied when no session is pending
 */
export const allowMcpSession = async (
  ctx: Ctx,
  principal: User,
  consent: Omit<ConsentRequest, 'mcp' | 'principal'>,
  typed: string,
): Promise<PageResult> => {
  const { request, scopes, types } = consent
  const check = await checkMcpCode(ctx, principal, sessionOf(request), typed)
  if (!check.isRight) return consentPage(ctx, { ...consent, principal, mcp: { ...(await mcpConsentOf(ctx, request)), wrongCode: true } })
  return answerClient(ctx, request, { code: await issueCode(ctx, request, principal, scopes, types, { also: check.confirm }) })
}
