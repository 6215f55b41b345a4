// All routes of the group.
import { platformCibaRoutes } from './platform.routes.ts'
import { tenantCibaRoutes } from './tenant.routes.ts'

export const cibaRoutes = [...platformCibaRoutes, ...tenantCibaRoutes]
