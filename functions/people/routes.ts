// All routes of the group.
import { importRoutes } from './import.routes.ts'
import { personRoutes } from './people.routes.ts'
import { settingsRoutes } from './settings.routes.ts'
import { ownTenantRoutes } from './tenants.routes.ts'

export const peopleRoutes = [...personRoutes, ...importRoutes, ...ownTenantRoutes, ...settingsRoutes]
