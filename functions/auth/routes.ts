// All routes of the group.
import { adminLoginRoutes } from './admin-login.routes.ts'
import { adminResetRoutes } from './admin-reset.routes.ts'
import { endUserRoutes } from './end-user.routes.ts'

export const authRoutes = [...adminLoginRoutes, ...adminResetRoutes, ...endUserRoutes]
