// All routes of the group.
import { consentRoutes } from './consent.routes.ts'
import { loginRoutes } from './login.routes.ts'
import { pkceRoutes } from './pkce.routes.ts'

export const challengeRoutes = [...loginRoutes, ...consentRoutes, ...pkceRoutes]
