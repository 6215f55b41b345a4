// All routes of the group.
import { migrationsRoutes } from './migrations.routes.ts'

export const migrationRoutes = [...migrationsRoutes]
