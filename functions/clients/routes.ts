// Every route of the group. A path with words stands before the one whose parameter would take them.
import { changeRoutes } from './changes.routes.ts'
import { clientListRoutes } from './list.routes.ts'
import { registrationRoutes } from './registration.routes.ts'
import { rotationRoutes } from './rotation.routes.ts'
import { swaggerRoutes } from './swagger.routes.ts'

const managing = [...clientListRoutes, ...changeRoutes]

export const clientsRoutes = [...swaggerRoutes(managing), ...managing, ...rotationRoutes, ...registrationRoutes]
