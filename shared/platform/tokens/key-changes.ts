// Changes to the set of signing keys: each in its own transaction, under a lock, with its audit event.
import type { Db } from '#db/engine/client'
import { atomically, directory, forTenant, SYSTEM_TENANT, type TenantTx } from '#db/engine/tenant'
import {
  deleteRetiredSigningKey,
  findSigningKey,
  insertSigningKey,
  listSigningKeys,
  lockSigningKeys,
  markSigningKeyRevoked,
  promoteSigningKey,
  resealSigningKey,
  retireSigningKey,
} from '#db/store/signing-keys'
import type { Clock } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import type { Keyring } from '#shared/platform/crypto/keyring'
import { generateKey, type NewKey, resealedKey } from './key-generation.ts'
import { planRotation, type RotationStep } from './key-rotation.ts'
import type { Alg, RecordKeyChange } from './signing-key.ts'

type Parts = { readonly keyring: Keyring; readonly clock: Clock; readonly record: RecordKeyChange }

const apply = async (t: TenantTx, parts: Parts, alg: Alg, step: RotationStep, spare: () => Promise<NewKey>): Promise<string> => {
  const at = parts.clock.now()
  // The steps were computed under the lock, so each must apply; otherwise the transaction rolls back.
  const mustChange = (changed: boolean): void => {
    if (!changed) throw new Error('The signing keys changed under the lock.')
  }
  switch (step.step) {
    case 'delete':
      mustChange(await deleteRetiredSigningKey(t, step.kid, at))
      return step.kid
    case 'retire':
      mustChange(await retireSigningKey(t, step.kid, step.until))
      return step.kid
    case 'promote':
      mustChange(await promoteSigningKey(t, step.kid, at))
      await parts.record(t, { event: 'signing_key.rotated', kid: step.kid, alg })
      return step.kid
    case 'create': {
      const key = await spare()
      const currentSince = step.status === 'current' ? at : null
      mustChange(await insertSigningKey(t, { ...key, status: step.status, createdAt: at, currentSince }))
      await parts.record(t, { event: 'signing_key.created', kid: key.kid, alg })
      return key.kid
    }
  }
}

/**
 * Applies the steps of `judgeRotation` for one algorithm, after revoking `revokedKid` in the same transaction. New keys are generated before the
 * transaction, from an estimate of how many are needed: generating an RSA key is slow, and on the embedded engine all other requests would wait.
 */
const applyRotation = async (db: Db, parts: Parts, alg: Alg, revokedKid?: string): Promise<readonly string[]> => {
  const estimate = (await listSigningKeys(directory(db))).filter((key) => key.kid !== revokedKid)
  const estimatedSteps = planRotation(estimate, alg, parts.clock.now())
  if (estimatedSteps.length === 0 && revokedKid === undefined) return []
  const wanted = estimatedSteps.filter((step) => step.step === 'create').length
  const spares = await Promise.all(Array.from({ length: wanted }, () => generateKey(parts.keyring, alg)))
  return atomically(forTenant(db, SYSTEM_TENANT), async (t) => {
    await lockSigningKeys(t)
    if (revokedKid !== undefined && (await markSigningKeyRevoked(t, revokedKid)))
      await parts.record(t, { event: 'signing_key.revoked', kid: revokedKid, alg })
    const changed: string[] = []
    for (const step of planRotation(await listSigningKeys(t), alg, parts.clock.now())) {
      changed.push(await apply(t, parts, alg, step, async () => spares.pop() ?? generateKey(parts.keyring, alg)))
    }
    return changed
  })
}

/** Creates missing keys and applies due changes. Returns the ids of the changed keys. */
export const applyKeyRotation = async (db: Db, parts: Parts, algs: readonly Alg[]): Promise<readonly string[]> => {
  const changed: string[] = []
  for (const alg of algs) changed.push(...(await applyRotation(db, parts, alg)))
  return changed
}

/** @throws AppError not_found */
export const revokeKey = async (db: Db, parts: Parts, kid: string): Promise<void> => {
  const key = await findSigningKey(directory(db), kid)
  if (key === undefined) throw new AppError('not_found')
  await applyRotation(db, parts, key.alg, kid)
}

/** Seals every private key with the current master key. Returns the number of keys that changed. */
export const resealKeys = async (db: Db, keyring: Keyring): Promise<number> => {
  let done = 0
  for (const key of await listSigningKeys(directory(db))) {
    const sealed = await resealedKey(keyring, key)
    if (sealed !== undefined && (await resealSigningKey(directory(db), key.kid, key.sealedPrivateJwk, sealed))) done++
  }
  return done
}
