// Migrations of the one database that all tenants share.
import { sqlState } from '#db/engine/client'
import { asTenantId, atomically, directory, forTenant, SYSTEM_TENANT, type TenantId } from '#db/engine/tenant'
import { type MigrationState, migrate, migrationState } from '#db/migrations/migrate'
import { findTenant, pageOfTenants, type Tenant } from '#db/store/tenants'
import type { RequestCtx } from '#shared/domains/context'
import { AppError } from '#shared/kernel/errors'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import type { User } from '#shared/platform/principals/principal'

type Deps = Pick<RequestCtx, 'db' | 'clock' | 'random' | 'keyring' | 'hash' | 'request'>

const statusOf = (state: MigrationState): 'completed' | 'pending' => (state.lastMigration >= state.totalMigrations ? 'completed' : 'pending')

const toResponse = (state: MigrationState) => ({
  db_type: 'master' as const,
  last_migration: state.lastMigration,
  total_migrations: state.totalMigrations,
  status: statusOf(state),
  last_executed: state.lastExecuted?.toISOString() ?? null,
})

export const masterStatus = async ({ db }: Pick<Deps, 'db'>) => toResponse(await migrationState(db))

/** SQLSTATE of PostgreSQL when the process runs as the application role, which may not change the schema. */
const INSUFFICIENT_PRIVILEGE = '42501'

const applyPending = async ({ db, clock }: Deps, before: MigrationState): Promise<readonly number[]> => {
  if (statusOf(before) === 'completed') return []
  try {
    return await migrate(db, clock.now())
  } catch (error) {
    const state = sqlState(error)
    if (state === undefined) throw error
    const details =
      state === INSUFFICIENT_PRIVILEGE
        ? 'This process may not change the schema. Run npm run db:migrate with the owner\u2019s login in the deploy step.'
        : `A migration failed with SQLSTATE ${state}. See the migration log and the server log.`
    throw new AppError('migration_failed', undefined, { extra: { details }, refusal: { event: 'migration.run' } }, error)
  }
}

/**
 * Applies pending migrations, each once, also under parallel calls. Every migration commits with its row in the migration log. The audit event is written
 * afterwards, because a migration belongs to no tenant.
 * @throws AppError migration_failed
 */
export const runMigrations = async (ctx: Deps, caller: User) => {
  const before = await migrationState(ctx.db)
  const applied = await applyPending(ctx, before)
  const after = await migrationState(ctx.db)
  await atomically(forTenant(ctx.db, caller.tenantId), (t) =>
    recordEvent(t, ctx, {
      event: 'migration.run',
      actor: byUser(caller),
      target: { type: 'database', id: 'master' },
      before: { last_migration: before.lastMigration },
      after: { last_migration: after.lastMigration, applied },
    }),
  )
  const message = applied.length === 0 ? 'No migration was pending.' : `Applied ${applied.length} migrations.`
  return { message, status: toResponse(after) }
}

/** Limits the connections that one request takes from the pool. */
const CONCURRENT_READS = 5

/** Reads each tenant's row in that tenant's scope, because row level security allows no other way. */
const rowsOf = async ({ db }: Pick<Deps, 'db'>, tenantIds: readonly TenantId[]): Promise<readonly Tenant[]> => {
  const rows: Tenant[] = []
  for (let from = 0; from < tenantIds.length; from += CONCURRENT_READS) {
    const some = await Promise.all(tenantIds.slice(from, from + CONCURRENT_READS).map((tenantId) => findTenant(forTenant(db, tenantId))))
    rows.push(...some.filter((row) => row !== undefined))
  }
  return rows
}

const lastOf = ({ lastMigration }: MigrationState): number | null => (lastMigration === 0 ? null : lastMigration)

export const listTenants = async (ctx: Pick<Deps, 'db'>, { page, limit }: { readonly page: number; readonly limit: number }) => {
  const state = await migrationState(ctx.db)
  const { total, tenantIds } = await pageOfTenants(directory(ctx.db), { system: SYSTEM_TENANT, offset: (page - 1) * limit, limit })
  const rows = await rowsOf(ctx, tenantIds)
  return {
    total,
    tenants: rows.map((row) => ({
      tenant_id: row.tenantId,
      email: row.email ?? '',
      tenant_domain: row.domain,
      database_name: '' as const,
      migration_status: statusOf(state),
      last_migration: lastOf(state),
    })),
  }
}

/** @throws AppError not_found */
export const tenantStatus = async ({ db }: Pick<Deps, 'db'>, tenantId: string) => {
  const tenant = await findTenant(forTenant(db, asTenantId(tenantId)))
  if (tenant === undefined) throw new AppError('not_found')
  const state = await migrationState(db)
  return { tenant_id: tenant.tenantId, migration_status: statusOf(state), last_migration: lastOf(state) }
}

export const templateStatus = async () => ({ template_name: '' as const, ready: false as const })

/** @throws AppError separate_databases_unsupported, always */
export const refuseSeparateDatabase = async (): Promise<never> => {
  throw new AppError('separate_databases_unsupported', undefined, {
    extra: { hint: 'All tenants share one database. POST /authsec/migration/migrations/master/run migrates it.' },
  })
}
