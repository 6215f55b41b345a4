// Wire shapes of the migration group.
import * as z from 'zod'

const State = z.enum(['completed', 'pending'])

export const MigrationStatus = z
  .object({
    /** AuthSec's name for the database of the deployment. */
    db_type: z.literal('master'),
    last_migration: z.int(),
    total_migrations: z.int(),
    status: State,
    last_executed: z.iso.datetime().nullable(),
  })
  .meta({ id: 'MigrationStatus' })

export const MigrationRun = z.object({ message: z.string(), status: MigrationStatus }).meta({ id: 'MigrationRun' })

export const TenantsPage = z.object({
  page: z.coerce.number().int().min(1).default(1),
  limit: z.coerce.number().int().min(1).max(100).default(100),
})

const TenantMigration = z.object({
  tenant_id: z.uuid(),
  email: z.string(),
  tenant_domain: z.string(),
  /** Always empty: all tenants share one database. */
  database_name: z.literal(''),
  migration_status: State,
  last_migration: z.int().nullable(),
})
export const TenantMigrations = z.object({ total: z.int(), tenants: z.array(TenantMigration) }).meta({ id: 'TenantMigrations' })

export const MigrationTenantPath = z.object({ tenant_id: z.uuid().transform((id) => id.toLowerCase()) })
export const TenantMigrationStatus = TenantMigration.pick({ tenant_id: true, migration_status: true, last_migration: true }).meta({
  id: 'TenantMigrationStatus',
})

/** Tenants share one database, so no template exists. */
export const TemplateStatus = z.object({ template_name: z.literal(''), ready: z.literal(false) }).meta({ id: 'TemplateStatus' })

/** The documented response of AuthSec. These routes always answer separate_databases_unsupported. */
export const SeparateDatabase = z.object({ message: z.string() }).meta({ id: 'SeparateDatabase' })
