// All routes of the group: the SDK calls them below the prefix and at the root.
import { sessionRoutesAt } from './session.routes.ts'
import { toolRoutesAt } from './tool.routes.ts'

export const mcpRoutes = [
  ...sessionRoutesAt('mcp', '/authsec/sdkmgr/mcp-auth'),
  ...sessionRoutesAt('mcp.root', '/sdkmgr/mcp-auth'),
  ...toolRoutesAt('mcp', '/authsec/sdkmgr/mcp-auth'),
  ...toolRoutesAt('mcp.root', '/sdkmgr/mcp-auth'),
]
