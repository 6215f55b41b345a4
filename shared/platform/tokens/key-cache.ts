// The signing keys as this instance knows them: at most two seconds old.
import { type Db, refuseInsideTransaction } from '#db/engine/client'
import { directory } from '#db/engine/tenant'
import { listSigningKeys, type SigningKey } from '#db/store/signing-keys'
import { ageMs, type Clock, type ClockReading, readClock } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import type { Keyring } from '#shared/platform/crypto/keyring'
import { SealError } from '#shared/platform/crypto/seal'
import { type KeyMaterial, openKey } from './key-material.ts'
import type { KeyState } from './key-rotation.ts'

/** Counted from before the read began, so that what was revoked after it is felt within two seconds of the revocation. */
const KEPT_MS = 2000
/** An unknown id is looked for once more when the memory is older than this: another instance may have made the key since. */
const UNKNOWN_AGAIN_MS = 250
const ATTEMPTS = 3

export type CachedKey = KeyState & KeyMaterial
export type CachedKeys = ReadonlyMap<string, CachedKey>
type Memory = { readonly since: ClockReading; readonly keys: CachedKeys }

export type KeyCache = {
  /** @throws AppError unavailable when the database answers too slowly for the promise to hold */
  keys(): Promise<CachedKeys>
  /** As `keys`, but does not trust an older memory that lacks this id. */
  keysWith(kid: string): Promise<CachedKeys>
  /** What was read before is out of date, and so is what is being read. */
  forget(): void
}

/** Opened keys by id. A key never changes, so it is opened once; one that does not open is left out, and so verifies nothing. */
const opener = (keyring: Keyring) => {
  let opened = new Map<string, KeyMaterial>()
  return async (rows: readonly SigningKey[]): Promise<CachedKeys> => {
    const kept = new Map<string, KeyMaterial>()
    const known = new Map<string, CachedKey>()
    for (const row of rows) {
      try {
        const material = opened.get(row.kid) ?? (await openKey(keyring, row))
        kept.set(row.kid, material)
        known.set(row.kid, { ...row, ...material })
      } catch (error) {
        if (!(error instanceof SealError)) throw error
      }
    }
    opened = kept
    return known
  }
}

export const createKeyCache = (db: Db, keyring: Keyring, clock: Clock): KeyCache => {
  const open = opener(keyring)
  let memory: Memory | undefined
  let reading: Promise<Memory> | undefined
  let generation = 0

  const read = async (): Promise<Memory> => {
    for (;;) {
      const [since, begunAt] = [readClock(clock), generation]
      const keys = await open(await listSigningKeys(directory(db)))
      if (begunAt !== generation) continue
      memory = { since, keys }
      return memory
    }
  }
  const fresh = (): Promise<Memory> => {
    reading ??= read().finally(() => {
      reading = undefined
    })
    return reading
  }
  const keys = async (): Promise<Memory> => {
    refuseInsideTransaction()
    let known = memory
    for (let attempt = 0; known === undefined || ageMs(clock, known.since) >= KEPT_MS; attempt++) {
      if (attempt === ATTEMPTS)
        throw new AppError('unavailable', undefined, {}, new Error('Reading the signing keys takes longer than they may be kept.'))
      known = await fresh()
    }
    return known
  }
  return {
    keys: async () => (await keys()).keys,
    keysWith: async (kid) => {
      const known = await keys()
      if (known.keys.has(kid) || ageMs(clock, known.since) < UNKNOWN_AGAIN_MS) return known.keys
      await fresh()
      return (await keys()).keys
    },
    forget: () => {
      generation++
      memory = undefined
    },
  }
}
