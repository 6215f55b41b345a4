// All routes of the group.
import { providerRoutes } from './providers.routes.ts'
import { signInRoutes } from './sign-in.routes.ts'

export const samlRoutes = [...providerRoutes, ...signInRoutes]
