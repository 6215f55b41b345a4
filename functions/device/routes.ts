import { activationRoutes } from './activation.routes.ts'
import { deviceGrantRoutes } from './grant.routes.ts'

export const deviceRoutes = [...deviceGrantRoutes, ...activationRoutes]
