// Group: signing in from MCP clients, and what MCP servers ask about their tools (sdkmgr/mcp-auth/*).
import type { RequestCtx } from '#shared/domains/context'
import { routeFor } from '#shared/platform/http/route'

export type Ctx = RequestCtx
export const route = routeFor<Ctx>()
