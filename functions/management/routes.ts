// All routes of the group.
import { peopleRoutes } from './people.routes.ts'
import { roleRoutes } from './roles.routes.ts'
import { tenantRoutes } from './tenants.routes.ts'

export const managementRoutes = [...peopleRoutes, ...roleRoutes, ...tenantRoutes]
