// All routes of the group.
import { callbackRoutes } from './callback.routes.ts'
import { challengeRoutes } from './challenge.routes.ts'
import { exchangeRoutes } from './exchange.routes.ts'
import { identityRoutes } from './identities.routes.ts'
import { initiateRoutes } from './initiate.routes.ts'
import { ownRoutes } from './own.routes.ts'
import { pageRoutes } from './pages.routes.ts'
import { samlRoutes } from './saml.routes.ts'

export const federationRoutes = [
  ...initiateRoutes,
  ...callbackRoutes,
  ...exchangeRoutes,
  ...challengeRoutes,
  ...identityRoutes,
  ...ownRoutes,
  ...pageRoutes,
  ...samlRoutes,
]
