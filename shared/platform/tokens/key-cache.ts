// Caches the signing keys of an instance for at most two seconds.
import { type Db, refuseInsideTransaction } from '#db/engine/client'
import { directory } from '#db/engine/tenant'
import { listSigningKeys, type SigningKey } from '#db/store/signing-keys'
import { ageMs, type Clock, type ClockReading, readClock } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import type { Keyring } from '#shared/platform/crypto/keyring'
import { SealError } from '#shared/platform/crypto/seal'
import { type KeyMaterial, openKey } from './key-material.ts'
import type { KeyState } from './key-rotation.ts'

/** Measured from the start of the read, so that a revocation takes effect within two seconds. */
const KEPT_MS = 2000
/** An unknown id triggers another read when the cache is older than this: another instance may have created the key since. */
const UNKNOWN_AGAIN_MS = 250
const ATTEMPTS = 3

export type CachedKey = KeyState & KeyMaterial
export type CachedKeys = ReadonlyMap<string, CachedKey>
type Memory = { readonly since: ClockReading; readonly keys: CachedKeys }

export type KeyCache = {
  /** @throws AppError unavailable when reading takes longer than keys may be cached */
  keys(): Promise<CachedKeys>
  /** As `keys`, but reads again when the cache lacks this id. */
  keysWith(kid: string): Promise<CachedKeys>
  /** Discards the cache and any read in progress. */
  forget(): void
}

/** Opens keys, each once, because a key never changes. A key that cannot be opened is left out and so verifies nothing. */
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
  const readOnce = (): Promise<Memory> => {
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
        throw new AppError('unavailable', undefined, {}, new Error('Reading the signing keys takes longer than they may be cached.'))
      known = await readOnce()
    }
    return known
  }
  return {
    keys: async () => (await keys()).keys,
    keysWith: async (kid) => {
      const known = await keys()
      if (known.keys.has(kid) || ageMs(clock, known.since) < UNKNOWN_AGAIN_MS) return known.keys
      await readOnce()
      return (await keys()).keys
    },
    forget: () => {
      generation++
      memory = undefined
    },
  }
}
