import { expect, test } from 'vitest'
import { openDb } from '#db/engine/client'
import { asTenantId, atomically, forTenant, type TenantId } from '#db/engine/tenant'
import { fixedClock } from '#shared/kernel/clock'
import { testDb } from '#tests/support/database'
import { createTtlCache } from './ttl-cache.ts'

const [acme, globex] = ['0190aaaa-0000-7000-8000-000000000001', '0190aaaa-0000-7000-8000-000000000002'].map(asTenantId) as [TenantId, TenantId]
const nothing = async (): Promise<void> => undefined

/** A store that the test changes, and a cache of it that counts reads. */
const start = async () => {
  const db = openDb((await testDb()).engine)
  const clock = fixedClock('2026-03-02T09:00:00Z')
  const memory = createTtlCache<{ tenantId: TenantId; value: number }>({ db, clock })
  const store = { value: 1, reads: 0 }
  const get = async (key = 'k', tenantId: TenantId = acme, during: () => Promise<void> = nothing): Promise<number | undefined> => {
    const found = await memory.get(key, async () => {
      store.reads += 1
      const read = { tenantId, value: store.value }
      await during()
      return read
    })
    return found?.value
  }
  const commitOf = (tenantId: TenantId) => atomically(forTenant(db, tenantId), nothing)
  return { db, clock, memory, store, get, commitOf }
}

test('a value is cached for one second by either clock', async () => {
  const { clock, store, get } = await start()
  expect(await get()).toBe(1)
  store.value = 2
  clock.advance(0.999)
  expect(await get()).toBe(1)
  clock.advance(0.001)
  expect(await get()).toBe(2)
  store.value = 3
  clock.advance(-1)
  expect(await get()).toBe(3)
  expect(store.reads).toBe(3)
})

test('the age is measured from the start of the read', async () => {
  const { clock, store, get } = await start()
  expect(await get('k', acme, async () => clock.advance(0.7))).toBe(1)
  store.value = 2
  clock.advance(0.3)
  expect(await get()).toBe(2)
})

test('a commit of the value’s tenant drops it at once; a commit of another tenant does not', async () => {
  const { store, get, commitOf } = await start()
  await get()
  store.value = 2
  await commitOf(globex)
  expect(await get()).toBe(1)
  await commitOf(acme)
  expect(await get()).toBe(2)
})

test('a value read during a commit is used once and not cached', async () => {
  const { store, get, commitOf } = await start()
  const during = async (): Promise<void> => {
    store.value = 2
    await commitOf(acme)
  }
  expect(await get('k', acme, during)).toBe(1)
  expect(await get()).toBe(2)
})

test('a slow read that ends after a newer one does not replace it', async () => {
  const { clock, store, get, commitOf } = await start()
  let end: () => void = () => undefined
  const slow = get('k', acme, () => new Promise((resolve) => (end = resolve)))
  store.value = 2
  await commitOf(acme)
  clock.advance(0.5)
  expect(await get()).toBe(2)
  end()
  expect(await slow).toBe(1)
  expect(await get()).toBe(2)
})

test('with commits of more tenants than can be tracked, values are dropped too early, never too late', async () => {
  const { db, store, get } = await start()
  await get()
  store.value = 2
  db.committed(acme)
  for (let n = 0; n < 10_001; n++) db.committed(`other-${n}`)
  expect(await get()).toBe(2)
})

test('a missing value is not cached', async () => {
  const { memory, store } = await start()
  const find = async () => {
    store.reads += 1
    return undefined
  }
  for (let n = 0; n < 3; n++) expect(await memory.get('missing', find)).toBeUndefined()
  expect(store.reads).toBe(3)
})
