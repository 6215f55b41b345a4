// The deployment's signing keys: next (published, not yet signing), current (signs), retired (still verifies), revoked (neither).
import { createHash } from 'node:crypto'
import type { Db } from '#db/engine/client'
import type { Clock } from '#shared/kernel/clock'
import type { Keyring } from '#shared/platform/crypto/keyring'
import { type CachedKey, createKeyCache } from './key-cache.ts'
import { isKeyAccepted } from './key-rotation.ts'
import type { Alg, RecordKeyChange } from './signing-key.ts'

export type Signer = { readonly kid: string; readonly alg: Alg; readonly key: CryptoKey }
export type Verifier = { readonly kid: string; readonly alg: Alg; readonly key: CryptoKey }
export type PublicJwks = { readonly keys: readonly Readonly<Record<string, unknown>>[] }
/** The JWKS as it goes out, with its strong entity tag (RFC 9110 section 8.8.3). */
export type JwksDocument = { readonly body: string; readonly etag: string }
/**
 * Read from Postgres and kept for at most two seconds, so that an emergency revocation is felt everywhere within the promise of two. Not to be asked inside
 * a transaction: it would fail only when the memory happens to be old, so it fails always.
 */
export type SigningKeys = {
  /** The current key of the algorithm. Keys are made at first use. */
  signer(alg: Alg): Promise<Signer>
  /** The key that bears this id, unless it was revoked or its retirement is over. */
  verifier(kid: string): Promise<Verifier | undefined>
  /** What the world may verify with: next, current and retired keys. */
  jwks(): Promise<PublicJwks>
  /** The same as bytes, prepared once for every set of keys. */
  jwksDocument(): Promise<JwksDocument>
  /**
   * Makes missing keys, promotes next to current when the current is older than its life, retires the old one with overlap. A job calls this.
   * @returns the ids of the keys that changed
   */
  rotate(db: Db): Promise<readonly string[]>
  /**
   * Emergency: the key neither signs nor verifies from now on; the next one takes over at once. Revoking twice is no error.
   * @throws AppError not_found
   */
  revoke(kid: string): Promise<void>
  /** Puts every private half under the current master key. Answers how many were not. */
  rewrap(db: Db): Promise<number>
}

const ALGS: readonly Alg[] = ['ES256', 'RS256']
/** What sessions are signed with: a deployment has it from the first request on. */
const FIRST: Alg = 'ES256'

/** Needed when a deployment is new, and by jobs. */
const changes = () => import('./key-changes.ts')

const currentOf = (keys: Iterable<CachedKey>, alg: Alg): CachedKey | undefined => {
  for (const key of keys) if (key.alg === alg && key.status === 'current') return key
  return undefined
}

const documentOf = (jwks: PublicJwks): JwksDocument => {
  const body = JSON.stringify(jwks)
  return { body, etag: `"${createHash('sha256').update(body).digest('base64url')}"` }
}

export const createSigningKeys = (parts: {
  readonly db: Db
  readonly keyring: Keyring
  readonly clock: Clock
  readonly record: RecordKeyChange
}): SigningKeys => {
  const { db, keyring, clock } = parts
  const memory = createKeyCache(db, keyring, clock)

  /** Keys among which there is a current one of this algorithm. */
  const keysFor = async (alg: Alg): Promise<ReadonlyMap<string, CachedKey>> => {
    const known = await memory.keys()
    if (currentOf(known.values(), alg)) return known
    await (await changes()).applyKeyRotation(db, parts, [alg]).finally(memory.forget)
    return memory.keys()
  }
  const published = async (): Promise<readonly CachedKey[]> => {
    const now = clock.now()
    return [...(await keysFor(FIRST)).values()].filter((key) => isKeyAccepted(key, now))
  }

  let prepared: { readonly generation: string; readonly document: JwksDocument } | undefined
  return {
    signer: async (alg) => {
      const current = currentOf((await keysFor(alg)).values(), alg)
      if (current === undefined) throw new Error(`The current ${alg} key does not open: is its master key missing from MASTER_KEYS?`)
      return { kid: current.kid, alg, key: current.signingKey }
    },
    verifier: async (kid) => {
      const key = (await memory.keysWith(kid)).get(kid)
      return key !== undefined && isKeyAccepted(key, clock.now()) ? { kid, alg: key.alg, key: key.verifyingKey } : undefined
    },
    jwks: async () => ({ keys: (await published()).map((key) => key.publicJwk) }),
    jwksDocument: async () => {
      const keys = await published()
      const generation = keys.map((key) => key.kid).join()
      if (prepared?.generation !== generation) prepared = { generation, document: documentOf({ keys: keys.map((key) => key.publicJwk) }) }
      return prepared.document
    },
    rotate: async (through) => (await changes()).applyKeyRotation(through, parts, ALGS).finally(memory.forget),
    revoke: async (kid) => (await changes()).revokeKey(db, parts, kid).finally(memory.forget),
    rewrap: async (through) => (await changes()).resealKeys(through, keyring),
  }
}
