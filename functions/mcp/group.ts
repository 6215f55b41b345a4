// Group: sign-in from MCP clients and tool authorization for MCP servers (sdkmgr/mcp-auth/*).
import type { RequestCtx } from '#shared/domains/context'
import { routeFor } from '#shared/platform/http/route'

export type Ctx = RequestCtx
export const route = routeFor<Ctx>()
