import { expect, test } from 'vitest'
import { asTenantId, atomically, forTenant } from '#db/engine/tenant'
import { systemClock } from '#shared/kernel/clock'
import { systemRandom } from '#shared/kernel/random'
import { ownDb } from '#tests/support/database'
import { createKeyring, type Keyring } from './keyring.ts'

const db = await ownDb()
const random = systemRandom(systemClock)
const masterKeys = [{ id: 'm', key: random.bytes(32) }] as const
const ring = (): Keyring => createKeyring({ masterKeys, clock: systemClock, random })

test('twenty instances that seal for a new subject concurrently use one key', async () => {
  const tenant = asTenantId(random.id())
  const sealed = await Promise.all(
    Array.from({ length: 20 }, (_, i) => atomically(forTenant(db, tenant), (t) => ring().seal(t, tenant, String(i), 'c'))),
  )
  const reader = ring()
  const opened = await Promise.all(sealed.map((value) => reader.open(forTenant(db, tenant), tenant, value, 'c')))
  expect(opened).toEqual(sealed.map((_, i) => String(i)))
})

test('a key that is read while it is being destroyed is not cached', async () => {
  const mine = ring()
  const tenant = asTenantId(random.id())
  const sealed = await atomically(forTenant(db, tenant), (t) => mine.seal(t, tenant, 'gone', 'c'))
  let read = (): void => undefined
  const hasRead = new Promise<void>((resolve) => {
    read = resolve
  })
  let destroyed = (): void => undefined
  const isDestroyed = new Promise<void>((resolve) => {
    destroyed = resolve
  })
  const destroying = atomically(forTenant(db, tenant), async (t) => {
    await mine.destroy(t, tenant)
    destroyed()
    await hasRead
  })
  await isDestroyed
  expect(await mine.open(forTenant(db, tenant), tenant, sealed, 'c')).toBe('gone')
  read()
  await destroying
  expect(await mine.open(forTenant(db, tenant), tenant, sealed, 'c')).toBeUndefined()
})
