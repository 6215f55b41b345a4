// All routes of the group.
import { adminDecisionRoutes } from './admin-decisions.routes.ts'
import { adminBindingRoutes, userBindingRoutes } from './bindings.routes.ts'
import { adminPermissionRoutes, userPermissionRoutes } from './permissions.routes.ts'
import { adminOneRoleRoutes, adminRoleRoutes, userRoleRoutes } from './roles.routes.ts'
import { adminScopeRoutes, olderScopeRoutes, userScopeRoutes } from './scopes.routes.ts'
import { userDecisionRoutes } from './user-decisions.routes.ts'

export const rolesRoutes = [
  ...adminBindingRoutes,
  ...adminPermissionRoutes,
  ...adminRoleRoutes,
  ...adminScopeRoutes,
  ...adminOneRoleRoutes,
  ...adminDecisionRoutes,
  ...userBindingRoutes,
  ...userPermissionRoutes,
  ...userRoleRoutes,
  ...userScopeRoutes,
  ...userDecisionRoutes,
  ...olderScopeRoutes,
]
