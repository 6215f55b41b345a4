// One migrated database a test worker: PGlite, or PostgreSQL when TEST_DATABASE_URL is set. Tests make tenants of their own, so nothing is truncated.
import { createHash } from 'node:crypto'
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { type Db, type Engine, openDb } from '#db/client'
import { migrate } from '#db/migrate'
import { openPglite, pgliteEngine } from '#db/pglite'
import { postgresEngine } from '#db/postgres'
import { recording } from '#db/releases/snapshot'

const adminUrl = process.env.TEST_DATABASE_URL
/** Whether the suite runs on a server, where connections really race. */
export const onServer = adminUrl !== undefined

/** Roles log in as themselves in the suite, so that what they cannot do is the server's word, not ours. */
export const TEST_LOGIN_PASSWORD = 'authsec-test'

const as = (url: string, user: string, database: string): string => {
  const out = new URL(url)
  out.username = user
  out.password = TEST_LOGIN_PASSWORD
  out.pathname = `/${database}`
  return out.href
}

/** What the suite says to the database, for `npm run release:record`. */
const heard = (engine: Engine): Engine => {
  const folder = process.env.RECORD_STATEMENTS
  if (folder === undefined) return engine
  return recording(engine, (said) => appendFileSync(join(folder, `${process.pid}-${process.env.VITEST_POOL_ID}.jsonl`), `${JSON.stringify(said)}\n`))
}

export type TestDatabase = { readonly db: Db /** Privileged URL of this worker's database; only on a server. */; readonly url: string | undefined }

const openServer = async (privileged: string, suffix = ''): Promise<TestDatabase> => {
  // Named by the checkout too, so that two checkouts on one server do not drop each other's database.
  const checkout = createHash('sha256').update(process.cwd()).digest('hex').slice(0, 8)
  const name = `authsec_test_${checkout}_${process.env.VITEST_POOL_ID ?? process.pid}${suffix}`
  const client = new pg.Client({ connectionString: privileged })
  await client.connect()
  await client.query(`drop database if exists ${name} with (force)`)
  await client.query(`create database ${name}`)
  await client.end()
  const own = new URL(privileged)
  own.pathname = `/${name}`
  const first = openDb(postgresEngine({ url: own.href, maxConnections: 1 }))
  await migrate(first, new Date())
  await first.engine.close()
  const engine = postgresEngine({ url: as(privileged, 'authsec_app', name), jobsUrl: as(privileged, 'authsec_jobs', name), ownerUrl: own.href })
  return { db: openDb(heard(engine)), url: own.href }
}

const openEmbedded = async (): Promise<TestDatabase> => {
  const db = openDb(pgliteEngine(await openPglite()))
  await migrate(db, new Date())
  return { db, url: undefined }
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
 * A database of a file's own, for tests of what is the whole deployment's (signing keys, the master key, the outbox of all tenants): on the shared one they
 * would take other files' apart.
 */
export const ownDatabase = (): Promise<TestDatabase> => (adminUrl === undefined ? openEmbedded() : openServer(adminUrl, `_own${owned++}`))
export const ownDb = async (): Promise<Db> => (await ownDatabase()).db
