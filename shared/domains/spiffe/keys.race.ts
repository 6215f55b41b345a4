// Keys of one trust domain, changed by several instances at the same time.
import { expect, test } from 'vitest'
import { openDb } from '#db/engine/client'
import { atomically, forTenant } from '#db/engine/tenant'
import { findTrustDomainKeys, listWorkloadKeys } from '#db/store/trust-domains'
import { bySystem, byWorkload } from '#shared/platform/audit/audit-log'
import { administratorOf } from '#tests/support/administration'
import { startApp } from '#tests/support/app'
import { testDb } from '#tests/support/database'
import { contextOf, newEntry } from '#tests/support/workloads'
import { deleteEntryIn } from './entries.ts'
import { issueJwtSvid } from './jwt-svid.ts'
import { revokeWorkloadKey, rotateWorkloadKeys } from './key-changes.ts'
import { ensureTrustDomain } from './signer.ts'
import { verifyJwtSvid } from './verify.ts'

const instances = async () => {
  const { engine } = await testDb()
  return Promise.all(Array.from({ length: 5 }, () => startApp([], { db: openDb(engine) })))
}
const one = <T>(all: readonly T[]): T => {
  const [first] = all
  if (first === undefined) throw new Error('none')
  return first
}

test('simultaneous first uses make one trust domain, and simultaneous revocations revoke once', async () => {
  const apps = await instances()
  const app = one(apps)
  const { tenantId } = await app.company()
  await Promise.all(apps.map(({ ctx }) => ensureTrustDomain(ctx, tenantId)))
  const t = forTenant(app.db, tenantId)
  const made = await findTrustDomainKeys(t)
  expect([made?.domain.sequence, made?.keys.length]).toEqual([2, 8])
  const kid = made?.keys.find(({ use, status }) => use === 'x509' && status === 'current')?.kid ?? ''
  await Promise.all(apps.map(({ ctx }) => revokeWorkloadKey(ctx, tenantId, kid, bySystem)))
  expect((await findTrustDomainKeys(t))?.domain.sequence).toBe(3)
  expect((await listWorkloadKeys(t, 100)).filter(({ status }) => status === 'revoked')).toHaveLength(1)
  expect(await app.events(tenantId, { event: 'workload_key.revoked' })).toHaveLength(1)
})

test('simultaneous rotations rotate once', async () => {
  const apps = await instances()
  const app = one(apps)
  const { tenantId } = await app.company()
  await ensureTrustDomain(app.ctx, tenantId)
  for (const { clock } of apps) clock.advance(13 * 24 * 3600)
  const changed = await Promise.all(apps.map(({ ctx }) => rotateWorkloadKeys(ctx, tenantId)))
  expect(changed.toSorted()).toEqual([0, 0, 0, 0, 3])
  expect((await findTrustDomainKeys(forTenant(app.db, tenantId)))?.domain.sequence).toBe(3)
})

test('no SVID that is issued while its entry is deleted stays valid', async () => {
  const apps = await instances()
  const app = one(apps)
  const company = await app.company()
  const entry = await newEntry(app, company, 'api')
  const ctx = contextOf(app)
  const deleting = async () => {
    const request = { ...ctx.request, emits: ['spiffe_entry.deleted'] }
    await atomically(forTenant(app.db, company.tenantId), (t) => deleteEntryIn(t, { ...ctx, request }, administratorOf(company), entry.id))
    return undefined
  }
  const issuing = apps.map((other) => issueJwtSvid(contextOf(other), entry, { audience: ['a'], actor: byWorkload(entry.id) }).catch(() => undefined))
  const issued = await Promise.all([...issuing, deleting()])
  for (const svid of issued) if (svid !== undefined) expect(await verifyJwtSvid(app.ctx, svid.token)).toBeUndefined()
  expect(await app.events(company.tenantId, { event: 'spiffe_entry.deleted' })).toHaveLength(1)
})
