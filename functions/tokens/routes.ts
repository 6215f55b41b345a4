// Every route of the group. What is asked about oneself is the same at both places.
import { checkRoutes } from './checks.routes.ts'
import { tokenGroupRoutes } from './groups.routes.ts'
import { profileRoutes } from './profile.routes.ts'
import { sessionTokenRoutes } from './tokens.routes.ts'

export const tokensRoutes = [...sessionTokenRoutes, ...profileRoutes, ...checkRoutes, ...tokenGroupRoutes]
