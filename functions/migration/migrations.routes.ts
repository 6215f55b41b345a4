// Migrations of the shared database, and AuthSec's routes for a database per tenant, which are not supported. For platform administrators only.
import { may } from '#shared/platform/http/access'
import { json } from '#shared/platform/http/route'
import { route } from './group.ts'
import {
  MigrationRun,
  MigrationStatus,
  MigrationTenantPath,
  SeparateDatabase,
  TemplateStatus,
  TenantMigrationStatus,
  TenantMigrations,
  TenantsPage,
} from './migrations.schema.ts'
import { listTenants, masterStatus, refuseSeparateDatabase, runMigrations, templateStatus, tenantStatus } from './migrations.ts'

const access = may('platform:migrate')

const separate = { access, reply: json(200, SeparateDatabase), errors: ['separate_databases_unsupported'], emits: 'nothing' } as const

export const migrationsRoutes = [
  route({
    id: 'migration.runMaster',
    on: 'POST /authsec/migration/migrations/master/run',
    summary: 'Apply the pending migrations in order.',
    access,
    reply: json(200, MigrationRun),
    errors: ['migration_failed', 'unavailable'],
    emits: ['migration.run'],
    handle: ({ ctx, principal }) => runMigrations(ctx, principal),
  }),
  route({
    id: 'migration.masterStatus',
    on: 'GET /authsec/migration/migrations/master/status',
    summary: 'Read which migrations have been applied.',
    access,
    reply: json(200, MigrationStatus),
    errors: ['unavailable'],
    emits: 'nothing',
    handle: ({ ctx }) => masterStatus(ctx),
  }),
  route({
    id: 'migration.listTenants',
    on: 'GET /authsec/migration/tenants',
    summary: 'List all tenants, oldest first, at most 100 a page.',
    access,
    query: TenantsPage,
    reply: json(200, TenantMigrations),
    errors: ['unavailable'],
    emits: 'nothing',
    handle: ({ ctx, query }) => listTenants(ctx, query),
  }),
  route({
    id: 'migration.templateStatus',
    on: 'GET /authsec/migration/tenants/template-status',
    summary: 'Read the status of the tenant database template, which does not exist here.',
    access,
    reply: json(200, TemplateStatus),
    errors: [],
    emits: 'nothing',
    handle: () => templateStatus(),
  }),
  route({
    id: 'migration.tenantStatus',
    on: 'GET /authsec/migration/tenants/:tenant_id/migrations/status',
    summary: 'Read the migration status of a tenant, which is that of the deployment.',
    access,
    path: MigrationTenantPath,
    actsIn: 'path.tenant_id',
    reply: json(200, TenantMigrationStatus),
    errors: ['not_found', 'unavailable'],
    emits: 'nothing',
    handle: ({ ctx, path }) => tenantStatus(ctx, path.tenant_id),
  }),
  route({
    ...separate,
    id: 'migration.createTenantDatabase',
    on: 'POST /authsec/migration/tenants/create-db',
    summary: 'Not offered: a database for one tenant.',
    handle: () => refuseSeparateDatabase(),
  }),
  route({
    ...separate,
    id: 'migration.createTenantFromTemplate',
    on: 'POST /authsec/migration/tenants/create-from-template',
    summary: 'Not offered: a database for one tenant, from a template.',
    handle: () => refuseSeparateDatabase(),
  }),
  route({
    ...separate,
    id: 'migration.migrateAllTenants',
    on: 'POST /authsec/migration/tenants/migrate-all',
    summary: 'Not offered: migrate the databases of all tenants.',
    handle: () => refuseSeparateDatabase(),
  }),
  route({
    ...separate,
    id: 'migration.runTenant',
    on: 'POST /authsec/migration/tenants/:tenant_id/migrations/run',
    summary: 'Not offered: migrate the database of one tenant.',
    path: MigrationTenantPath,
    actsIn: 'path.tenant_id',
    handle: () => refuseSeparateDatabase(),
  }),
]
