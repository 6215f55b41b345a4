// Identities and provider flows of two tenants with the same names: neither sees, takes nor changes the other's.
import { randomBytes, randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { testDb } from '#tests/support/database'
import { asTenantId, atomically, directory, forTenant, type TenantId } from '../engine/tenant.ts'
import { consumeFederationState, findFederationState, insertFederationState, recordFederationAnswer } from './federation-states.ts'
import { deleteIdentities, findIdentity, findTenantsOfIdentity, insertIdentity, listIdentities } from './identities.ts'
import { insertTenant } from './tenants.ts'
import { insertUser } from './users.ts'

const db = await testDb()
const at = new Date('2026-03-02T09:00:00Z')
const later = new Date(at.getTime() + 600_000)

const newTenant = async (userId: string): Promise<TenantId> => {
  const tenantId = asTenantId(randomUUID())
  await atomically(forTenant(db, tenantId), async (t) => {
    await insertTenant(t, { name: 'Acme', email: null, domain: `${tenantId}.test`, at })
    await insertUser(t, { id: userId, email: 'ana@example.com', validFrom: at, createdAt: at, updatedAt: at })
  })
  return tenantId
}

test('an identity with the same id in two tenants is separate; the directory lists both until one is removed', async () => {
  const [userId, id, hash] = [randomUUID(), randomUUID(), randomBytes(32)]
  const [acme, globex] = [forTenant(db, await newTenant(userId)), forTenant(db, await newTenant(userId))]
  const row = { id, userId, issuer: 'https://id.example', subject: 's', provider: 'p', createdAt: at, updatedAt: at }
  for (const t of [acme, globex]) expect(await atomically(t, (tx) => insertIdentity(tx, row, hash))).toBe(true)
  expect(await atomically(acme, (tx) => insertIdentity(tx, { ...row, id: randomUUID() }, hash))).toBe(false)
  expect((await findTenantsOfIdentity(directory(db), hash)).toSorted()).toEqual([acme.tenantId, globex.tenantId].toSorted())
  expect(await atomically(acme, (tx) => deleteIdentities(tx, userId, 'another'))).toEqual([])
  expect(await atomically(acme, (tx) => deleteIdentities(tx, userId, 'p'))).toHaveLength(1)
  expect([await findIdentity(acme, row.issuer, 's'), (await findIdentity(globex, row.issuer, 's'))?.id]).toEqual([undefined, id])
  expect(await listIdentities(globex, userId)).toHaveLength(1)
  expect(await findTenantsOfIdentity(directory(db), hash)).toEqual([globex.tenantId])
})

test('a state is found only by tenant, text and browser together, accepts one response, and is consumed once', async () => {
  const userId = randomUUID()
  const [acme, globex] = [forTenant(db, await newTenant(userId)), forTenant(db, await newTenant(userId))]
  const key = { stateHash: randomBytes(32), browserHash: randomBytes(32) }
  const request = {
    action: 'login',
    provider: 'p',
    issuer: 'i',
    clientId: 'c',
    origin: 'o',
    redirectUri: 'r',
    sealedSecrets: randomBytes(8),
  } as const
  await atomically(acme, (t) => insertFederationState(t, { ...request, ...key, id: randomUUID(), createdAt: at, expiresAt: later }))
  const [first, second] = [randomBytes(32), randomBytes(32)]
  const note = (code: Uint8Array) => atomically(acme, (t) => recordFederationAnswer(t, key, code, at))
  expect(await findFederationState(globex, key, at)).toBeUndefined()
  expect(await findFederationState(acme, { ...key, browserHash: randomBytes(32) }, at)).toBeUndefined()
  expect(await findFederationState(acme, key, later)).toBeUndefined()
  expect([await note(first), await note(first), await note(second)]).toEqual([true, true, false])
  expect(await atomically(globex, (t) => consumeFederationState(t, key, at))).toBeUndefined()
  const taken = await Promise.all(Array.from({ length: 5 }, () => atomically(acme, (t) => consumeFederationState(t, key, at))))
  expect(taken.filter((row) => row !== undefined)).toHaveLength(1)
})
