// Signing keys for tests. They are the whole deployment's, so a file that makes some clears the table first and leaves none behind.
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

/** One more instance on the same database, with a memory of its own. */
export const anInstance = (
  db: Db,
  clock: Clock,
  masterKeys = TEST_MASTER_KEYS,
): { readonly signingKeys: SigningKeys; readonly keyring: Keyring; readonly changes: SigningKeyChange[] } => {
  const changes: SigningKeyChange[] = []
  const keyring = createKeyring({ masterKeys, clock, random })
  return { keyring, changes, signingKeys: createSigningKeys({ db, keyring, clock, record: async (_, change) => void changes.push(change) }) }
}

/** Sends a statement, or does something before, after or instead. */
export type Around = (send: () => Promise<unknown[]>) => Promise<unknown[]>

/** The same database, counting what is sent to it outside transactions, with something around every statement. */
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
