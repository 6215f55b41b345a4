// All routes of the group.
import { credentialRoutes } from './credentials.routes.ts'
import { accountSessionRoutes } from './sessions.routes.ts'
import { setPasswordRoutes } from './set-password.routes.ts'

export const accountRoutes = [...accountSessionRoutes, ...credentialRoutes, ...setPasswordRoutes]
