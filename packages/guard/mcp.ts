// Converts a token to `AuthInfo` of the MCP SDK, which tools read from `extra.authInfo`.
import type { AccessToken } from './token.ts'

export type McpAuthInfo = {
  token: string
  clientId: string
  scopes: string[]
  expiresAt: number
  extra: Record<string, unknown>
}

export const authInfo = (token: AccessToken): McpAuthInfo => ({
  token: token.token,
  clientId: token.clientId,
  scopes: [...token.scopes],
  expiresAt: Math.floor(token.expiresAt.getTime() / 1000),
  extra: { subject: token.subject, tenantId: token.tenantId, actor: token.actor, authorizationDetails: token.authorizationDetails },
})
