// All routes of the group.
import { accessRoutes } from './access.routes.ts'
import { brandingRoutes } from './branding.routes.ts'
import { factorRoutes } from './factor.routes.ts'
import { recoverRoutes } from './recover.routes.ts'
import { signInRoutes } from './sign-in.routes.ts'
import { signUpRoutes } from './sign-up.routes.ts'

export const loginRoutes = [...signInRoutes, ...factorRoutes, ...signUpRoutes, ...recoverRoutes, ...accessRoutes, ...brandingRoutes]
