// All routes of the group.
import { consentChallengeRoutes } from './consent.routes.ts'
import { loginChallengeRoutes } from './login.routes.ts'
import { pkceRoutes } from './pkce.routes.ts'

export const challengeRoutes = [...loginChallengeRoutes, ...consentChallengeRoutes, ...pkceRoutes]
