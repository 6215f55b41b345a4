// All routes of the group.
import { attestorRoutes } from './attestors.routes.ts'
import { joinTokenRoutes } from './join-tokens.routes.ts'

export const spiffeRoutes = [...attestorRoutes, ...joinTokenRoutes]
