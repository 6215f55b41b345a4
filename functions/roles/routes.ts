// Every route of the group.
import { adminDecisionRoutes } from './admin-decisions.routes.ts'
import { bindingRoutes } from './bindings.routes.ts'
import { permissionRoutes } from './permissions.routes.ts'
import { oneRoleRoute, roleRoutes } from './roles.routes.ts'
import { apiScopeRoutes, scopeRoutes, scopesOfTenantRoute } from './scopes.routes.ts'
import { ADMINISTRATORS, END_USERS, OLDER_PAGES, type Side } from './sides.ts'
import { userDecisionRoutes } from './user-decisions.routes.ts'

const bothSides = (side: Side) => [
  ...bindingRoutes(side),
  ...permissionRoutes(side),
  ...roleRoutes(side),
  ...scopeRoutes(side),
  ...apiScopeRoutes(side),
]

export const rolesRoutes = [
  ...bothSides(ADMINISTRATORS),
  oneRoleRoute(ADMINISTRATORS),
  ...adminDecisionRoutes,
  ...bothSides(END_USERS),
  ...userDecisionRoutes,
  ...scopeRoutes(OLDER_PAGES),
  scopesOfTenantRoute(OLDER_PAGES),
]
