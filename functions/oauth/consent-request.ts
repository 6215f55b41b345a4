// A consent request, for our own page or for a company's front end, and the row that is stored until the person decides.

import { forTenant, type TenantDb } from '#db/engine/tenant'
import type { NewAuthorizationRequest } from '#db/store/oauth-authorizations'
import type { DetailType } from '#db/store/oauth-details'
import type { McpConsent } from '#shared/domains/mcp-sessions/confirmation'
import { newHandle } from '#shared/domains/oauth/handles'
import { secondsAfter } from '#shared/kernel/clock'
import type { User } from '#shared/platform/principals/principal'
import type { Parameters, ValidatedRequest } from './authorization-request.ts'
import type { Ctx } from './group.ts'

const CONSENT_SECONDS = 600

export type ConsentRequest = {
  readonly request: ValidatedRequest
  readonly parameters: Parameters
  readonly principal: User
  readonly scopes: readonly string[]
  readonly types: readonly DetailType[]
  /** Set where the consent authenticates an MCP session; `wrongCode` after a code that was not the session's. */
  readonly mcp?: (McpConsent & { readonly wrongCode?: true }) | undefined
}

/** The row to store, and the handle by which the decision finds it. */
export const consentRequestRow = (
  ctx: Ctx,
  { request, parameters, principal }: ConsentRequest,
): { readonly t: TenantDb; readonly handle: string; readonly row: NewAuthorizationRequest } => {
  const { tenantId, clientId } = request.client
  const { userId, sessionId } = principal
  const [handle, createdAt] = [newHandle(ctx, tenantId), ctx.clock.now()]
  const row: NewAuthorizationRequest = {
    id: ctx.random.id(),
    kind: 'consent',
    handleHash: handle.hash,
    clientId,
    userId,
    sessionId,
    parameters,
    createdAt,
    expiresAt: secondsAfter(createdAt, CONSENT_SECONDS),
  }
  return { t: forTenant(ctx.db, tenantId), handle: handle.text, row }
}
