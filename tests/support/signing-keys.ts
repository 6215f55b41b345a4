// Signing keys for tests. They belong to the whole deployment, so a file that creates some clears the table first and removes them afterwards.
import { type Db, openDb } from '#db/engine/client'
import { directory } from '#db/engine/tenant'
import { type Clock, systemClock } from '#shared/kernel/clock'
import { systemRandom } from '#shared/kernel/random'
import { createKeyring, type Keyring } from '#shared/platform/crypto/keyring'
import type { MasterKeys } from '#shared/platform/crypto/master-keys'
import type { SigningKeyChange } from '#shared/platform/tokens/signing-key'
import { createSigningKeys, type SigningKeys } from '#shared/platform/tokens/signing-keys'

const random = systemRandom(systemClock)
export const TEST_MASTER_KEYS: MasterKeys = [{ id: 'test', key: random.bytes(32) }]

export const clearSigningKeys = async (db: Db): Promise<void> =>
  void (await directory(db).run({ text: 'delete from authsec.signing_keys', params: [], arrays: false }))

/** Another instance on the same database, with its own cache. */
export const anInstance = (
  db: Db,
  clock: Clock,
  masterKeys = TEST_MASTER_KEYS,
): { readonly signingKeys: SigningKeys; readonly keyring: Keyring; readonly changes: SigningKeyChange[] } => {
  const changes: SigningKeyChange[] = []
  const keyring = createKeyring({ masterKeys, clock, random })
  return { keyring, changes, signingKeys: createSigningKeys({ db, keyring, clock, record: async (_, change) => void changes.push(change) }) }
}

/** Sends a statement, or runs code before, after or instead of it. */
export type Around = (send: () => Promise<unknown[]>) => Promise<unknown[]>

/** The same database, counting statements outside transactions, with a wrapper around every statement. */
export const watched = (db: Db, around: Around = (send) => send()): { readonly db: Db; readonly sent: () => number } => {
  let sent = 0
  const { engine } = db
  return {
    sent: () => sent,
    db: openDb({
      ...engine,
      one: (scope, statement) => {
        sent++
        return around(() => engine.one(scope, statement))
      },
    }),
  }
}
