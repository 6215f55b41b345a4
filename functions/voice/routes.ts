// All routes of the group.
import { voiceLinkRoutes } from './links.routes.ts'
import { pendingRoutes } from './pending.routes.ts'
import { voiceSessionRoutes } from './session.routes.ts'

export const voiceRoutes = [...voiceSessionRoutes, ...voiceLinkRoutes, ...pendingRoutes]
