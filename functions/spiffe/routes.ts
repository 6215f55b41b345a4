// All routes of the group. Literal paths come before those that begin with a tenant's id.
import { attestRoutes } from './attest.routes.ts'
import { attestorRoutes } from './attestors.routes.ts'
import { entryRoutes } from './entries.routes.ts'
import { federationRoutes } from './federation.routes.ts'
import { joinTokenRoutes } from './join-tokens.routes.ts'
import { keyRoutes } from './keys.routes.ts'
import { planeEntryRoutes } from './plane-entries.routes.ts'
import { planeJwtRoutes } from './plane-jwt.routes.ts'
import { planeOidcRoutes } from './plane-oidc.routes.ts'
import { planeTrustRoutes } from './plane-trust.routes.ts'
import { publicationRoutes } from './publication.routes.ts'
import { registryRoutes } from './registry.routes.ts'
import { svidRoutes } from './svids.routes.ts'

export const spiffeRoutes = [
  ...keyRoutes,
  ...attestorRoutes,
  ...attestRoutes,
  ...joinTokenRoutes,
  ...entryRoutes,
  ...svidRoutes,
  ...federationRoutes,
  ...publicationRoutes,
  ...planeEntryRoutes,
  ...planeTrustRoutes,
  ...planeJwtRoutes,
  ...registryRoutes,
  ...planeOidcRoutes,
]
