import { afterAll, beforeEach, expect, test } from 'vitest'
import { asTenantId, atomically, forTenant } from '#db/engine/tenant'
import { fixedClock, systemClock } from '#shared/kernel/clock'
import { memoryLog } from '#shared/kernel/log'
import { systemRandom } from '#shared/kernel/random'
import { SealError } from '#shared/platform/crypto/seal'
import { ownDb } from '#tests/support/database'
import { anInstance, clearSigningKeys, TEST_MASTER_KEYS } from '#tests/support/signing-keys'
import { revokeSigningKey, rewrapKeys, rotateSigningKeys } from './key-maintenance.ts'

const db = await ownDb()
beforeEach(() => clearSigningKeys(db))
afterAll(() => clearSigningKeys(db))

const clock = fixedClock('2026-01-01T00:00:00Z')
const ctxOf = (...masterKeys: Parameters<typeof anInstance>[2][]) => ({ db, log: memoryLog(clock.now), ...anInstance(db, clock, ...masterKeys) })

test('the first rotation creates keys for both algorithms; the second changes and logs nothing', async () => {
  const ctx = ctxOf()
  expect(await rotateSigningKeys(ctx)).toHaveLength(4)
  expect(await rotateSigningKeys(ctx)).toEqual([])
  expect(ctx.log.lines).toHaveLength(1)
})

test('revoking a key takes effect at once; an unknown key is not_found', async () => {
  const ctx = ctxOf()
  const { kid } = await ctx.signingKeys.signer('ES256')
  await revokeSigningKey(ctx, kid)
  expect(await ctx.signingKeys.verifier(kid)).toBeUndefined()
  await expect(revokeSigningKey(ctx, 'unknown')).rejects.toMatchObject({ code: 'not_found' })
})

test('re-wrapping covers signing keys and data keys', async () => {
  const before = ctxOf()
  const tenant = asTenantId(systemRandom(systemClock).id())
  const sealed = await atomically(forTenant(db, tenant), (t) => before.keyring.seal(t, tenant, 'x', 'c'))
  const { kid } = await before.signingKeys.signer('ES256')
  const next = { id: 'next', key: new Uint8Array(32).fill(5) }
  // Other test files have keys under their own master keys, which may be reported at the end.
  await rewrapKeys(ctxOf([next, ...TEST_MASTER_KEYS])).catch((error: unknown) => expect(error).toBeInstanceOf(SealError))
  const after = ctxOf([next])
  expect(await after.keyring.open(forTenant(db, tenant), tenant, sealed, 'c')).toBe('x')
  expect((await after.signingKeys.signer('ES256')).kid).toBe(kid)
})
