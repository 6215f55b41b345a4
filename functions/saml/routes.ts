// All routes of the group.
import { samlProviderRoutes } from './providers.routes.ts'
import { samlSignInRoutes } from './sign-in.routes.ts'

export const samlRoutes = [...samlProviderRoutes, ...samlSignInRoutes]
