// Envelope encryption: a master key from the secret manager wraps data keys in Postgres; a data key seals what belongs to one tenant or one person.

import type { Db } from '#db/engine/client'
import { acrossTenants, type TenantDb, type TenantTx } from '#db/engine/tenant'
import {
  type DataKey,
  dataKeysToRewrapOfAllTenants,
  deleteDataKey,
  deleteDataKeys,
  findDataKey,
  insertDataKey,
  type Rewrapped,
  rewrapDataKeysOfAllTenants,
} from '#db/store/data-keys'
import type { Clock } from '#shared/kernel/clock'
import { isUuid } from '#shared/kernel/ids'
import type { Random } from '#shared/kernel/random'
import { dataKeyCache } from './data-key-cache.ts'
import { constantTimeEqual } from './equal.ts'
import type { MasterKeys } from './master-keys.ts'
import { importSealKey, KEY_BYTES, keyIdOf, SealError, type SealKey, seal, unseal } from './seal.ts'

/**
 * AES-256-GCM everywhere. Additional data bind a sealed value to its tenant, its subject and a context (table and row), so that a moved value does
 * not open. Unwrapped keys are cached for at most five minutes: for that long another instance may open a destroyed subject's values, and values it
 * seals for that subject meanwhile can never be read.
 */
export type Keyring = {
  /**
   * Seals with the subject's data key, which is created at first use inside the caller's transaction. The subject is the tenant (its id) or a person.
   */
  seal(t: TenantTx, subjectId: string, plain: string, context: string): Promise<Uint8Array>
  /** As `seal`, with a cached key only; undefined when none is cached. */
  sealAtHand(t: TenantDb, subjectId: string, plain: string, context: string): Promise<Uint8Array | undefined>
  /** Caches a key row that the caller has already read, so that sealing or opening needs no query. */
  learn(t: TenantDb, key: DataKey): Promise<void>
  /**
   * Opens a value; undefined when the subject's key was destroyed.
   * @throws SealError on a value that was altered or moved
   */
  open(t: TenantDb, subjectId: string, sealed: Uint8Array, context: string): Promise<string | undefined>
  /** Destroys the subject's key: values sealed with it can never be read again. */
  destroy(t: TenantTx, subjectId: string): Promise<void>
  /** Destroys the keys of the tenant and of all its people. */
  destroyAll(t: TenantTx): Promise<void>
  /** Seals with the current master key, for values of the deployment (signing keys). */
  sealForDeployment(plain: string, context: string): Promise<Uint8Array>
  /** @throws SealError */
  openForDeployment(sealed: Uint8Array, context: string): Promise<string>
  /** Whether the value is sealed with an older master key. */
  isUnderOlderMasterKey(sealed: Uint8Array): boolean
  /**
   * Wraps every data key with the current master key. Keys stay readable meanwhile. Returns the number of changed keys.
   * @throws SealError at the end, when some keys are wrapped with a master key that is not configured; the others are done by then
   */
  rewrapOfAllTenants(db: Db): Promise<number>
  readonly currentMasterKeyId: string
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

const uuidBytes = (id: string): Uint8Array => {
  if (!isUuid(id)) throw new SealError('A subject is named by a lower-case UUID.')
  return Buffer.from(id.replaceAll('-', ''), 'hex')
}
/** Tenant, subject and key id, so that a value names its owner even after its key is destroyed. */
const dataKeyId = (tenantId: string, subjectId: string, id: string): Uint8Array =>
  new Uint8Array(Buffer.concat([uuidBytes(tenantId), uuidBytes(subjectId), uuidBytes(id)]))
const OWNER_BYTES = 32

const wrapBinding = (key: Pick<DataKey, 'tenantId' | 'subjectId' | 'id'>): string[] => ['data key', key.tenantId, key.subjectId, key.id]

type MasterRing = {
  wrap(plain: Uint8Array, binding: readonly string[]): Promise<Uint8Array>
  unwrap(sealed: Uint8Array, binding: readonly string[]): Promise<Uint8Array>
}

const masterRing = (masterKeys: MasterKeys, random: Random): MasterRing => {
  const imported = new Map(masterKeys.map(({ id, key }) => [id, importSealKey(bytesOf(id), key)]))
  const named = (id: string): Promise<SealKey> =>
    imported.get(id) ?? Promise.reject(new SealError('A value is sealed with a master key that is not in MASTER_KEYS.'))
  return {
    wrap: async (plain, binding) => seal(random, await named(masterKeys[0].id), plain, binding),
    unwrap: async (sealed, binding) => unseal(await named(Buffer.from(keyIdOf(sealed)).toString('utf8')), sealed, binding),
  }
}

const REWRAP_BATCH = 200

const rewrapAll = async (db: Db, ring: MasterRing, currentId: string): Promise<number> => {
  const jobs = acrossTenants(db)
  let done = 0
  let failure: unknown
  let after: DataKey | undefined
  const rewrapped = async (key: DataKey): Promise<Rewrapped[]> => {
    try {
      const wrapped = await ring.wrap(await ring.unwrap(key.wrapped, wrapBinding(key)), wrapBinding(key))
      return [{ tenantId: key.tenantId, id: key.id, from: key.wrapped, wrapped, masterKeyId: currentId }]
    } catch (error) {
      failure = error
      return []
    }
  }
  for (;;) {
    const found = await dataKeysToRewrapOfAllTenants(jobs, currentId, after, REWRAP_BATCH)
    after = found.at(-1)
    if (after === undefined) break
    done += await rewrapDataKeysOfAllTenants(jobs, (await Promise.all(found.map(rewrapped))).flat())
  }
  if (failure !== undefined) throw failure
  return done
}

/**
 * To change the master key: deploy MASTER_KEYS with the new key second, then with the new key first, let the job re-wrap until it returns 0, and
 * remove the old key. Every instance can then always unwrap what another wraps.
 */
export const createKeyring = (parts: { readonly masterKeys: MasterKeys; readonly clock: Clock; readonly random: Random }): Keyring => {
  const { masterKeys, clock, random } = parts
  const currentMasterKeyId = masterKeys[0].id
  const ring = masterRing(masterKeys, random)
  const cache = dataKeyCache(clock)

  /** With an id, a cached key is used only if it has that id: another instance may have destroyed it and created the next one. */
  const find = async (t: TenantDb, subjectId: string, id?: Uint8Array): Promise<SealKey | undefined> => {
    const kept = cache.get(t, subjectId)
    if (kept !== undefined && (id === undefined || constantTimeEqual(kept.id, id))) return kept
    const row = await findDataKey(t, subjectId)
    return row === undefined ? undefined : unwrapped(t, row)
  }

  const unwrapped = async (t: TenantDb, row: DataKey): Promise<SealKey> => {
    const key = await importSealKey(dataKeyId(t.tenantId, row.subjectId, row.id), await ring.unwrap(row.wrapped, wrapBinding(row)))
    cache.put(t, row.subjectId, key)
    return key
  }

  const make = async (t: TenantTx, subjectId: string): Promise<SealKey | undefined> => {
    const id = random.id()
    const raw = random.bytes(KEY_BYTES)
    const wrapped = await ring.wrap(raw, wrapBinding({ tenantId: t.tenantId, subjectId, id }))
    const added = await insertDataKey(t, { id, subjectId, wrapped, masterKeyId: currentMasterKeyId, createdAt: clock.now() })
    if (!added) return undefined
    const key = await importSealKey(dataKeyId(t.tenantId, subjectId, id), raw)
    cache.putMade(t, subjectId, key)
    return key
  }

  return {
    currentMasterKeyId,
    seal: async (t, subjectId, plain, context) => {
      // When the insert finds a row, another transaction has just committed one, which the next statement sees.
      const key = (await find(t, subjectId)) ?? (await make(t, subjectId)) ?? (await find(t, subjectId))
      if (key === undefined) throw new SealError('The key of a subject was destroyed while it was created.')
      return seal(random, key, bytesOf(plain), ['tenant', context])
    },
    sealAtHand: async (t, subjectId, plain, context) => {
      const key = cache.get(t, subjectId)
      return key === undefined ? undefined : seal(random, key, bytesOf(plain), ['tenant', context])
    },
    learn: async (t, row) => {
      if (row.tenantId === t.tenantId && cache.get(t, row.subjectId) === undefined) await unwrapped(t, row)
    },
    open: async (t, subjectId, sealed, context) => {
      const id = keyIdOf(sealed)
      const owner = dataKeyId(t.tenantId, subjectId, t.tenantId).subarray(0, OWNER_BYTES)
      if (!constantTimeEqual(id.subarray(0, OWNER_BYTES), owner)) throw new SealError('A sealed value belongs to another subject.')
      const key = await find(t, subjectId, id)
      if (key === undefined || !constantTimeEqual(key.id, id)) return undefined
      return utf8.decode(await unseal(key, sealed, ['tenant', context]))
    },
    destroy: async (t, subjectId) => {
      cache.drop(t, subjectId)
      await deleteDataKey(t, subjectId)
    },
    destroyAll: async (t) => {
      for (const subjectId of await deleteDataKeys(t)) cache.drop(t, subjectId)
    },
    sealForDeployment: (plain, context) => ring.wrap(bytesOf(plain), ['deployment', context]),
    openForDeployment: async (sealed, context) => utf8.decode(await ring.unwrap(sealed, ['deployment', context])),
    isUnderOlderMasterKey: (sealed) => !constantTimeEqual(keyIdOf(sealed), bytesOf(currentMasterKeyId)),
    rewrapOfAllTenants: (db) => rewrapAll(db, ring, currentMasterKeyId),
  }
}
