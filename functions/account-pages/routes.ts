// All routes of the group.
import { activateRoutes } from './activate.routes.ts'
import { approveRoutes } from './approve.routes.ts'
import { browserRoutes } from './browsers.routes.ts'
import { meRoutes } from './me.routes.ts'
import { methodRoutes } from './methods.routes.ts'

export const accountPageRoutes = [...meRoutes, ...methodRoutes, ...browserRoutes, ...activateRoutes, ...approveRoutes]
