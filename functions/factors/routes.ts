// All routes of the group.
import { ownFactorRoutes } from './factors.routes.ts'
import { recoveryRoutes } from './recovery.routes.ts'
import { stepUpRoutes } from './step-up.routes.ts'

export const factorRoutes = [...ownFactorRoutes, ...stepUpRoutes, ...recoveryRoutes]
