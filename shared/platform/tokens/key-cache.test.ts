import { afterAll, beforeEach, expect, test } from 'vitest'
import { DatabaseUnavailable } from '#db/engine/client'
import { atomically, forTenant, SYSTEM_TENANT } from '#db/engine/tenant'
import { fixedClock } from '#shared/kernel/clock'
import { ownDb } from '#tests/support/database'
import { anInstance, clearSigningKeys, watched } from '#tests/support/signing-keys'

const db = await ownDb()
beforeEach(() => clearSigningKeys(db))
afterAll(() => clearSigningKeys(db))

const start = () => {
  const clock = fixedClock('2026-01-01T00:00:00Z')
  return { clock, ...anInstance(db, clock) }
}

test('keys are read once in two seconds, however many requests need them', async () => {
  const { clock } = start()
  await start().signingKeys.signer('ES256')
  const { db: observed, sent } = watched(db)
  const { signingKeys } = anInstance(observed, clock)
  const { kid } = await signingKeys.signer('ES256')
  await Promise.all(Array.from({ length: 5 }, () => signingKeys.verifier(kid)))
  expect(sent()).toBe(1)
  clock.advance(1.999)
  await signingKeys.jwks()
  expect(sent()).toBe(1)
  clock.advance(0.001)
  await Promise.all(Array.from({ length: 5 }, () => signingKeys.verifier(kid)))
  expect(sent()).toBe(2)
})

test('an unknown key id triggers at most one read per 250 ms', async () => {
  const { clock } = start()
  await start().signingKeys.signer('ES256')
  const { db: observed, sent } = watched(db)
  const { signingKeys } = anInstance(observed, clock)
  await signingKeys.jwks()
  clock.advance(0.25)
  for (let i = 0; i < 20; i++) expect(await signingKeys.verifier(`made-up-${i}`)).toBeUndefined()
  expect(sent()).toBe(2)
  const { kid } = await start().signingKeys.signer('RS256')
  clock.advance(0.25)
  expect((await signingKeys.verifier(kid))?.kid).toBe(kid)
})

test('a read that takes longer than the cache time fails as unavailable', async () => {
  const { clock } = start()
  const { kid } = await start().signingKeys.signer('ES256')
  const slow = watched(db, (send) => {
    clock.advance(2)
    return send()
  })
  await expect(anInstance(slow.db, clock).signingKeys.verifier(kid)).rejects.toMatchObject({ code: 'unavailable' })
})

test('without the database verification fails with an error other than an unknown key', async () => {
  const { clock } = start()
  let isDown = false
  const { db: observed } = watched(db, (send) => (isDown ? Promise.reject(new DatabaseUnavailable(new Error('gone'))) : send()))
  const { signingKeys } = anInstance(observed, clock)
  const { kid } = await signingKeys.signer('ES256')
  isDown = true
  expect((await signingKeys.verifier(kid))?.kid).toBe(kid)
  clock.advance(2)
  await expect(signingKeys.verifier(kid)).rejects.toThrow()
  await expect(signingKeys.signer('ES256')).rejects.toThrow()
  isDown = false
  expect((await signingKeys.verifier(kid))?.kid).toBe(kid)
})

test('a call inside a transaction always fails, even when the cache is current', async () => {
  const { signingKeys } = start()
  const { kid } = await signingKeys.signer('ES256')
  const inside = (work: () => Promise<unknown>): Promise<unknown> => atomically(forTenant(db, SYSTEM_TENANT), work)
  await expect(inside(() => signingKeys.signer('ES256'))).rejects.toThrow(/inside a transaction/)
  await expect(inside(() => signingKeys.verifier(kid))).rejects.toThrow(/inside a transaction/)
})

test('a read that started before a revocation on this instance and ends after it is discarded', async () => {
  const { clock } = start()
  const { kid } = await start().signingKeys.signer('ES256')
  let arrive = (): void => undefined
  const held = new Promise<void>((resolve) => {
    arrive = resolve
  })
  let first = true
  const slow = watched(db, async (send) => {
    const rows = await send()
    const holds = first
    first = false
    if (holds) await held
    return rows
  })
  const { signingKeys } = anInstance(slow.db, clock)
  const pending = signingKeys.verifier(kid)
  await signingKeys.revoke(kid)
  arrive()
  expect(await pending).toBeUndefined()
  expect(await signingKeys.verifier(kid)).toBeUndefined()
})
