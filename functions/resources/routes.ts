// All routes of the group.
import { admissionRoutes, presetRoutes } from './admission.routes.ts'
import { serverRoutes } from './servers.routes.ts'

export const resourceRoutes = [...presetRoutes, ...serverRoutes, ...admissionRoutes]
