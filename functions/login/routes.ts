// All routes of the group.

import { brandingRoutes } from './branding.routes.ts'
import { loginFactorRoutes } from './factor.routes.ts'
import { lostAccessRoutes } from './lost-access.routes.ts'
import { recoverRoutes } from './recover.routes.ts'
import { signInPageRoutes } from './sign-in.routes.ts'
import { signUpPageRoutes } from './sign-up.routes.ts'

export const loginRoutes = [...signInPageRoutes, ...loginFactorRoutes, ...signUpPageRoutes, ...recoverRoutes, ...lostAccessRoutes, ...brandingRoutes]
