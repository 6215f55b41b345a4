// All routes of the group.
import { companyRoutes } from './company.routes.ts'

export const signUpRoutes = [...companyRoutes]
