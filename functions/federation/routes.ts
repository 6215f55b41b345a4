// All routes of the group.
import { callbackRoutes } from './callback.routes.ts'
import { federationChallengeRoutes } from './challenge.routes.ts'
import { exchangeRoutes } from './exchange.routes.ts'
import { identityRoutes } from './identities.routes.ts'
import { initiateRoutes } from './initiate.routes.ts'
import { ownSignInRoutes } from './own-sign-ins.routes.ts'
import { federationPageRoutes } from './pages.routes.ts'
import { samlLoginRoutes } from './saml.routes.ts'

export const federationRoutes = [
  ...initiateRoutes,
  ...callbackRoutes,
  ...exchangeRoutes,
  ...federationChallengeRoutes,
  ...identityRoutes,
  ...ownSignInRoutes,
  ...federationPageRoutes,
  ...samlLoginRoutes,
]
