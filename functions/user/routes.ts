// All routes of the group.
import { userClientRoutes } from './clients.routes.ts'
import { managedEndUserRoutes } from './end-users.routes.ts'
import { userGroupRoutes } from './groups.routes.ts'

export const userRoutes = [...managedEndUserRoutes, ...userGroupRoutes, ...userClientRoutes]
