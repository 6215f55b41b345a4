// Using evidence: it is bound to a key, used once where it works once, recorded with what is issued, and refused alike for every cause.
import { createHash } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { atomically, forTenant } from '#db/engine/tenant'
import { deleteAttestor, findPinnedKey, updateAttestor } from '#db/store/attestors'
import { insertJoinToken, listJoinTokens } from '#db/store/join-tokens'
import { secondsAfter } from '#shared/kernel/clock'
import { randomToken } from '#shared/kernel/random'
import { sha256 } from '#shared/platform/crypto/sha256'
import type { Outbound } from '#shared/platform/fetch/guarded'
import { problem } from '#shared/platform/http/problem'
import { type Company, startApp, type TestApp } from '#tests/support/app'
import { attestRoute } from '#tests/support/attest-route'
import {
  attestationCtx,
  attestorOf,
  commonClaims,
  JKT,
  type Json,
  NO_NETWORK,
  newSigningKey,
  OTHER_JKT,
  type SigningKey,
  signedToken,
  storeAttestor,
} from '#tests/support/attestation'

import { verifyEvidence } from './attest.ts'

let app: TestApp
let company: Company
let other: Company
let key: SigningKey
beforeAll(async () => {
  app = await startApp([attestRoute], { render: problem, extra: { outbound: NO_NETWORK } })
  ;[company, other] = [await app.company(), await app.company('globex')]
  key = newSigningKey('ES256', 'k-1')
})

let addresses = 0
const presented = async (body: Json) => {
  // Each request from an address of its own: refusals of one address are folded in the audit log.
  const address = `192.0.2.${++addresses % 250}`
  const response = await app.request('/test/attest', { body: { tenant: company.tenantId, jkt: JKT, ...body }, address })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}
const pinnedAttestor = () =>
  storeAttestor(
    app,
    attestorOf(app, company.tenantId, 'oidc', {
      issuer: 'https://issuer.example.org',
      jwks: { keys: [key.jwk] },
      keyBinding: 'pinned',
      audience: 'https://id.acme.example',
      rules: { sub: 'job-1' },
    }),
  )
const attested = async (attestorId: string) => (await app.events(company.tenantId, { event: 'workload.attested', targetId: attestorId })).length
const OK = { status: 200, body: { selectors: ['oidc:sub:job-1'] } }
const REFUSED = { status: 401, body: { code: 'attestation_failed' } }

describe('evidence with a fixed audience', () => {
  test('belongs to the first key that comes with it, until it expires', async () => {
    const attestor = await pinnedAttestor()
    const evidence = signedToken(key, { ...commonClaims(app, attestor), sub: 'job-1', jti: 'a' })
    const call = { attestor: attestor.id, evidence }
    expect(await presented(call)).toMatchObject(OK)
    expect(await presented({ ...call, jkt: OTHER_JKT })).toMatchObject(REFUSED)
    expect(await presented(call)).toMatchObject(OK)
    const t = forTenant(app.db, company.tenantId)
    expect(await verifyEvidence(attestationCtx(app), t, { attestor, evidence, jkt: OTHER_JKT })).toEqual({ accepted: false, failed: 'pinned_key' })
    expect(await attested(attestor.id)).toBe(2)
  })

  test('cannot be given another digest by rewriting its signature', async () => {
    const attestor = await pinnedAttestor()
    const evidence = signedToken(key, { ...commonClaims(app, attestor), sub: 'job-1', jti: 'c' })
    const [header, payload, signature = ''] = evidence.split('.')
    // (r, -s) is a signature of the same bytes.
    const order = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551')
    const bytes = Buffer.from(signature, 'base64url')
    const s = order - BigInt(`0x${bytes.subarray(32).toString('hex')}`)
    const rewritten = Buffer.concat([bytes.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, '0'), 'hex')]).toString('base64url')
    expect(await presented({ attestor: attestor.id, evidence })).toMatchObject(OK)
    expect(await presented({ attestor: attestor.id, evidence: `${header}.${payload}.${rewritten}` })).toMatchObject(OK)
    expect(await presented({ attestor: attestor.id, evidence: `${header}.${payload}.${rewritten}`, jkt: OTHER_JKT })).toMatchObject(REFUSED)
  })

  test('is bound by the database only where its audience does not name the key', async () => {
    const pinned = await pinnedAttestor()
    const attestor = await storeAttestor(app, { ...pinned, id: app.ctx.random.id(), name: 'by audience', keyBinding: 'required', audience: null })
    const evidence = signedToken(key, { ...commonClaims(app, attestor), sub: 'job-1' })
    expect(await presented({ attestor: attestor.id, evidence })).toMatchObject(OK)
    expect(await presented({ attestor: attestor.id, evidence, jkt: OTHER_JKT })).toMatchObject(REFUSED)
    const digest = createHash('sha256')
      .update(evidence.slice(0, evidence.lastIndexOf('.')))
      .digest()
    expect(await findPinnedKey(forTenant(app.db, company.tenantId), digest, app.clock.now())).toBeUndefined()
  })

  test('is not bound when nothing was issued for it', async () => {
    const attestor = await pinnedAttestor()
    const evidence = signedToken(key, { ...commonClaims(app, attestor), sub: 'job-1', jti: 'd' })
    expect((await presented({ attestor: attestor.id, evidence, fail: true })).status).toBe(409)
    expect(await attested(attestor.id)).toBe(0)
    expect(await presented({ attestor: attestor.id, evidence, jkt: OTHER_JKT })).toMatchObject(OK)
  })
})

describe('a join token', () => {
  const newToken = async (more: { readonly expiresIn?: number; readonly entryId?: string } = {}) => {
    const attestor = await storeAttestor(app, attestorOf(app, company.tenantId, 'join_token'))
    const [token, at] = [randomToken(app.ctx.random), app.clock.now()]
    const row = await atomically(forTenant(app.db, company.tenantId), (t) =>
      insertJoinToken(t, {
        id: app.ctx.random.id(),
        hash: sha256(token),
        attestorId: attestor.id,
        entryId: more.entryId ?? null,
        createdBy: company.admin.id,
        createdAt: at,
        expiresAt: secondsAfter(at, more.expiresIn ?? 600),
      }),
    )
    return { attestor, token, row }
  }

  test('works once, for the key that used it, and names its entry', async () => {
    const entryId = app.ctx.random.id()
    const { attestor, token, row } = await newToken({ entryId })
    const call = { attestor: attestor.id, evidence: token }
    expect(await presented(call)).toEqual({ status: 200, body: { selectors: [`join:id:${row.id}`], entry_id: entryId } })
    expect(await presented(call)).toMatchObject(REFUSED)
    const page = { sort: 'created_at', descending: true, limit: 100 } as const
    const stored = (await listJoinTokens(forTenant(app.db, company.tenantId), page)).find(({ id }) => id === row.id)
    expect(stored).toMatchObject({ usedJkt: JKT, usedAt: app.clock.now() })
    expect(JSON.stringify(await app.events(company.tenantId))).not.toContain(token)
  })

  test('is refused after its end, at another attestor, in another tenant, and in another spelling', async () => {
    const { attestor, token } = await newToken()
    const second = await newToken()
    const theirs = await storeAttestor(app, attestorOf(app, other.tenantId, 'join_token'))
    for (const call of [
      { attestor: second.attestor.id, evidence: token },
      { attestor: attestor.id, evidence: token, tenant: other.tenantId },
      { attestor: theirs.id, evidence: token, tenant: other.tenantId },
      { attestor: attestor.id, evidence: `${token}=` },
      { attestor: attestor.id, evidence: '' },
    ])
      expect(await presented(call)).toMatchObject(REFUSED)
    app.clock.advance(601)
    expect(await presented({ attestor: attestor.id, evidence: token })).toMatchObject(REFUSED)
    app.clock.advance(-601)
    expect((await presented({ attestor: attestor.id, evidence: token })).status).toBe(200)
  })
})

describe('the attestor', () => {
  test('is the one of the tenant, or evidence is refused as for an unknown one', async () => {
    const attestor = await pinnedAttestor()
    const evidence = signedToken(key, { ...commonClaims(app, attestor), sub: 'job-1', jti: 'e' })
    const [foreign, unknown] = [
      await presented({ attestor: attestor.id, evidence, tenant: other.tenantId }),
      await presented({ attestor: app.ctx.random.id(), evidence, tenant: other.tenantId }),
    ]
    const { request_id: _, ...first } = foreign.body
    const { request_id: __, ...second } = unknown.body
    expect([foreign.status, first]).toEqual([401, second])
    expect([unknown.status, second]).toEqual([401, first])
  })

  test.each(['active', 'validFrom', 'deleted'] as const)(
    'is read again when the evidence is used: another one by then (%s) refuses',
    async (meanwhile) => {
      let attestorId = ''
      // The keys are fetched after the attestor was read and before the evidence is used.
      const send: Outbound['send'] = async () => {
        await atomically(forTenant(app.db, company.tenantId), async (t) => {
          if (meanwhile === 'deleted') await deleteAttestor(t, attestorId)
          else await updateAttestor(t, attestorId, meanwhile === 'active' ? { active: false } : { validFrom: secondsAfter(app.clock.now(), 1) })
        })
        return { status: 200, body: Buffer.from(JSON.stringify({ keys: [key.jwk] })), header: () => undefined }
      }
      const slow = await startApp([attestRoute], { render: problem, extra: { outbound: { loopback: false, send } } })
      const settings = { issuer: 'https://issuer.example.org', jwksUri: 'https://issuer.example.org/jwks', rules: { sub: 'job-1' } }
      const attestor = await storeAttestor(app, attestorOf(app, company.tenantId, 'oidc', settings))
      attestorId = attestor.id
      const evidence = signedToken(key, { ...commonClaims(app, attestor), sub: 'job-1' })
      const response = await slow.request('/test/attest', { body: { tenant: company.tenantId, attestor: attestorId, evidence, jkt: JKT } })
      expect([response.status, (await response.json()).code]).toEqual([401, 'attestation_failed'])
      expect(await attested(attestorId)).toBe(0)
    },
  )

  test('is refused while it is not active', async () => {
    const attestor = await pinnedAttestor()
    const evidence = signedToken(key, { ...commonClaims(app, attestor), sub: 'job-1', jti: 'g' })
    await atomically(forTenant(app.db, company.tenantId), (t) => updateAttestor(t, attestor.id, { active: false }))
    expect(await presented({ attestor: attestor.id, evidence })).toMatchObject(REFUSED)
  })
})

describe('the audit log', () => {
  test('names attestor, selectors, digest and key of accepted evidence, and no evidence', async () => {
    const attestor = await pinnedAttestor()
    const evidence = signedToken(key, { ...commonClaims(app, attestor), sub: 'job-1', jti: 'f' })
    expect(await presented({ attestor: attestor.id, evidence })).toMatchObject(OK)
    const [event] = await app.events(company.tenantId, { event: 'workload.attested', targetId: attestor.id })
    expect(event).toMatchObject({ actorType: 'anonymous', targetType: 'attestor', outcome: 'success' })
    const digest = createHash('sha256')
      .update(evidence.slice(0, evidence.lastIndexOf('.')))
      .digest()
    expect(await findPinnedKey(forTenant(app.db, company.tenantId), digest, app.clock.now())).toBe(JKT)
  })

  test('names the check that failed, which the caller never learns', async () => {
    const attestor = await pinnedAttestor()
    const bad = (claims: Json) => signedToken(key, { ...commonClaims(app, attestor), sub: 'job-1', ...claims })
    const answers: string[] = []
    for (const [evidence, check] of [
      [bad({ iss: 'https://other.example.org' }), 'issuer'],
      [bad({ sub: 'job-2' }), 'rule.sub'],
      ['nonsense', 'encoding'],
    ] as const) {
      const answer = await presented({ attestor: attestor.id, evidence })
      const { request_id: _, ...body } = answer.body
      answers.push(JSON.stringify([answer.status, body]))
      const refusals = await app.events(company.tenantId, { event: 'request.refused', targetId: attestor.id })
      expect(refusals[0]).toMatchObject({ outcome: 'refused', reason: check, targetType: 'attestor' })
    }
    expect(new Set(answers).size).toBe(1)
    expect(answers[0]).not.toContain('issuer')
  })
})
