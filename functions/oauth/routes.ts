// All routes of the group.
import { asideRoutes } from './aside.routes.ts'
import { authorizeRoutes } from './authorize.routes.ts'
import { frontEndTokenRoutes } from './front-end-tokens.routes.ts'
import { grantRoutes } from './grants.routes.ts'
import { logoutRoutes } from './logout.routes.ts'
import { registerRoutes } from './register.routes.ts'
import { tokenRoutes } from './token.routes.ts'

export const oauthRoutes = [
  ...authorizeRoutes,
  ...tokenRoutes,
  ...grantRoutes,
  ...asideRoutes,
  ...logoutRoutes,
  ...registerRoutes,
  ...frontEndTokenRoutes,
]
