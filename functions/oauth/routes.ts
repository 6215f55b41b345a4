// All routes of the group.

import { authorizeRoutes } from './authorize.routes.ts'
import { consentRoutes } from './consents.routes.ts'
import { decoupledRoutes } from './decoupled.routes.ts'
import { frontEndTokenRoutes } from './front-end-tokens.routes.ts'
import { logoutRoutes } from './logout.routes.ts'
import { registerRoutes } from './register.routes.ts'
import { tokenRoutes } from './token.routes.ts'

export const oauthRoutes = [
  ...authorizeRoutes,
  ...tokenRoutes,
  ...consentRoutes,
  ...decoupledRoutes,
  ...logoutRoutes,
  ...registerRoutes,
  ...frontEndTokenRoutes,
]
