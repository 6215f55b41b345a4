// Imports an existing AuthSec database: `npm run import:authsec -- --from postgres://… [--dry-run]`.
import { parseArgs } from 'node:util'
import pg from 'pg'
import { migrate } from '#db/migrations/migrate'
import type { AddressRule } from '#shared/domains/import/people'
import { importAuthsec } from '#shared/domains/import/run'
import { openSource, type SourceQuery } from '#shared/domains/import/source'
import { parseSourceKeys } from '#shared/domains/import/totp-seed'
import { systemClock } from '#shared/kernel/clock'
import { ConfigError, readConfig } from '#shared/kernel/config'
import { jsonLog } from '#shared/kernel/log'
import { systemRandom } from '#shared/kernel/random'
import { keyedHash, parseHashKey } from '#shared/platform/crypto/keyed-hash'
import { createKeyring } from '#shared/platform/crypto/keyring'
import { parseMasterKeys } from '#shared/platform/crypto/master-keys'
import { openDatabase, openSecrets } from '../apps/local/drivers.ts'

const USAGE = `npm run import:authsec -- --from postgres://USER:PASSWORD@HOST/DATABASE [--dry-run] [--addresses signed-in|none] [--rp-id DOMAIN]

Writes one line of JSON for every row, with the outcome and the reason. --dry-run does the same and saves nothing. Each company is imported completely or not at all,
and once: an existing company is not changed. --addresses selects whose email address counts as verified: people who have signed in there (the default), or
none. The source is read in one transaction and never written to. DATABASE_URL names the target; without it the embedded database in DATA_DIR is used.
`

class UsageError extends Error {}

type Arguments = { readonly from: string; readonly dryRun: boolean; readonly addresses: AddressRule; readonly rpId: string | undefined }
const read = (args: readonly string[]): Arguments => {
  try {
    const options = {
      from: { type: 'string' },
      'dry-run': { type: 'boolean', default: false },
      addresses: { type: 'string', default: 'signed-in' },
      'rp-id': { type: 'string' },
    } as const
    const { from, 'dry-run': dryRun, addresses, 'rp-id': rpId } = parseArgs({ args: [...args], options }).values
    if (from === undefined || !URL.canParse(from)) throw new UsageError('--from takes the URL of a PostgreSQL database.')
    if (addresses !== 'signed-in' && addresses !== 'none') throw new UsageError('--addresses takes signed-in or none.')
    if (rpId !== undefined && !/^[a-z0-9-]+(\.[a-z0-9-]+)*$/.test(rpId)) throw new UsageError('--rp-id takes a domain, such as app.example.com.')
    return { from, dryRun, addresses, rpId }
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : 'unknown arguments')
  }
}

const log = jsonLog(
  (line) => void process.stderr.write(`${line}\n`),
  () => systemClock.now(),
)

/** One read-only snapshot of the whole source. */
const reading = async <T>(from: string, work: (query: SourceQuery) => Promise<T>): Promise<T> => {
  const client = new pg.Client({ connectionString: from })
  await client.connect()
  try {
    await client.query('begin isolation level repeatable read read only')
    return await work(async (text, params) => (await client.query(text, [...params])).rows)
  } finally {
    await client.end()
  }
}

const run = async (args: readonly string[]): Promise<boolean> => {
  const { from, dryRun, addresses, rpId } = read(args)
  const config = readConfig(process.env)
  const keys = await parseSourceKeys(config.IMPORT_TOTP_ENCRYPTION_KEYS).catch((error: unknown) => {
    throw new ConfigError(`IMPORT_TOTP_ENCRYPTION_KEYS: ${error instanceof Error ? error.message : 'malformed'}`)
  })
  const [clock, random] = [systemClock, systemRandom(systemClock)]
  const secrets = await openSecrets({ config, clock, random, log })
  const [masterKeys, hashKey] = [await secrets.read('MASTER_KEYS'), await secrets.read('HASH_KEY')]
  if (masterKeys === undefined || hashKey === undefined) throw new ConfigError('MASTER_KEYS, HASH_KEY: must be set')
  const db = await openDatabase({ config: { ...config, SKIP_MIGRATIONS: true }, clock, random, log })
  try {
    await migrate(db, clock.now())
    const keyring = createKeyring({ masterKeys: parseMasterKeys(masterKeys), clock, random })
    const ctx = { db, clock, random, keyring, config, hash: keyedHash(parseHashKey(hashKey)) }
    const report = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`)
    const summary = await reading(from, async (query) => importAuthsec(ctx, await openSource(query), { dryRun, addresses, keys, rpId, report }))
    report({ dry_run: dryRun, ...summary })
    return summary.tenants.refused === 0
  } finally {
    await db.engine.close()
  }
}

try {
  if (!(await run(process.argv.slice(2)))) process.exitCode = 2
} catch (error) {
  process.exitCode = 1
  if (error instanceof UsageError || error instanceof ConfigError)
    process.stderr.write(`${error.message}\n${error instanceof UsageError ? `\n${USAGE}` : ''}`)
  else log.error('import_failed', error)
}
