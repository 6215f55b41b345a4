// The recorded database usage of a release: every statement with its role, and the columns of every table. The next release's schema must still accept all
// of it, because both run during a deployment (expand, migrate, contract).
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { type DatabaseRole, type Engine, type Statement, statementParts } from '../engine/client.ts'

export type RecordedStatement = { readonly role: DatabaseRole; readonly text: string }
export type Snapshot = {
  readonly version: string
  readonly statements: readonly RecordedStatement[]
  /** The columns of each table with their types. */
  readonly columns: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** The digest of each migration file of the release: databases have run these, so they never change. */
  readonly migrations: Readonly<Record<string, string>>
}

const MIGRATIONS = new URL('../migrations/', import.meta.url)

/** Every migration file, in order, with its digest. */
export const migrationsIn = (folder: URL = MIGRATIONS): Snapshot['migrations'] =>
  Object.fromEntries(
    readdirSync(folder)
      .filter((file) => file.endsWith('.sql'))
      .sort()
      .map((file) => [
        file,
        createHash('sha256')
          .update(readFileSync(new URL(file, folder)))
          .digest('hex'),
      ]),
  )

/** Differences from a release's migrations: empty when all exist unchanged and come before all others. */
export const changedMigrations = (released: Snapshot['migrations'], now: Snapshot['migrations']): readonly string[] => {
  const files = Object.keys(now)
  return Object.entries(released).flatMap(([file, digest], at) =>
    now[file] === undefined
      ? [`${file} was released and is gone`]
      : now[file] !== digest
        ? [`${file} was released and has changed`]
        : files[at] !== file
          ? [`${files[at]} comes before ${file}, which was released`]
          : [],
  )
}

/** The newest recorded release. */
export const newestRelease = (folder: URL = new URL('./', import.meta.url)): Snapshot | undefined => {
  const files = readdirSync(folder).filter((file) => file.endsWith('.json'))
  const newest = files.toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1)
  return newest === undefined ? undefined : (JSON.parse(readFileSync(new URL(newest, folder), 'utf8')) as Snapshot)
}

/** Wraps an engine to report every statement once. */
export const recordingEngine = (engine: Engine, report: (statement: RecordedStatement) => void): Engine => {
  const known = new Set<string>()
  const note = (role: DatabaseRole, statement: Statement): void => {
    for (const { text } of statementParts(statement)) {
      const key = `${role} ${text}`
      if (known.has(key)) continue
      known.add(key)
      report({ role, text })
    }
  }
  return {
    ...engine,
    one: (scope, statement) => {
      note(scope.role, statement)
      return engine.one(scope, statement)
    },
    transaction: (scope, work) =>
      engine.transaction(scope, (run) =>
        work((statement) => {
          note(scope.role, statement)
          return run(statement)
        }),
      ),
  }
}

/** The server connection of the checks, which may switch to every role. */
export type ReleaseSession = { query(text: string): Promise<{ readonly rows: readonly Readonly<Record<string, unknown>>[] }> }

export const columnsOf = async (session: ReleaseSession): Promise<Snapshot['columns']> => {
  const { rows } = await session.query(
    `select table_name as table, jsonb_object_agg(column_name, udt_name) as columns
     from information_schema.columns where table_schema = 'authsec' group by 1 order by 1`,
  )
  return Object.fromEntries(rows.map(({ table, columns }) => [String(table), columns as Readonly<Record<string, string>>]))
}

/** Required columns by table. */
const requiredColumns = async (session: ReleaseSession): Promise<ReadonlyMap<string, { readonly name: string; readonly hasDefault: boolean }[]>> => {
  const { rows } = await session.query(
    `select table_name as table, column_name as name, column_default is not null or is_identity = 'YES' as "hasDefault"
     from information_schema.columns where table_schema = 'authsec' and is_nullable = 'NO'`,
  )
  const out = new Map<string, { name: string; hasDefault: boolean }[]>()
  for (const row of rows) {
    const table = String(row.table)
    out.set(table, [...(out.get(table) ?? []), { name: String(row.name), hasDefault: row.hasDefault === true }])
  }
  return out
}

/** `insert into "authsec"."t" as "x" ("a", "b")`: the table and the inserted columns. */
const INSERT = /insert into "?authsec"?\."?(\w+)"?(?: as "?\w+"?)?\s*\(([^)]*)\)/gi
/** Rows built from a table's row type: columns added later are null in them, whatever their default. */
const WHOLE_ROW = /null::"?authsec"?\."?(\w+)"?/gi

const missingIn = async (session: ReleaseSession, { statements, columns }: Snapshot): Promise<string[]> => {
  const required = await requiredColumns(session)
  return statements.flatMap(({ text }) => [
    ...[...text.matchAll(INSERT)].flatMap(([, table = '', list = '']) => {
      const given = new Set(list.split(',').map((name) => name.trim().replaceAll('"', '')))
      const wanted = (required.get(table) ?? []).filter(({ name, hasDefault }) => !hasDefault && !given.has(name))
      return wanted.map(({ name }) => `${table}.${name} must have a value, and ${text.slice(0, 80)} gives none`)
    }),
    ...[...text.matchAll(WHOLE_ROW)].flatMap(([, table = '']) => {
      // With listed columns, later columns get their defaults.
      if ([...text.matchAll(INSERT)].some(([, named]) => named === table)) return []
      const wanted = (required.get(table) ?? []).filter(({ name }) => columns[table]?.[name] === undefined)
      return wanted.map(({ name }) => `${table}.${name} must not be null, and ${text.slice(0, 80)} leaves it so`)
    }),
  ])
}

/** Type changes that accept all previous values in the same text format. */
const WIDER = new Set(['int2 int4', 'int2 int8', 'int4 int8', 'varchar text', 'float4 float8'])

/** Values are sent as text, so a column of another type accepts the statement and then refuses its values. */
const changedTypes = async (session: ReleaseSession, { columns }: Snapshot): Promise<string[]> => {
  const now = await columnsOf(session)
  return Object.entries(columns).flatMap(([table, before]) =>
    Object.entries(before).flatMap(([name, type]) => {
      const found = now[table]?.[name]
      return found === undefined || found === type || WIDER.has(`${type} ${found}`) ? [] : [`${table}.${name} was ${type} and is ${found}`]
    }),
  )
}

/** Prepares and plans a statement with its role to check names, types and privileges. Nothing is executed. */
const refusedBy = async (session: ReleaseSession, { role, text }: RecordedStatement): Promise<string | undefined> => {
  try {
    await session.query(`begin; set local role ${role}; set local plan_cache_mode = force_generic_plan`)
    await session.query(`prepare said as ${text}`)
    const { rows } = await session.query(`select cardinality(parameter_types) as count from pg_prepared_statements where name = 'said'`)
    const count = Number(rows[0]?.count ?? 0)
    const isPlanned = /^\s*(with|select|insert|update|delete|merge)\b/i.test(text)
    if (isPlanned) await session.query(`explain execute said${count === 0 ? '' : `(${Array.from({ length: count }, () => 'null').join(', ')})`}`)
    return undefined
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}: ${role} says ${text.slice(0, 200)}`
  } finally {
    await session.query('rollback')
    await session.query('deallocate all')
  }
}

/** Problems of a release with the schema of `session`: empty when both can run side by side. */
export const findRefusals = async (session: ReleaseSession, snapshot: Snapshot): Promise<readonly string[]> => {
  const out = [...(await changedTypes(session, snapshot)), ...(await missingIn(session, snapshot))]
  for (const statement of snapshot.statements) {
    const refused = await refusedBy(session, statement)
    if (refused !== undefined) out.push(refused)
  }
  return out
}

/** The statements that this schema accepts. Tests also send statements that fail on purpose; those are not part of the release. */
export const captureStatements = async (session: ReleaseSession, snapshot: Snapshot): Promise<Snapshot['statements']> => {
  const out: RecordedStatement[] = []
  for (const statement of snapshot.statements)
    if ((await findRefusals(session, { ...snapshot, statements: [statement] })).length === 0) out.push(statement)
  return out
}
