// All routes of the group: the SDK calls them below the prefix and at the root.
import { mcpSessionRoutes } from './session.routes.ts'
import { toolRoutes } from './tool.routes.ts'

export const mcpRoutes = [...mcpSessionRoutes, ...toolRoutes]
