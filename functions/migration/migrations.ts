// Migrations of the one database that all tenants share.
import { sqlState } from '#db/engine/client'
import { asTenantId, atomically, directory, forTenant, SYSTEM_TENANT, type TenantId } from '#db/engine/tenant'
import { type MigrationState, migrate, migrationState } from '#db/migrations/migrate'
import { findTenant, pageOfTenants, type Tenant } from '#db/store/tenants'
import type { RequestCtx } from '#shared/domains/context'
import { AppError } from '#shared/kernel/errors'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import type { User } from '#shared/platform/principals/principal'

type Deps = Pick<RequestCtx, 'db' | 'clock' | 'random' | 'keyring' | 'request'>

const statusOf = (state: MigrationState): 'completed' | 'pending' => (state.lastMigration >= state.totalMigrations ? 'completed' : 'pending')

const toResponse = (state: MigrationState) => ({
  db_type: 'master' as const,
  last_migration: state.lastMigration,
  total_migrations: state.totalMigrations,
  status: statusOf(state),
  last_executed: state.lastExecuted?.toISOString() ?? null,
})

export const masterStatus = async ({ db }: Pick<Deps, 'db'>) => toResponse(await migrationState(db))

/** insufficient_privilege: the process runs as the application, which may not change the schema. */
const NOT_THE_OWNER = '42501'

const applyPending = async ({ db, clock }: Deps, before: MigrationState): Promise<readonly number[]> => {
  if (statusOf(before) === 'completed') return []
  try {
    return await migrate(db, clock.now())
  } catch (error) {
    const state = sqlState(error)
    if (state === undefined) throw error
    const details =
      state === NOT_THE_OWNER
        ? 'This process may not change the schema; the deploy step does, with the login of the owner: npm run db:migrate.'
        : `A migration ended with SQLSTATE ${state}; the log of migrations and that of the server say more.`
    throw new AppError('migration_failed', undefined, { extra: { details }, refusal: { event: 'migration.run' } }, error)
  }
}

/**
 * Applies pending migrations; what is applied already is skipped, also when two ask at once. Every migration commits with its row in the log of migrations;
 * the audit event follows them, because a migration is no tenant's change.
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

/** As many tenants are read at once; more would take the connections of everybody else. */
const AT_ONCE = 5

/** Each tenant's own row, in that tenant's scope: no table of names and addresses of all tenants exists. */
const rowsOf = async ({ db }: Pick<Deps, 'db'>, tenantIds: readonly TenantId[]): Promise<readonly Tenant[]> => {
  const rows: Tenant[] = []
  for (let from = 0; from < tenantIds.length; from += AT_ONCE) {
    const some = await Promise.all(tenantIds.slice(from, from + AT_ONCE).map((tenantId) => findTenant(forTenant(db, tenantId))))
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
    extra: { hint: 'Every tenant lives in the one database. POST /authsec/migration/migrations/master/run migrates it, for all of them.' },
  })
}
