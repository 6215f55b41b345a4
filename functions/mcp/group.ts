// Group: signing in from MCP clients, and what MCP servers ask about their tools (sdkmgr/mcp-auth/*).
import type { RequestCtx } from '#shared/context'
import { routeFor } from '#shared/http/route'

export type Ctx = RequestCtx
export const route = routeFor<Ctx>()
