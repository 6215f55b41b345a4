// All routes of the group. A literal path comes before a path whose parameter would match it.
import { changeRoutes } from './changes.routes.ts'
import { clientListRoutes } from './list.routes.ts'
import { registrationRoutes } from './registration.routes.ts'
import { rotationRoutes } from './rotation.routes.ts'
import { swaggerRoutes } from './swagger.routes.ts'

const managementRoutes = [...clientListRoutes, ...changeRoutes]

export const clientsRoutes = [...swaggerRoutes(managementRoutes), ...managementRoutes, ...rotationRoutes, ...registrationRoutes]
