// All routes of the group. Checks on the caller's own session are declared at both prefixes.
import { checkRoutes } from './checks.routes.ts'
import { tokenGroupRoutes } from './groups.routes.ts'
import { profileRoutes } from './profile.routes.ts'
import { sessionTokenRoutes } from './tokens.routes.ts'

export const tokensRoutes = [...sessionTokenRoutes, ...profileRoutes, ...checkRoutes, ...tokenGroupRoutes]
