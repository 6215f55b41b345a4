// Every route of the group.
import { domainRoutes } from './domains.routes.ts'
import { healthRoutes } from './health.routes.ts'
import { projectRoutes } from './projects.routes.ts'
import { providerRoutes } from './providers.routes.ts'
import { tenantRoutes } from './tenants.routes.ts'

export const tenantsRoutes = [...healthRoutes, ...tenantRoutes, ...domainRoutes, ...providerRoutes, ...projectRoutes]
