// All routes of the group.
import { userClientRoutes } from './clients.routes.ts'
import { endUserRoutes } from './end-users.routes.ts'
import { userGroupRoutes } from './groups.routes.ts'

export const userRoutes = [...endUserRoutes, ...userGroupRoutes, ...userClientRoutes]
