import { expect, test } from 'vitest'
import type { Db } from '#db/engine/client'
import { asTenantId, atomically, forTenant, type TenantId } from '#db/engine/tenant'
import { findDataKey } from '#db/store/data-keys'
import { fixedClock, systemClock } from '#shared/kernel/clock'
import { systemRandom } from '#shared/kernel/random'
import { ownDb } from '#tests/support/database'
import { createKeyring, type Keyring } from './keyring.ts'
import type { MasterKey } from './master-keys.ts'
import { SealError } from './seal.ts'

const db = await ownDb()
const random = systemRandom(systemClock)
const newTenant = (): TenantId => asTenantId(random.id())
const masterKey = (id: string): MasterKey => ({ id, key: random.bytes(32) })
const first = masterKey('first')

const start = (...masterKeys: MasterKey[]) => {
  const clock = fixedClock('2026-01-01T00:00:00Z')
  const [current = first, ...others] = masterKeys
  return { clock, ring: createKeyring({ masterKeys: [current, ...others], clock, random }) }
}
const sealOne = (ring: Keyring, tenantId: TenantId, subjectId: string, plain: string, context = 'c'): Promise<Uint8Array> =>
  atomically(forTenant(db, tenantId), (t) => ring.seal(t, subjectId, plain, context))
const openOne = (ring: Keyring, tenantId: TenantId, subjectId: string, sealed: Uint8Array, context = 'c'): Promise<string | undefined> =>
  ring.open(forTenant(db, tenantId), subjectId, sealed, context)
const destroyOne = (ring: Keyring, tenantId: TenantId, subjectId: string): Promise<void> =>
  atomically(forTenant(db, tenantId), (t) => ring.destroy(t, subjectId))

/** The same database with a counter of statements. */
const counting = (): { readonly db: Db; readonly count: () => number } => {
  let sent = 0
  const { engine } = db
  const one: Db['engine']['one'] = (scope, statement) => {
    sent++
    return engine.one(scope, statement)
  }
  const transaction: Db['engine']['transaction'] = (scope, work) =>
    engine.transaction(scope, (run) =>
      work((statement) => {
        sent++
        return run(statement)
      }),
    )
  return { db: { ...db, engine: { ...engine, one, transaction } }, count: () => sent }
}

test('a sealed value opens for its subject on any instance', async () => {
  const tenant = newTenant()
  const sealed = await sealOne(start().ring, tenant, tenant, 'grüße \u0000')
  expect(await openOne(start().ring, tenant, tenant, sealed)).toBe('grüße \u0000')
  expect(Buffer.from(sealed).includes('gr')).toBe(false)
})

test('a value does not open in another context, for another person or tenant, or altered', async () => {
  const { ring } = start()
  const [acme, globex, ana, ben] = [newTenant(), newTenant(), random.id(), random.id()]
  const sealed = await sealOne(ring, acme, ana, 'secret', 'factors/1')
  await sealOne(ring, acme, ben, 'x')
  await sealOne(ring, globex, ana, 'x')
  await expect(openOne(ring, acme, ana, sealed, 'factors/2')).rejects.toThrow(SealError)
  await expect(openOne(ring, acme, ben, sealed, 'factors/1')).rejects.toThrow(SealError)
  await expect(openOne(ring, globex, ana, sealed, 'factors/1')).rejects.toThrow(SealError)
  await expect(openOne(ring, acme, random.id(), sealed, 'factors/1')).rejects.toThrow(SealError)
  await expect(openOne(ring, acme, ana, sealed.slice(0, -1), 'factors/1')).rejects.toThrow(SealError)
  expect(await openOne(ring, acme, ana, sealed, 'factors/1')).toBe('secret')
})

test('a value relabelled as another subject’s does not open', async () => {
  const { ring } = start()
  const [tenant, ana, ben] = [newTenant(), random.id(), random.id()]
  const ofAna = await sealOne(ring, tenant, ana, 'secret')
  const ofBen = await sealOne(ring, tenant, ben, 'x')
  const relabelled = Uint8Array.of(...ofBen.subarray(0, 50), ...ofAna.subarray(50))
  await expect(openOne(ring, tenant, ben, relabelled)).rejects.toThrow(SealError)
})

test('a wrapped key that was moved to another subject or tenant is refused', async () => {
  const [tenant, ana, ben] = [newTenant(), random.id(), random.id()]
  const ofAna = await sealOne(start().ring, tenant, ana, 'secret')
  await sealOne(start().ring, tenant, ben, 'x')
  const stolen = await findDataKey(forTenant(db, tenant), ben)
  await atomically(forTenant(db, tenant), (t) =>
    t.run({ text: 'update authsec.data_keys set wrapped = $1 where subject_id = $2', params: [stolen?.wrapped, ana], arrays: false }),
  )
  await expect(openOne(start().ring, tenant, ana, ofAna)).rejects.toThrow(SealError)
  await expect(sealOne(start().ring, tenant, ana, 'more')).rejects.toThrow(SealError)
})

test('a key of a rolled-back transaction is not cached', async () => {
  const { ring } = start()
  const tenant = newTenant()
  const undone = atomically(forTenant(db, tenant), async (t) => {
    const sealed = await ring.seal(t, tenant, 'lost', 'c')
    expect(await ring.open(t, tenant, sealed, 'c')).toBe('lost')
    throw new Error('undo')
  })
  await expect(undone).rejects.toThrow('undo')
  expect(await findDataKey(forTenant(db, tenant), tenant)).toBeUndefined()
  const sealed = await sealOne(ring, tenant, tenant, 'kept')
  expect(await openOne(start().ring, tenant, tenant, sealed)).toBe('kept')
})

test('a key read back inside the transaction that created it is not cached after a rollback', async () => {
  const { ring, clock } = start()
  const tenant = newTenant()
  const old = await sealOne(ring, tenant, tenant, 'old')
  await destroyOne(ring, tenant, tenant)
  clock.advance(10 * 60)
  const undone = atomically(forTenant(db, tenant), async (t) => {
    await ring.seal(t, tenant, 'lost', 'c')
    expect(await ring.open(t, tenant, old, 'c')).toBeUndefined()
    throw new Error('undo')
  })
  await expect(undone).rejects.toThrow('undo')
  const sealed = await sealOne(ring, tenant, tenant, 'kept')
  expect(await openOne(start().ring, tenant, tenant, sealed)).toBe('kept')
})

test('two seals in one transaction share one key', async () => {
  const { ring } = start()
  const tenant = newTenant()
  const [a, b] = await atomically(forTenant(db, tenant), async (t) => [await ring.seal(t, tenant, 'a', 'c'), await ring.seal(t, tenant, 'b', 'c')])
  expect(await openOne(start().ring, tenant, tenant, a ?? new Uint8Array())).toBe('a')
  expect(await openOne(start().ring, tenant, tenant, b ?? new Uint8Array())).toBe('b')
})

test('after its key is destroyed a value never opens on that instance, also not with the next key', async () => {
  const { ring } = start()
  const [tenant, ana] = [newTenant(), random.id()]
  const before = await sealOne(ring, tenant, ana, 'before')
  const ofTenant = await sealOne(ring, tenant, tenant, 'of the tenant')
  expect(await openOne(ring, tenant, ana, before)).toBe('before')
  await destroyOne(ring, tenant, ana)
  expect(await openOne(ring, tenant, ana, before)).toBeUndefined()
  const after = await sealOne(ring, tenant, ana, 'after')
  expect(await openOne(ring, tenant, ana, before)).toBeUndefined()
  expect(await openOne(ring, tenant, ana, after)).toBe('after')
  expect(await openOne(ring, tenant, tenant, ofTenant)).toBe('of the tenant')
})

test('a rolled-back destruction keeps the key', async () => {
  const { ring } = start()
  const tenant = newTenant()
  const sealed = await sealOne(ring, tenant, tenant, 'kept')
  const undone = atomically(forTenant(db, tenant), async (t) => {
    await ring.destroy(t, tenant)
    expect(await ring.open(t, tenant, sealed, 'c')).toBeUndefined()
    throw new Error('undo')
  })
  await expect(undone).rejects.toThrow('undo')
  expect(await openOne(ring, tenant, tenant, sealed)).toBe('kept')
})

test('another instance drops a destroyed key within five minutes and accepts the next one at once', async () => {
  const [here, there] = [start(), start()]
  const tenant = newTenant()
  const sealed = await sealOne(here.ring, tenant, tenant, 'gone')
  expect(await openOne(there.ring, tenant, tenant, sealed)).toBe('gone')
  await destroyOne(here.ring, tenant, tenant)
  there.clock.advance(5 * 60)
  expect(await openOne(there.ring, tenant, tenant, sealed)).toBeUndefined()

  const next = await sealOne(here.ring, tenant, tenant, 'next')
  expect(await openOne(there.ring, tenant, tenant, next)).toBe('next')
  await destroyOne(here.ring, tenant, tenant)
  const third = await sealOne(here.ring, tenant, tenant, 'third')
  expect(await openOne(there.ring, tenant, tenant, third)).toBe('third')
})

test('a key is read at most once in five minutes', async () => {
  const { ring, clock } = start()
  const tenant = newTenant()
  const sealed = await sealOne(ring, tenant, tenant, 'x')
  const counted = counting()
  for (let i = 0; i < 3; i++) await ring.open(forTenant(counted.db, tenant), tenant, sealed, 'c')
  expect(counted.count()).toBe(1)
  clock.advance(5 * 60)
  await ring.open(forTenant(counted.db, tenant), tenant, sealed, 'c')
  expect(counted.count()).toBe(2)
})

test('a deployment value opens only in its context, also with an older master key', async () => {
  const [old, next] = [masterKey('old'), masterKey('next')]
  const sealed = await start(old).ring.sealForDeployment('key', 'signing_keys/a')
  const { ring } = start(next, old)
  expect(await ring.openForDeployment(sealed, 'signing_keys/a')).toBe('key')
  expect(ring.isUnderOlderMasterKey(sealed)).toBe(true)
  expect(ring.isUnderOlderMasterKey(await ring.sealForDeployment('key', 'signing_keys/a'))).toBe(false)
  await expect(ring.openForDeployment(sealed, 'signing_keys/b')).rejects.toThrow(SealError)
  await expect(start(next).ring.openForDeployment(sealed, 'signing_keys/a')).rejects.toThrow(/not in MASTER_KEYS/)
})

test('a subject that is not a UUID is refused', async () => {
  const tenant = newTenant()
  await expect(sealOne(start().ring, tenant, 'ana', 'x')).rejects.toThrow()
})
