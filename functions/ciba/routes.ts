// All routes of the group.
import { platformRoutes } from './platform.routes.ts'
import { tenantRoutes } from './tenant.routes.ts'

export const cibaRoutes = [...platformRoutes, ...tenantRoutes]
