// All routes of the group.
import { linkRoutes } from './links.routes.ts'
import { pendingRoutes } from './pending.routes.ts'
import { sessionRoutes } from './session.routes.ts'

export const voiceRoutes = [...sessionRoutes, ...linkRoutes, ...pendingRoutes]
