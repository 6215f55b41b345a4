// All routes of the group.
import { managedPeopleRoutes } from './people.routes.ts'
import { managedRoleRoutes } from './roles.routes.ts'
import { managedTenantRoutes } from './tenants.routes.ts'
import { v2Routes } from './v2.routes.ts'

export const managementRoutes = [...managedPeopleRoutes, ...managedRoleRoutes, ...managedTenantRoutes, ...v2Routes]
