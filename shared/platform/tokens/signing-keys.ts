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
/** The serialised JWKS with its strong entity tag (RFC 9110 section 8.8.3). */
export type JwksDocument = { readonly body: string; readonly etag: string }
/**
 * Keys are read from Postgres and cached for at most two seconds, so that an emergency revocation takes effect everywhere within two. A call inside a
 * transaction always fails, because it would otherwise fail only when the cache is stale.
 */
export type SigningKeys = {
  /** The current key of the algorithm. Keys are created at first use. */
  signer(alg: Alg): Promise<Signer>
  /** The key with this id, unless it was revoked or its retirement has ended. */
  verifier(kid: string): Promise<Verifier | undefined>
  /** Keys for verifiers: next, current and retired ones. */
  jwks(): Promise<PublicJwks>
  /** The serialised JWKS, built once per set of keys. */
  jwksDocument(): Promise<JwksDocument>
  /**
   * Creates missing keys, promotes the next key when the current one has reached its age, and retires the old one with an overlap. Called by a job.
   * @returns the ids of the keys that changed
   */
  rotate(db: Db): Promise<readonly string[]>
  /**
   * Emergency: the key neither signs nor verifies from now on, and the next one takes over at once. Revoking twice is not an error.
   * @throws AppError not_found
   */
  revoke(kid: string): Promise<void>
  /** Seals every private key with the current master key. Returns the number of keys that changed. */
  rewrap(db: Db): Promise<number>
}

const ALGS: readonly Alg[] = ['ES256', 'RS256']
/** The algorithm of session tokens; its keys exist from the first request on. */
const SESSION_ALG: Alg = 'ES256'

/** Loaded on demand: needed only by new deployments and by jobs. */
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
  const cache = createKeyCache(db, keyring, clock)

  /** All keys, including a current one of this algorithm. */
  const keysFor = async (alg: Alg): Promise<ReadonlyMap<string, CachedKey>> => {
    const known = await cache.keys()
    if (currentOf(known.values(), alg)) return known
    await (await changes()).applyKeyRotation(db, parts, [alg]).finally(cache.forget)
    return cache.keys()
  }
  const published = async (): Promise<readonly CachedKey[]> => {
    const now = clock.now()
    return [...(await keysFor(SESSION_ALG)).values()].filter((key) => isKeyAccepted(key, now))
  }

  let prepared: { readonly generation: string; readonly document: JwksDocument } | undefined
  return {
    signer: async (alg) => {
      const current = currentOf((await keysFor(alg)).values(), alg)
      if (current === undefined) throw new Error(`The current ${alg} key cannot be opened: is its master key missing from MASTER_KEYS?`)
      return { kid: current.kid, alg, key: current.signingKey }
    },
    verifier: async (kid) => {
      const key = (await cache.keysWith(kid)).get(kid)
      return key !== undefined && isKeyAccepted(key, clock.now()) ? { kid, alg: key.alg, key: key.verifyingKey } : undefined
    },
    jwks: async () => ({ keys: (await published()).map((key) => key.publicJwk) }),
    jwksDocument: async () => {
      const keys = await published()
      const generation = keys.map((key) => key.kid).join()
      if (prepared?.generation !== generation) prepared = { generation, document: documentOf({ keys: keys.map((key) => key.publicJwk) }) }
      return prepared.document
    },
    rotate: async (through) => (await changes()).applyKeyRotation(through, parts, ALGS).finally(cache.forget),
    revoke: async (kid) => (await changes()).revokeKey(db, parts, kid).finally(cache.forget),
    rewrap: async (through) => (await changes()).resealKeys(through, keyring),
  }
}
