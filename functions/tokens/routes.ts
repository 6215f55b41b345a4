// Every route of the group. What is asked about oneself is the same at both places.
import { checkRoutes } from './checks.routes.ts'
import { tokenGroupRoutes } from './groups.routes.ts'
import { profileRoutes } from './profile.routes.ts'
import { tokenRoutes } from './tokens.routes.ts'

export const tokensRoutes = [...tokenRoutes, ...profileRoutes, ...checkRoutes, ...tokenGroupRoutes]
