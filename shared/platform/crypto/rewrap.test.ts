import { afterAll, expect, test } from 'vitest'
import { openDb } from '#db/engine/client'
import { openPglite, pgliteEngine } from '#db/engine/pglite'
import { asTenantId, atomically, forTenant, type TenantId } from '#db/engine/tenant'
import { migrate } from '#db/migrations/migrate'
import { findDataKey } from '#db/store/data-keys'
import { fixedClock, systemClock } from '#shared/kernel/clock'
import { systemRandom } from '#shared/kernel/random'
import { createKeyring, type Keyring } from './keyring.ts'
import type { MasterKey } from './master-keys.ts'

// A separate database: re-wrapping reads every key, and other files' keys have other master keys.
const db = openDb(pgliteEngine(await openPglite()))
await migrate(db, new Date(0))
afterAll(() => db.engine.close())

const clock = fixedClock('2026-01-01T00:00:00Z')
const random = systemRandom(systemClock)
const masterKey = (id: string): MasterKey => ({ id, key: random.bytes(32) })
const ringOf = (...masterKeys: [MasterKey, ...MasterKey[]]): Keyring => createKeyring({ masterKeys, clock, random })
const newTenant = (): TenantId => asTenantId(random.id())
const sealOne = (ring: Keyring, tenant: TenantId, subjectId: string = tenant): Promise<Uint8Array> =>
  atomically(forTenant(db, tenant), (t) => ring.seal(t, subjectId, subjectId, 'c'))
const openOne = (ring: Keyring, tenant: TenantId, sealed: Uint8Array | undefined, subjectId: string = tenant): Promise<string | undefined> =>
  ring.open(forTenant(db, tenant), subjectId, sealed ?? new Uint8Array(), 'c')
const masterKeyOf = async (tenant: TenantId, subjectId: string = tenant): Promise<string | undefined> =>
  (await findDataKey(forTenant(db, tenant), subjectId))?.masterKeyId
const [old, next, lost] = [masterKey('old'), masterKey('next'), masterKey('lost')]

test('re-wrapping moves every key to the current master key during reads, after which the old one can be removed', async () => {
  const before = ringOf(old)
  const [crowd, people] = [newTenant(), Array.from({ length: 450 }, () => random.id())]
  const tenants = Array.from({ length: 3 }, newTenant)
  const sealed: Uint8Array[] = []
  for (const tenant of tenants) sealed.push(await sealOne(before, tenant))
  await atomically(forTenant(db, crowd), async (t) => {
    for (const person of people) await before.seal(t, person, 'x', 'c')
  })

  const reader = ringOf(old, next)
  const [done, ...read] = await Promise.all([
    ringOf(next, old).rewrapOfAllTenants(db),
    ...tenants.map((tenant, i) => openOne(reader, tenant, sealed[i])),
  ])
  expect(done).toBe(453)
  expect(read).toEqual(tenants)
  expect(await ringOf(next, old).rewrapOfAllTenants(db)).toBe(0)

  const afterwards = ringOf(next)
  for (const [i, tenant] of tenants.entries()) {
    expect(await openOne(afterwards, tenant, sealed[i])).toBe(tenant)
    expect(await masterKeyOf(tenant)).toBe('next')
  }
  expect(await Promise.all(people.map((person) => masterKeyOf(crowd, person)))).toEqual(people.map(() => 'next'))
})

test('a key under an unknown master key is reported and does not stop the others', async () => {
  const [orphan, tenant] = [newTenant(), newTenant()]
  await sealOne(ringOf(lost), orphan)
  const sealed = await sealOne(ringOf(old), tenant)
  await expect(ringOf(next, old).rewrapOfAllTenants(db)).rejects.toThrow(/not in MASTER_KEYS/)
  expect(await masterKeyOf(tenant)).toBe('next')
  expect(await openOne(ringOf(next), tenant, sealed)).toBe(tenant)
  expect(await masterKeyOf(orphan)).toBe('lost')
})
