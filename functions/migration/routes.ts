// Every route of the group.
import { migrationsRoutes } from './migrations.routes.ts'

export const migrationRoutes = [...migrationsRoutes]
