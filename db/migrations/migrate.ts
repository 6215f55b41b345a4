// Applies pending migrations in order, each in a transaction with its log row. Several instances may run it concurrently.
import { sql } from 'drizzle-orm'
import { type Db, sqlState } from '../engine/client.ts'
import { directory } from '../engine/tenant.ts'
import type { Migration } from './migrations.generated.ts'
import { POLICIES, PREPARE } from './policies.ts'

export type MigrationState = { readonly lastMigration: number; readonly totalMigrations: number; readonly lastExecuted: Date | undefined }

/** Loaded on demand, so that a function that only reports the state starts without them. */
const migrations = async (): Promise<readonly Migration[]> => (await import('./migrations.generated.ts')).MIGRATIONS

const LOCK = 'select pg_advisory_xact_lock(7468746874687468);\n'
/** Our own SQLSTATE: another instance has already applied this version. */
const ALREADY_APPLIED = 'AS001'
/** invalid_parameter_value: the role does not exist, so this database was never migrated. */
const NO_ROLE = '22023'

const literal = (text: string): string => `'${text.replaceAll("'", "''").replaceAll('\0', '')}'`

/** The applied migrations. A database without our schema has none. */
export const migrationState = async (db: Db): Promise<MigrationState> => {
  const none = { lastMigration: 0, totalMigrations: (await migrations()).length, lastExecuted: undefined }
  try {
    const d = directory(db)
    const [table] = await d.db.execute<{ readable: boolean }>(sql`
      select has_schema_privilege(n.oid, 'usage') as readable from pg_namespace n join pg_class c on c.relnamespace = n.oid
      where n.nspname = 'authsec' and c.relname = 'migration_log'`)
    if (!table?.readable) return none
    const [row] = await d.db.execute<{ last: number | null; at: string | null }>(
      sql`select max(version)::int as last, max(executed_at)::text as at from authsec.migration_log where success`,
    )
    return { ...none, lastMigration: row?.last ?? 0, lastExecuted: row?.at ? new Date(row.at) : undefined }
  } catch (error) {
    if (sqlState(error) === NO_ROLE) return none
    throw error
  }
}

const logRow = (version: number, name: string, now: Date, error?: string): string => `
insert into authsec.migration_log (version, name, success, error, duration_ms, executed_at)
values (${version}, ${literal(name)}, ${error === undefined}, ${error === undefined ? 'null' : literal(error)},
  (extract(epoch from clock_timestamp() - now()) * 1000)::int, ${literal(now.toISOString())})
on conflict (version) do update set success = excluded.success, error = excluded.error, duration_ms = excluded.duration_ms, executed_at = excluded.executed_at;`

const apply = async (db: Db, { version, name, sql: text }: Migration, now: Date): Promise<boolean> => {
  const guard = `do $guard$ begin
  if to_regclass('authsec.migration_log') is not null then
    if exists (select from authsec.migration_log where version = ${version} and success) then
      raise exception 'already applied' using errcode = '${ALREADY_APPLIED}';
    end if;
  end if;
end $guard$;
`
  try {
    await db.engine.script('authsec_owner', `${LOCK}${guard}${text};\n${logRow(version, name, now)}`)
    return true
  } catch (error) {
    if (sqlState(error) === ALREADY_APPLIED) return false
    await db.engine.script('authsec_owner', logRow(version, name, now, sqlState(error) ?? 'failed')).catch(() => undefined)
    throw error
  }
}

/**
 * Migrates the database to this release's schema. Needs the owner's login. `now` is the time in the log rows.
 * @returns the applied versions
 */
export const migrate = async (db: Db, now: Date): Promise<readonly number[]> => {
  await db.engine.script('login', LOCK + PREPARE)
  const { lastMigration } = await migrationState(db)
  const applied: number[] = []
  for (const migration of await migrations()) {
    if (migration.version > lastMigration && (await apply(db, migration, now))) applied.push(migration.version)
  }
  await db.engine.script('authsec_owner', LOCK + POLICIES)
  return applied
}
