// The person of an MCP session on the wire, and the tools that they may call.
import type * as z from 'zod'
import { forTenant, type TenantId } from '#db/engine/tenant'
import { findMcpState, findTools, type McpPerson, type McpState } from '#db/store/mcp'
import { readHandle } from '#shared/domains/oauth/handles'
import type { Ctx } from './group.ts'
import type { UserInfo } from './mcp.schema.ts'
import { accessByCategory, isToolAllowed, withinScopes } from './tool-rules.ts'

export const SIGN_IN_TOOLS = ['oauth_start', 'oauth_authenticate', 'oauth_status', 'oauth_logout', 'oauth_user_info'] as const

export const userInfo = (tenantId: TenantId, person: McpPerson): z.input<typeof UserInfo> => {
  const { id, email, name, username } = person
  const held = Object.fromEntries(Object.entries(accessByCategory(person)).map(([category, names]) => [category, [...names]])) as Record<
    'roles' | 'groups' | 'permissions' | 'scopes' | 'resources',
    string[]
  >
  return { user_id: id, email, name, ...(username === undefined ? {} : { username }), tenant_id: tenantId, ...held }
}

export type FoundSession = { readonly tenantId: TenantId; readonly idHash: Uint8Array; readonly state: McpState }

/** The session with its person, whose permissions are those that the session carries and the person holds now. */
export const readSession = async (ctx: Ctx, tenantId: TenantId, idHash: Uint8Array): Promise<McpState | undefined> => {
  const state = await findMcpState(forTenant(ctx.db, tenantId), idHash, ctx.clock.now())
  return state?.person === undefined ? state : { ...state, person: withinScopes(state.person, state.scopes) }
}

/** Finds a session by its id, which is the bearer credential of the session. */
export const findSession = async (ctx: Ctx, sessionId: string | undefined): Promise<FoundSession | undefined> => {
  const handle = sessionId === undefined ? undefined : readHandle(sessionId)
  if (handle === undefined) return undefined
  const state = await readSession(ctx, handle.tenantId, handle.hash)
  return state === undefined ? undefined : { tenantId: handle.tenantId, idHash: handle.hash, state }
}

export const accessibleTools = async (ctx: Ctx, tenantId: TenantId, { person, clientId, appName }: McpState): Promise<string[]> => {
  if (person === undefined) return [...SIGN_IN_TOOLS]
  const tools = await findTools(forTenant(ctx.db, tenantId), clientId, appName)
  return [...SIGN_IN_TOOLS, ...tools.filter(({ rbac }) => isToolAllowed(rbac, person)).map(({ name }) => name)]
}
