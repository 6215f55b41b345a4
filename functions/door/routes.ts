// Every route of the group.
import { userSignInRoutes } from './sign-in.routes.ts'

export const doorRoutes = [...userSignInRoutes]
