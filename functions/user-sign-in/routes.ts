// All routes of the group.
import { userLoginRoutes } from './sign-in.routes.ts'

export const userSignInRoutes = [...userLoginRoutes]
