// All routes of the group.
import { accessRoutes } from './access.routes.ts'
import { admissionRoutes, presetRoutes } from './admission.routes.ts'
import { manifestRoutes } from './manifest.routes.ts'
import { scopeRoutes } from './scopes.routes.ts'
import { serverRoutes } from './servers.routes.ts'
import { toolRoutes } from './tools.routes.ts'

export const resourceRoutes = [
  ...presetRoutes,
  ...serverRoutes,
  ...admissionRoutes,
  ...manifestRoutes,
  ...toolRoutes,
  ...scopeRoutes,
  ...accessRoutes,
]
