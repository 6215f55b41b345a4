// All routes of the group. SDKs call them below /authsec and at the root.
import { mcpSessionRoutes } from './session.routes.ts'
import { toolRoutes } from './tool.routes.ts'

export const mcpRoutes = [...mcpSessionRoutes, ...toolRoutes]
