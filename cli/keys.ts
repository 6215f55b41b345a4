// `npm run keys -- list | rotate | revoke --kid KID | rewrap`: key administration on the database that the environment names.
import { parseArgs } from 'node:util'
import { directory } from '#db/engine/tenant'
import { listSigningKeys } from '#db/store/signing-keys'
import { compose } from '#shared/domains/composition/compose'
import type { BaseCtx } from '#shared/domains/context'
import { systemClock } from '#shared/kernel/clock'
import { readConfig } from '#shared/kernel/config'
import { jsonLog } from '#shared/kernel/log'
import { systemRandom } from '#shared/kernel/random'
import { loadPasswordHash } from '#shared/platform/crypto/load-password-hash'
import { revokeSigningKey, rewrapKeys, rotateSigningKeys } from '#shared/platform/tokens/key-maintenance'
import { openCache, openDatabase, openSecrets } from '../apps/local/drivers.ts'

const USAGE = `npm run keys -- list                 signing keys and their state
npm run keys -- rotate               create, promote and retire keys that are due
npm run keys -- revoke --kid KID     emergency: tokens signed by this key are refused within two seconds
npm run keys -- rewrap               seal all keys again with the first of MASTER_KEYS
`

const list = async (ctx: BaseCtx): Promise<string> => {
  const rows = await listSigningKeys(directory(ctx.db))
  return rows.map(({ kid, alg, status, createdAt }) => `${kid}  ${alg}  ${status.padEnd(8)} ${createdAt.toISOString()}\n`).join('')
}

const run = async (ctx: BaseCtx, command: string | undefined, kid: string | undefined): Promise<string> => {
  switch (command) {
    case 'list':
      return list(ctx)
    case 'rotate':
      return `${(await rotateSigningKeys(ctx)).length} changed\n`
    case 'revoke':
      if (kid === undefined) throw new Error('revoke needs --kid: see `npm run keys -- list`.')
      await revokeSigningKey(ctx, kid)
      return `${kid} is revoked; everyone whose session it signed has to sign in again.\n`
    case 'rewrap': {
      const { dataKeys, signingKeys } = await rewrapKeys(ctx)
      return `${dataKeys} data keys and ${signingKeys} signing keys are now sealed with the current master key.\n`
    }
    default:
      throw new Error(USAGE)
  }
}

const main = async (): Promise<void> => {
  const { positionals, values } = parseArgs({ allowPositionals: true, options: { kid: { type: 'string' } } })
  const config = readConfig(process.env)
  const clock = systemClock
  const random = systemRandom(clock)
  const log = jsonLog(() => undefined, clock.now)
  const parts = { config, clock, random, log }
  const db = await openDatabase(parts)
  const cache = await openCache(parts)
  try {
    const ctx = await compose({
      ...parts,
      db,
      cache,
      secrets: await openSecrets(parts),
      passwords: await loadPasswordHash({}),
      wakeOutbox: () => undefined,
    })
    process.stdout.write(await run(ctx, positionals[0], values.kid))
  } finally {
    await cache.close()
    await db.engine.close()
  }
}

try {
  await main()
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
