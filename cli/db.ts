// The database on the command line: `npm run db:migrate`, `db:export`, `db:import`. DATABASE_URL names a server; without it, the embedded one in DATA_DIR is used.
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { exportDump } from '#db/dump/export'
import { readDumpFile, writeDumpFile } from '#db/dump/file'
import { DumpError } from '#db/dump/format'
import { importDump } from '#db/dump/import'
import type { Db } from '#db/engine/client'
import { checkFolderVersion, FolderVersion } from '#db/engine/folder'
import { FolderLocked } from '#db/engine/folder-lock'
import { asTenantId } from '#db/engine/tenant'
import { migrate } from '#db/migrations/migrate'
import { systemClock } from '#shared/kernel/clock'
import { type Config, ConfigError, readConfig } from '#shared/kernel/config'
import { jsonLog } from '#shared/kernel/log'
import { systemRandom } from '#shared/kernel/random'
import { keyedHash, parseHashKey } from '#shared/platform/crypto/keyed-hash'
import { parseMasterKeys } from '#shared/platform/crypto/master-keys'
import { openDatabase, openSecrets } from '../apps/local/drivers.ts'

const USAGE = `npm run db:migrate
npm run db:export -- --to FILE [--tenant ID]
npm run db:import -- --from FILE [--dry-run]

FILE holds JSON lines, compressed when its name ends in .gz. DATABASE_URL (and DATABASE_OWNER_URL, the login that migrates) names a server; without it the
embedded database in DATA_DIR is used. A dump contains password hashes and sealed secrets: protect it like the database. To use it elsewhere you need
the same MASTER_KEYS and HASH_KEY.
`

class UsageError extends Error {}

const OPTIONS = {
  to: { type: 'string' },
  from: { type: 'string' },
  tenant: { type: 'string' },
  'dry-run': { type: 'boolean', default: false },
} as const
const read = (args: readonly string[]) => {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true })
    return { ...values, command: positionals.join(' ') }
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : 'unknown arguments')
  }
}
const needed = (value: string | undefined, name: string): string => {
  if (value === undefined || value === '') throw new UsageError(`${name} is missing.`)
  return value
}

const say = (line: string): void => void process.stdout.write(`${line}\n`)
const log = jsonLog(
  (line) => void process.stderr.write(`${line}\n`),
  () => systemClock.now(),
)
const random = systemRandom(systemClock)

/** What a dump is bound to: ids of the keys and a check value of the hash key, never a key. */
const boundTo = async (config: Config) => {
  const secrets = await openSecrets({ config, clock: systemClock, random, log })
  const [masterKeys, hashKey] = [await secrets.read('MASTER_KEYS'), await secrets.read('HASH_KEY')]
  if (masterKeys === undefined || hashKey === undefined) throw new ConfigError('MASTER_KEYS, HASH_KEY: must be set')
  const check = keyedHash(parseHashKey(hashKey))('dump', 'check')
  return { masterKeyIds: parseMasterKeys(masterKeys).map(({ id }) => id), hashKeyCheck: Buffer.from(check).toString('hex') }
}

const withDatabase = async (config: Config, work: (db: Db) => Promise<void>): Promise<void> => {
  const db = await openDatabase({ config: { ...config, SKIP_MIGRATIONS: true }, clock: systemClock, random, log })
  try {
    await work(db)
  } finally {
    await db.engine.close()
  }
}

const total = (rows: Readonly<Record<string, number>>): number => Object.values(rows).reduce((sum, count) => sum + count, 0)

const runMigrate = (config: Config): Promise<void> =>
  withDatabase(config, async (db) => {
    const applied = await migrate(db, systemClock.now())
    say(applied.length === 0 ? 'Nothing was pending.' : `Applied: ${applied.join(', ')}.`)
  })

const runExport = async (config: Config, to: string, tenant: string | undefined): Promise<void> => {
  if (config.DATABASE_URL === undefined && !checkFolderVersion(join(config.DATA_DIR, 'db')))
    throw new UsageError(`There is no database in ${config.DATA_DIR}.`)
  const only = tenant === undefined ? {} : { tenantId: tenantNamed(tenant) }
  const bound = await boundTo(config)
  await withDatabase(config, async (db) => {
    const { sections, rows } = await writeDumpFile(to, (write) => exportDump(db, { ...only, ...bound, exportedAt: systemClock.now(), write }))
    say(`Wrote ${total(rows)} rows in ${sections} sections to ${to}.`)
  })
}

const tenantNamed = (id: string) => {
  try {
    return asTenantId(id.toLowerCase())
  } catch {
    throw new UsageError('--tenant takes the id of a tenant, a UUID.')
  }
}

const runImport = async (config: Config, from: string, dryRun: boolean): Promise<void> => {
  const bound = await boundTo(config)
  await withDatabase(config, async (db) => {
    await migrate(db, systemClock.now())
    const { tenants, rows } = await importDump(db, { ...bound, read: () => readDumpFile(from), dryRun })
    say(`${dryRun ? 'Would write' : 'Wrote'} ${total(rows)} rows of ${tenants.length} tenants.`)
  })
}

const run = async (args: readonly string[]): Promise<void> => {
  const { command, to, from, tenant, 'dry-run': dryRun } = read(args)
  if (command === 'migrate') return runMigrate(readConfig(process.env))
  if (command === 'export') return runExport(readConfig(process.env), needed(to, '--to'), tenant)
  if (command === 'import') return runImport(readConfig(process.env), needed(from, '--from'), dryRun)
  throw new UsageError(command === '' ? 'The command is missing.' : `There is no command ${command}.`)
}

/** Errors that a person can fix are printed as one sentence; all others with their stack. */
const isExpected = (error: unknown): error is Error =>
  [DumpError, FolderLocked, FolderVersion, ConfigError, UsageError].some((known) => error instanceof known)

try {
  await run(process.argv.slice(2))
} catch (error) {
  process.exitCode = 1
  if (!isExpected(error)) log.error('database_command_failed', error)
  else process.stderr.write(`${error.message}\n${error instanceof UsageError ? `\n${USAGE}` : ''}`)
}
