// Every route of the group.
import { domainRoutes } from './domains.routes.ts'
import { healthRoutes } from './health.routes.ts'
import { projectRoutes } from './projects.routes.ts'
import { tenantProviderRoutes } from './providers.routes.ts'
import { adminTenantRoutes } from './tenants.routes.ts'

export const tenantsRoutes = [...healthRoutes, ...adminTenantRoutes, ...domainRoutes, ...tenantProviderRoutes, ...projectRoutes]
