// `npm run audit:restore -- --tenant ID --from FILE`: restores missing events of a tenant's audit log from the lines of its own export.
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { asTenantId } from '#db/engine/tenant'
import { restoreEvents } from '#shared/domains/audit/restore'
import { systemClock } from '#shared/kernel/clock'
import { readConfig } from '#shared/kernel/config'
import { jsonLog } from '#shared/kernel/log'
import { systemRandom } from '#shared/kernel/random'
import { keyedHash, parseHashKey } from '#shared/platform/crypto/keyed-hash'
import { createKeyring } from '#shared/platform/crypto/keyring'
import { parseMasterKeys } from '#shared/platform/crypto/master-keys'
import { openDatabase, openSecrets } from '../apps/local/drivers.ts'

const main = async (tenant: string, from: string): Promise<string> => {
  const config = { ...readConfig(process.env), SKIP_MIGRATIONS: true }
  const clock = systemClock
  const random = systemRandom(clock)
  const parts = { config, clock, random, log: jsonLog(() => undefined, clock.now) }
  const secrets = await openSecrets(parts)
  const masterKeys = await secrets.read('MASTER_KEYS')
  const hashKey = await secrets.read('HASH_KEY')
  if (masterKeys === undefined || hashKey === undefined) throw new Error('MASTER_KEYS and HASH_KEY: must be set')
  const db = await openDatabase(parts)
  try {
    const keyring = createKeyring({ masterKeys: parseMasterKeys(masterKeys), clock, random })
    const lines = createInterface({ input: createReadStream(from, 'utf8'), crlfDelay: Number.POSITIVE_INFINITY })
    const { read, restored } = await restoreEvents({ db, keyring, clock, random, hash: keyedHash(parseHashKey(hashKey)) }, asTenantId(tenant), lines)
    return `${read} events were read; ${restored} were missing and have been restored.\n`
  } finally {
    await db.engine.close()
  }
}

try {
  const { values } = parseArgs({ options: { tenant: { type: 'string' }, from: { type: 'string' } } })
  if (values.tenant === undefined || values.from === undefined) throw new Error('usage: npm run audit:restore -- --tenant ID --from FILE')
  process.stdout.write(await main(values.tenant, values.from))
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
