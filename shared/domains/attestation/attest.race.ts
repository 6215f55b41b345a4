// Evidence and join tokens that several workloads present at the same time.
import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { atomically, forTenant } from '#db/engine/tenant'
import { insertJoinToken } from '#db/store/join-tokens'
import { secondsAfter } from '#shared/kernel/clock'
import { randomToken } from '#shared/kernel/random'
import { sha256 } from '#shared/platform/crypto/sha256'
import { problem } from '#shared/platform/http/problem'
import { startApp } from '#tests/support/app'
import { attestRoute } from '#tests/support/attest-route'
import { attestorOf, commonClaims, NO_NETWORK, newSigningKey, signedToken, storeAttestor } from '#tests/support/attestation'

const thumbprint = (n: number): string => createHash('sha256').update(`key ${n}`).digest('base64url')

const start = async () => {
  const app = await startApp([attestRoute], { render: problem, extra: { outbound: NO_NETWORK } })
  const company = await app.company()
  const present = async (attestor: string, evidence: string, count: number) => {
    const calls = Array.from({ length: count }, async (_, n) => {
      const body = { tenant: company.tenantId, attestor, evidence, jkt: thumbprint(n) }
      return (await app.request('/test/attest', { body })).status
    })
    return (await Promise.all(calls)).toSorted()
  }
  const attested = async () => (await app.events(company.tenantId, { event: 'workload.attested' })).length
  return { app, company, present, attested }
}
const oneOf = (count: number): readonly number[] => [200, ...Array<number>(count - 1).fill(401)]

test('of a hundred workloads with one join token one joins', async () => {
  const w = await start()
  const attestor = await storeAttestor(w.app, attestorOf(w.app, w.company.tenantId, 'join_token'))
  const [token, at] = [randomToken(w.app.ctx.random), w.app.clock.now()]
  const row = { id: w.app.ctx.random.id(), hash: sha256(token), attestorId: attestor.id, createdBy: w.company.admin.id, createdAt: at }
  await atomically(forTenant(w.app.db, w.company.tenantId), (t) => insertJoinToken(t, { ...row, expiresAt: secondsAfter(at, 600) }))
  expect(await w.present(attestor.id, token, 100)).toEqual(oneOf(100))
  expect(await w.attested()).toBe(1)
})

test('of fifty workloads with one piece of evidence of a fixed audience one gets it', async () => {
  const w = await start()
  const key = newSigningKey('ES256', 'k-1')
  const settings = {
    issuer: 'https://issuer.example.org',
    jwks: { keys: [key.jwk] },
    keyBinding: 'pinned',
    audience: 'acme',
    rules: { sub: 'job-1' },
  } as const
  const attestor = await storeAttestor(w.app, attestorOf(w.app, w.company.tenantId, 'oidc', settings))
  const evidence = signedToken(key, { ...commonClaims(w.app, attestor), sub: 'job-1' })
  expect(await w.present(attestor.id, evidence, 50)).toEqual(oneOf(50))
  expect(await w.attested()).toBe(1)
})
