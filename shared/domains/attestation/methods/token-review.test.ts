// Service account tokens that the API server of the cluster reviews.
import { beforeAll, describe, expect, test } from 'vitest'
import { atomically, forTenant } from '#db/engine/tenant'
import type { Attestor } from '#db/store/attestors'
import { FetchFailure, type Outbound, type OutboundRequest } from '#shared/platform/fetch/guarded'
import { type Company, startApp, type TestApp } from '#tests/support/app'
import { attestationCtx, attestorOf, commonClaims, JKT, type Json, newSigningKey, type SigningKey, signedToken } from '#tests/support/attestation'
import { verifyEvidence } from '../attest.ts'
import { tokenReviewContext } from './token-review.ts'

const UID = '11111111-1111-4111-8111-111111111111'
const AUDIENCE = 'https://id.example.org'
const SUBJECT = 'system:serviceaccount:prod:payments'
const STATUS = { authenticated: true, user: { username: SUBJECT, uid: UID, groups: ['system:serviceaccounts'] }, audiences: [AUDIENCE] }

let app: TestApp
let company: Company
let key: SigningKey
let attestor: Attestor
beforeAll(async () => {
  app = await startApp([])
  company = await app.company()
  key = newSigningKey('RS256', 'k-1')
  const settings = { issuer: 'https://oidc.cluster.example.org', jwks: { keys: [key.jwk] }, audience: AUDIENCE, rules: { namespace: 'prod' } }
  const row = attestorOf(app, company.tenantId, 'k8s_token', { ...settings, tokenReviewUrl: 'https://k8s.example.org:8443', tokenReviewCa: 'CA' })
  const sealed = await atomically(forTenant(app.db, company.tenantId), (t) =>
    app.ctx.keyring.seal(t, t.tenantId, 'reviewer-token', tokenReviewContext(row.id)),
  )
  attestor = { ...row, sealedTokenReviewToken: sealed }
})

const evidence = (): string => {
  const kubernetes = { namespace: 'prod', serviceaccount: { name: 'payments', uid: UID }, pod: { name: 'payments-1', uid: UID } }
  return signedToken(key, { ...commonClaims(app, attestor), aud: [AUDIENCE], sub: SUBJECT, 'kubernetes.io': kubernetes })
}
const apiServer = (status: unknown, code = 201) => {
  const received: OutboundRequest[] = []
  const send: Outbound['send'] = async (call) => {
    received.push(call)
    const body = typeof status === 'string' ? status : JSON.stringify({ kind: 'TokenReview', status })
    return { status: code, body: Buffer.from(body), header: () => undefined }
  }
  return { received, outbound: { loopback: false, send } satisfies Outbound }
}
const judged = async (outbound: Outbound, row: Partial<Attestor> = {}, token = evidence()) => {
  const presented = { attestor: { ...attestor, ...row }, evidence: token, jkt: JKT }
  const verdict = await verifyEvidence(attestationCtx(app, { outbound }), forTenant(app.db, company.tenantId), presented)
  return verdict.accepted ? 'accepted' : verdict.failed
}

describe('a reviewed token', () => {
  test('is sent to the attestor’s API server alone, with its authority and our token', async () => {
    const { received, outbound } = apiServer(STATUS)
    const token = evidence()
    expect(await judged(outbound, {}, token)).toBe('accepted')
    expect(received).toMatchObject([
      {
        url: 'https://k8s.example.org:8443/apis/authentication.k8s.io/v1/tokenreviews',
        method: 'POST',
        ca: 'CA',
        headers: { authorization: 'Bearer reviewer-token' },
      },
    ])
    expect(JSON.parse(String(received[0]?.body))).toEqual({
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      spec: { token, audiences: [AUDIENCE] },
    })
  })

  test('is not sent before its signature was verified', async () => {
    const { received, outbound } = apiServer(STATUS)
    expect(await judged(outbound, {}, evidence().replace(/.{10}$/, 'AAAAAAAAAA'))).toBe('signature')
    expect(received).toEqual([])
  })

  test.each<[string, unknown, number?]>([
    ['is not authenticated', { ...STATUS, authenticated: false }],
    ['is authenticated by a text', { ...STATUS, authenticated: 'true' }],
    ['has an error', { ...STATUS, error: 'token expired' }],
    ['is for another audience', { ...STATUS, audiences: ['https://kubernetes.default.svc'] }],
    ['is for more audiences', { ...STATUS, audiences: [AUDIENCE, 'https://kubernetes.default.svc'] }],
    ['is for no audience', { ...STATUS, audiences: undefined }],
    ['is of another account', { ...STATUS, user: { ...STATUS.user, username: 'system:serviceaccount:prod:other' } }],
    ['is of another account of that name', { ...STATUS, user: { ...STATUS.user, uid: '22222222-2222-4222-8222-222222222222' } }],
    ['is of nobody', { ...STATUS, user: undefined }],
    ['has no status', undefined],
    ['is answered with text', 'nonsense'],
    ['is answered twice', `{"status":{},"status":${JSON.stringify(STATUS)}}`],
    ['is answered at length', `{"status":${JSON.stringify(STATUS)},"x":"${'x'.repeat(64 * 1024)}"}`],
    ['is refused by the API server', STATUS, 403],
  ])('that %s is refused', async (_, status, code) => {
    expect(await judged(apiServer(status, code).outbound)).toBe('token_review')
  })

  test('is refused when the API server does not answer, or our token cannot be opened', async () => {
    const send = async () => {
      throw new FetchFailure('timeout')
    }
    expect(await judged({ loopback: false, send })).toBe('token_review')
    const { received, outbound } = apiServer(STATUS)
    expect(await judged(outbound, { sealedTokenReviewToken: null })).toBe('token_review')
    expect(await judged(outbound, { sealedTokenReviewToken: Uint8Array.from([1, 2, 3]) })).toBe('token_review')
    // Sealed for another attestor.
    expect(await judged(outbound, { id: app.ctx.random.id() })).toBe('token_review')
    expect(received).toEqual([])
  })

  test('is not sent where no review is configured', async () => {
    const { received, outbound } = apiServer({} satisfies Json)
    expect(await judged(outbound, { tokenReviewUrl: null })).toBe('accepted')
    expect(received).toEqual([])
  })
})
