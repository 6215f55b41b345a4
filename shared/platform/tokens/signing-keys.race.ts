import { afterAll, beforeEach, expect, test } from 'vitest'
import { directory } from '#db/engine/tenant'
import { listSigningKeys } from '#db/store/signing-keys'
import { fixedClock } from '#shared/kernel/clock'
import { ownDb } from '#tests/support/database'
import { anInstance, clearSigningKeys } from '#tests/support/signing-keys'

const db = await ownDb()
beforeEach(() => clearSigningKeys(db))
afterAll(() => clearSigningKeys(db))

const clock = fixedClock('2026-01-01T00:00:00Z')
const fleet = () => Array.from({ length: 20 }, () => anInstance(db, clock))
const statuses = async (): Promise<string[]> => (await listSigningKeys(directory(db))).map((key) => key.status).sort()

test('twenty instances that start concurrently sign with one key', async () => {
  const instances = fleet()
  const signers = await Promise.all(instances.map(({ signingKeys }) => signingKeys.signer('ES256')))
  expect(new Set(signers.map(({ kid }) => kid)).size).toBe(1)
  expect(await statuses()).toEqual(['current', 'next'])
  expect(instances.flatMap(({ changes }) => changes)).toHaveLength(2)
})

test('of twenty concurrent rotations, revocations and first uses, each change happens once', async () => {
  const [first, ...others] = fleet()
  const { kid } = (await first?.signingKeys.signer('ES256')) ?? { kid: '' }
  clock.advance(30 * 24 * 3600)
  await Promise.all(
    others.map(({ signingKeys }, i) => {
      if (i % 3 === 0) return signingKeys.revoke(kid)
      return i % 3 === 1 ? signingKeys.rotate(db) : signingKeys.signer('ES256')
    }),
  )
  const es256 = (await listSigningKeys(directory(db))).filter((key) => key.alg === 'ES256')
  expect(es256.map((key) => key.status).sort()).toEqual(['current', 'next'])
  expect(es256.map((key) => key.kid)).not.toContain(kid)
  const events = others.flatMap(({ changes }) => changes).filter(({ alg }) => alg === 'ES256')
  expect(events.filter(({ event }) => event === 'signing_key.revoked')).toHaveLength(1)
  expect(events.filter(({ event }) => event === 'signing_key.rotated')).toHaveLength(1)
})
