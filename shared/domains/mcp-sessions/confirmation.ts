// The person's confirmation of an MCP session: they type the code that the program which started the session displays. A person who was only sent the link
// does not know the code (RFC 8628 section 5.4, remote phishing).
import { atomically, forTenant, type TenantId, type TenantTx } from '#db/engine/tenant'
import { closeMcpSession, confirmMcpSession, countMcpCodeAttempt, findPendingMcpSession } from '#db/store/mcp'
import type { RequestCtx } from '#shared/domains/context'
import { userCodeOf } from '#shared/domains/device-authorization/user-code'
import { readHandle } from '#shared/domains/oauth/handles'
import { AppError } from '#shared/kernel/errors'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import { constantTimeEqual } from '#shared/platform/crypto/equal'
import type { User } from '#shared/platform/principals/principal'

const MAX_ATTEMPTS = 5

/** Bound to the state, so that the digest of one session is useless for another. */
export const mcpUserCodeHash = (ctx: Pick<RequestCtx, 'hash'>, stateHash: Uint8Array, userCode: string): Uint8Array =>
  ctx.hash('mcp-user-code', Buffer.from(stateHash).toString('hex'), userCode)

/** What the consent page displays of a session. */
export type McpConsent = { readonly appName: string; readonly scopes: readonly string[] }
type Requested = { readonly tenantId: TenantId; readonly clientId: string; readonly state: string | undefined }

const stateOf = ({ tenantId, state = '' }: Requested): Uint8Array | undefined => {
  const handle = readHandle(state)
  return handle?.tenantId === tenantId ? handle.hash : undefined
}

const notWaiting = (): AppError => new AppError('access_denied', 'This sign-in has expired, or was answered already. Start it again in the app.')

/** @throws AppError access_denied when no session of this client waits for the state */
export const readMcpConsent = async (ctx: RequestCtx, requested: Requested): Promise<McpConsent> => {
  const stateHash = stateOf(requested)
  const { tenantId, clientId } = requested
  const row = stateHash === undefined ? undefined : await findPendingMcpSession(forTenant(ctx.db, tenantId), { stateHash, clientId }, ctx.clock.now())
  if (row === undefined || row.confirmedBy !== null) throw notWaiting()
  return { appName: row.appName, scopes: row.scopes ?? [] }
}

export type McpCodeVerdict =
  | { readonly isRight: false }
  | {
      readonly isRight: true
      /** Belongs to the transaction that issues the code. @throws AppError access_denied when another answer was faster */
      readonly confirm: (t: TenantTx) => Promise<void>
    }

/**
 * Compares the typed code. The fifth wrong code closes the session.
 * Routes that call this emit `mcp_session.closed`.
 * @throws AppError access_denied when no session of this client waits for the state
 */
export const checkMcpCode = async (ctx: RequestCtx, principal: User, requested: Requested, typed: string): Promise<McpCodeVerdict> => {
  const stateHash = stateOf(requested)
  if (stateHash === undefined) throw notWaiting()
  const { tenantId, clientId } = requested
  const userCode = userCodeOf(typed)
  const checked = await atomically(forTenant(ctx.db, tenantId), async (t) => {
    const row = await countMcpCodeAttempt(t, { stateHash, clientId, most: MAX_ATTEMPTS }, ctx.clock.now())
    if (row === undefined) return undefined
    const expected = row.userCodeHash === null ? undefined : new Uint8Array(row.userCodeHash)
    const isRight = userCode !== undefined && expected !== undefined && constantTimeEqual(mcpUserCodeHash(ctx, stateHash, userCode), expected)
    if (isRight || row.codeAttempts < MAX_ATTEMPTS) return { row, isRight }
    await closeMcpSession(t, row.idHash)
    const target = { type: 'client', id: clientId } as const
    await recordEvent(t, ctx, { event: 'mcp_session.closed', actor: byUser(principal), target, reason: 'wrong_code' })
    return undefined
  })
  if (checked === undefined) throw notWaiting()
  if (!checked.isRight) return { isRight: false }
  return {
    isRight: true,
    confirm: async (t) => {
      if (!(await confirmMcpSession(t, checked.row.idHash, principal.userId))) throw notWaiting()
    },
  }
}
