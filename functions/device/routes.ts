// All routes of the group.
import { activationRoutes } from './activation.routes.ts'
import { deviceGrantRoutes } from './grant.routes.ts'

export const deviceRoutes = [...deviceGrantRoutes, ...activationRoutes]
