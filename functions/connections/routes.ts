// All routes of the group.
import { ownConnectionRoutes } from './connections.routes.ts'
import { hydraRoutes } from './hydra.routes.ts'
import { providerConfigurationRoutes } from './providers.routes.ts'
import { tenantConfigurationRoutes } from './tenant.routes.ts'

export const connectionRoutes = [...ownConnectionRoutes, ...providerConfigurationRoutes, ...tenantConfigurationRoutes, ...hydraRoutes]
