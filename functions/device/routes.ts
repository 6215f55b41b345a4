// All routes of the group.
import { activationRoutes } from './activation.routes.ts'
import { grantRoutes } from './grant.routes.ts'

export const deviceRoutes = [...grantRoutes, ...activationRoutes]
