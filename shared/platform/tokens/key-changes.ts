// Changes to the set of signing keys: one transaction each, one after the other, with its audit event.
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
  // The lock is held, so what was judged still holds; if not, nothing of this is committed.
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
 * Brings one algorithm's keys to what `planRotation` asks for, after `before` in the same transaction. Keys are generated before it begins, from a guess
 * of how many it takes: making an RSA key is slow, and on the embedded engine everybody would wait.
 */
const settle = async (db: Db, parts: Parts, alg: Alg, gone?: string): Promise<readonly string[]> => {
  const guess = (await listSigningKeys(directory(db))).filter((key) => key.kid !== gone)
  const guessed = planRotation(guess, alg, parts.clock.now())
  if (guessed.length === 0 && gone === undefined) return []
  const wanted = guessed.filter((step) => step.step === 'create').length
  const spares = await Promise.all(Array.from({ length: wanted }, () => generateKey(parts.keyring, alg)))
  return atomically(forTenant(db, SYSTEM_TENANT), async (t) => {
    await lockSigningKeys(t)
    if (gone !== undefined && (await markSigningKeyRevoked(t, gone))) await parts.record(t, { event: 'signing_key.revoked', kid: gone, alg })
    const changed: string[] = []
    for (const step of planRotation(await listSigningKeys(t), alg, parts.clock.now())) {
      changed.push(await apply(t, parts, alg, step, async () => spares.pop() ?? generateKey(parts.keyring, alg)))
    }
    return changed
  })
}

/** Makes what is missing and changes what is due. Answers the ids of the keys that changed. */
export const applyKeyRotation = async (db: Db, parts: Parts, algs: readonly Alg[]): Promise<readonly string[]> => {
  const changed: string[] = []
  for (const alg of algs) changed.push(...(await settle(db, parts, alg)))
  return changed
}

/** @throws AppError not_found */
export const revokeKey = async (db: Db, parts: Parts, kid: string): Promise<void> => {
  const key = await findSigningKey(directory(db), kid)
  if (key === undefined) throw new AppError('not_found')
  await settle(db, parts, key.alg, kid)
}

/** Puts every private half under the current master key. Answers how many were not. */
export const resealKeys = async (db: Db, keyring: Keyring): Promise<number> => {
  let done = 0
  for (const key of await listSigningKeys(directory(db))) {
    const sealed = await resealedKey(keyring, key)
    if (sealed !== undefined && (await resealSigningKey(directory(db), key.kid, key.sealedPrivateJwk, sealed))) done++
  }
  return done
}
