// One migrated database per test worker, a copy of one that the suite migrates: PGlite, or PostgreSQL when TEST_DATABASE_URL is set. Tests create their own tenants,
// so nothing is truncated.
import { createHash } from 'node:crypto'
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import pg from 'pg'
import { type Db, type Engine, openDb } from '#db/engine/client'
import { openPglite, pgliteEngine } from '#db/engine/pglite'
import { postgresEngine } from '#db/engine/postgres'
import { migrate } from '#db/migrations/migrate'
import { recordingEngine } from '#db/releases/snapshot'

const adminUrl = process.env.TEST_DATABASE_URL
/** Whether the suite runs on a server, with truly concurrent connections. */
export const onServer = adminUrl !== undefined

/** Roles log in as themselves in the suite, so that the server enforces their restrictions. */
export const TEST_LOGIN_PASSWORD = 'authsec-test'

const as = (url: string, user: string, database: string): string => {
  const out = new URL(url)
  out.username = user
  out.password = TEST_LOGIN_PASSWORD
  out.pathname = `/${database}`
  return out.href
}

/** The statements of the suite, for `npm run release:record`. */
const heard = (engine: Engine): Engine => {
  const folder = process.env.RECORD_STATEMENTS
  if (folder === undefined) return engine
  return recordingEngine(engine, (statement) =>
    appendFileSync(join(folder, `${process.pid}-${process.env.VITEST_POOL_ID}.jsonl`), `${JSON.stringify(statement)}\n`),
  )
}

export type TestDatabase = { readonly db: Db /** Privileged URL of this worker's database; only on a server. */; readonly url: string | undefined }

// The name includes the checkout, so that two checkouts on one server do not drop each other's database.
const checkout = createHash('sha256').update(process.cwd()).digest('hex').slice(0, 8)

/** Drops and creates databases of that server. */
const onPostgres = async (privileged: string, ...texts: readonly string[]): Promise<void> => {
  const client = new pg.Client({ connectionString: privileged })
  await client.connect()
  for (const text of texts) await client.query(text)
  await client.end()
}
const urlOf = (privileged: string, name: string): string => {
  const own = new URL(privileged)
  own.pathname = `/${name}`
  return own.href
}
const migrated = async (engine: Engine): Promise<Db> => {
  const db = openDb(engine)
  await migrate(db, new Date())
  return db
}
const migrateServer = async (url: string): Promise<void> => (await migrated(postgresEngine({ url, maxConnections: 1 }))).engine.close()

/** The migrated database that is copied: its name on a server, the file of its folder embedded. The suite sets it; otherwise each worker creates one. */
const TEMPLATE = 'TEST_DATABASE_TEMPLATE'

/** The inputs of an embedded one: it is reused between runs while these are the same. */
const MADE_OF = [
  'db/migrations/migrations.generated.ts',
  'db/migrations/policies.ts',
  'db/migrations/migrate.ts',
  'node_modules/@electric-sql/pglite/package.json',
]
const keptTemplate = async (): Promise<string> => {
  const folder = join('.build', 'database')
  const digest = createHash('sha256')
  for (const file of MADE_OF) digest.update(readFileSync(file)).update('\0')
  const path = resolve(folder, `${digest.digest('hex').slice(0, 32)}.tar`)
  if (existsSync(path)) return path
  const pglite = await openPglite()
  await migrated(pgliteEngine(pglite))
  const unfinished = `${path}.${process.pid}`
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  writeFileSync(unfinished, new Uint8Array(await (await pglite.dumpDataDir('none')).arrayBuffer()))
  renameSync(unfinished, path)
  await pglite.close()
  return path
}

/** Runs before all workers; returns how to remove it. */
export const makeTemplate = async (): Promise<() => Promise<void>> => {
  if (adminUrl === undefined) {
    process.env[TEMPLATE] = await keptTemplate()
    return async () => undefined
  }
  const name = `authsec_test_${checkout}_template`
  await onPostgres(adminUrl, `drop database if exists ${name} with (force)`, `create database ${name}`)
  await migrateServer(urlOf(adminUrl, name))
  process.env[TEMPLATE] = name
  return () => onPostgres(adminUrl, `drop database if exists ${name} with (force)`)
}

const openServer = async (privileged: string, suffix = ''): Promise<TestDatabase> => {
  const name = `authsec_test_${checkout}_${process.env.VITEST_POOL_ID ?? process.pid}${suffix}`
  const template = process.env[TEMPLATE]
  const url = urlOf(privileged, name)
  await onPostgres(
    privileged,
    `drop database if exists ${name} with (force)`,
    `create database ${name}${template === undefined ? '' : ` template ${template}`}`,
  )
  if (template === undefined) await migrateServer(url)
  // Nothing of the suite outlives the server, so no commit has to wait for the disk.
  else await onPostgres(privileged, `alter database ${name} set synchronous_commit = off`)
  const engine = postgresEngine({ url: as(privileged, 'authsec_app', name), jobsUrl: as(privileged, 'authsec_jobs', name), ownerUrl: url })
  return { db: openDb(heard(engine)), url }
}

const openEmbedded = async (): Promise<TestDatabase> => {
  const template = process.env[TEMPLATE]
  if (template === undefined) return { db: await migrated(pgliteEngine(await openPglite())), url: undefined }
  const pglite = new PGlite({ loadDataDir: new Blob([readFileSync(template)]) })
  await pglite.waitReady
  return { db: openDb(pgliteEngine(pglite)), url: undefined }
}

let opened: Promise<TestDatabase> | undefined
/** This worker's database. */
export const testDatabase = (): Promise<TestDatabase> => {
  opened ??= adminUrl === undefined ? openEmbedded() : openServer(adminUrl)
  return opened
}
export const testDb = async (): Promise<Db> => (await testDatabase()).db

let owned = 0
/**
 * A database for one test file, for tests of deployment-wide state (signing keys, the master key, the outbox of all tenants): on the shared one they
 * would interfere with other files.
 */
export const ownDatabase = (): Promise<TestDatabase> => (adminUrl === undefined ? openEmbedded() : openServer(adminUrl, `_own${owned++}`))
export const ownDb = async (): Promise<Db> => (await ownDatabase()).db
