// Evidence in exchange for SVIDs: what is issued, for which key, once, and that every refusal looks alike and changes nothing.
import { X509Certificate } from 'node:crypto'
import { calculateJwkThumbprint, decodeJwt, exportJWK, generateKeyPair, SignJWT } from 'jose'
import { beforeAll, describe, expect, test } from 'vitest'
import { atomically, forTenant } from '#db/engine/tenant'
import { updateAttestor } from '#db/store/attestors'
import { insertJoinToken } from '#db/store/join-tokens'
import type { EntryFields } from '#shared/domains/spiffe/entries'
import { secondsAfter, unixSeconds } from '#shared/kernel/clock'
import { randomToken } from '#shared/kernel/random'
import { sha256 } from '#shared/platform/crypto/sha256'
import { problem } from '#shared/platform/http/problem'
import { type Company, startApp, type TestApp } from '#tests/support/app'
import {
  attestorOf,
  commonClaims,
  type Json,
  NO_NETWORK,
  newSigningKey,
  type SigningKey,
  signedToken,
  storeAttestor,
} from '#tests/support/attestation'
import { newCsr, newEntry } from '#tests/support/workloads'
import { spiffeRoutes } from './routes.ts'

let app: TestApp
let company: Company
let platform: SigningKey
beforeAll(async () => {
  app = await startApp(spiffeRoutes, { render: problem, extra: { outbound: NO_NETWORK } })
  company = await app.company()
  platform = newSigningKey('ES256', 'k-1')
})

/** A workload's own key, with its proofs and its certificate request. */
const newKey = async () => {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const jwk = await exportJWK(publicKey)
  const proof = (path: string, claims: Json = {}): Promise<string> =>
    new SignJWT({ htm: 'POST', htu: `${app.config.BASE_URL}${path}`, iat: unixSeconds(app.clock.now()), jti: app.ctx.random.id(), ...claims })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
      .sign(privateKey)
  const csr = async () => (await newCsr({}, { privateKey, publicKey } as CryptoKeyPair)).csr
  return { jwk, jkt: await calculateJwkThumbprint(jwk), proof, csr }
}
type Key = Awaited<ReturnType<typeof newKey>>

const attestorFor = (sub: string, of = company) =>
  storeAttestor(app, attestorOf(app, of.tenantId, 'oidc', { issuer: 'https://issuer.example.org', jwks: { keys: [platform.jwk] }, rules: { sub } }))

let jobs = 0
/** An attestor, an entry for what it proves, and evidence for a key. */
const setUp = async (fields: Partial<EntryFields> = {}) => {
  const sub = `job-${++jobs}`
  const attestor = await attestorFor(sub)
  const entry = await newEntry(app, company, `ci/${sub}`, { selectors: [`oidc:sub:${sub}`], ...fields })
  const key = await newKey()
  const evidence = (claims: Json = {}, jkt = key.jkt) => signedToken(platform, { ...commonClaims(app, attestor, jkt), sub, ...claims })
  return { attestor, entry, key, evidence, sub }
}
const pathOf = (of: string = company.tenantId): string => `/spiffe/${of}/attest`
let addresses = 0
const attest = async (body: Json, key?: Key, { path = pathOf(), proof }: { readonly path?: string; readonly proof?: string } = {}) => {
  const dpop = proof ?? (await key?.proof(path))
  const response = await app.request(path, {
    body,
    address: `192.0.2.${++addresses % 250}`,
    headers: dpop === undefined ? {} : { dpop },
  })
  return { status: response.status, body: await response.json() }
}
const svids = async (): Promise<number> => (await app.events(company.tenantId, { event: 'svid.issued' })).length
const REFUSED = { status: 401, body: { code: 'attestation_failed' } }

test('evidence and a proof of the key give an X.509-, a JWT- and a WIT-SVID of the entry', async () => {
  const { attestor, entry, key, evidence } = await setUp()
  const { status, body } = await attest(
    {
      attestor_id: attestor.id,
      evidence: evidence(),
      x509: { csr: await key.csr() },
      jwt: { audience: ['https://api.example'] },
      wit: { jwk: key.jwk },
    },
    key,
  )
  expect({ status, body }).toMatchObject({
    status: 200,
    body: { spiffe_id: entry.spiffeId, entry_id: entry.id, bundle_url: `${app.config.BASE_URL}/spiffe/${company.tenantId}/bundle` },
  })
  expect(new X509Certificate(body.x509.certificate).subjectAltName).toBe(`URI:${entry.spiffeId}`)
  expect(decodeJwt(body.jwt.svid)).toMatchObject({ sub: entry.spiffeId, aud: 'https://api.example' })
  expect(decodeJwt(body.wit.svid)).toMatchObject({ sub: entry.spiffeId, cnf: { jwk: { x: key.jwk.x } } })
  const [event] = await app.events(company.tenantId, { event: 'workload.attested', targetId: attestor.id })
  expect(event).toMatchObject({ outcome: 'success', actorType: 'anonymous' })
})

test('a workload gets the entry with the most selectors that it proved, and none whose selectors it proved in part', async () => {
  const { attestor, entry, key, evidence, sub } = await setUp()
  await newEntry(app, company, `ci/${sub}/partial`, { selectors: [`oidc:sub:${sub}`, 'oidc:sub:another'] })
  expect(await attest({ attestor_id: attestor.id, evidence: evidence(), jwt: { audience: ['a'] } }, key)).toMatchObject({
    status: 200,
    body: { spiffe_id: entry.spiffeId },
  })
})

test('a join token gives the entry that it names, once, to the key that proves itself', async () => {
  const entry = await newEntry(app, company, 'joined/one')
  const attestor = await storeAttestor(app, attestorOf(app, company.tenantId, 'join_token'))
  const [token, id, at] = [randomToken(app.ctx.random), app.ctx.random.id(), app.clock.now()]
  await atomically(forTenant(app.db, company.tenantId), (t) =>
    insertJoinToken(t, {
      id,
      hash: sha256(token),
      attestorId: attestor.id,
      entryId: entry.id,
      createdBy: company.admin.id,
      createdAt: at,
      expiresAt: secondsAfter(at, 600),
    }),
  )
  const keys = await Promise.all([newKey(), newKey(), newKey()])
  const all = await Promise.all(keys.map((key) => attest({ attestor_id: attestor.id, evidence: token, jwt: { audience: ['a'] } }, key)))
  expect(all.map(({ status }) => status).toSorted()).toEqual([200, 401, 401])
  expect(all.find(({ status }) => status === 200)?.body.spiffe_id).toBe(entry.spiffeId)
})

describe('nothing is issued', () => {
  const refusedWith = async (call: () => ReturnType<typeof attest>, expected: Json) => {
    const before = await svids()
    expect(await call()).toMatchObject(expected)
    expect(await svids()).toBe(before)
  }

  test('without a proof, or with one of another request, or twice with the same', async () => {
    const { attestor, key, evidence } = await setUp()
    const body = { attestor_id: attestor.id, evidence: evidence(), jwt: { audience: ['a'] } }
    const invalid = { status: 400, body: { code: 'invalid_dpop_proof' } }
    await refusedWith(() => attest(body), invalid)
    const elsewhere = await key.proof('/spiffe/jwt')
    await refusedWith(() => attest(body, key, { proof: elsewhere }), invalid)
    const once = await key.proof(pathOf())
    expect((await attest(body, key, { proof: once })).status).toBe(200)
    await refusedWith(() => attest(body, key, { proof: once }), invalid)
  })

  test('to another key than the one that the evidence is bound to', async () => {
    const { attestor, evidence } = await setUp()
    const thief = await newKey()
    await refusedWith(() => attest({ attestor_id: attestor.id, evidence: evidence(), jwt: { audience: ['a'] } }, thief), REFUSED)
  })

  test('for another key than the proved one', async () => {
    const { attestor, key, evidence } = await setUp()
    const other = await newKey()
    const body = { attestor_id: attestor.id, evidence: evidence() }
    const field = (name: string) => ({ status: 400, body: { code: 'invalid_request', field: name } })
    const csr = await other.csr()
    await refusedWith(() => attest({ ...body, x509: { csr } }, key), field('body.x509.csr'))
    await refusedWith(() => attest({ ...body, wit: { jwk: other.jwk } }, key), field('body.wit.jwk'))
    await refusedWith(() => attest({ ...body, wit: { jwk: { kty: 'EC' } } }, key), field('body.wit.jwk'))
  })

  test('for evidence that fails, that matches no entry, or of an attestor that is off, elsewhere or nowhere, alike', async () => {
    const { attestor, key, evidence, sub } = await setUp()
    const wanted = { jwt: { audience: ['a'] } }
    const forged = `${evidence().slice(0, -8)}AAAAAAAA`
    await refusedWith(() => attest({ attestor_id: attestor.id, evidence: forged, ...wanted }, key), REFUSED)
    await refusedWith(() => attest({ attestor_id: attestor.id, evidence: evidence({ sub: 'another' }), ...wanted }, key), REFUSED)
    const lonely = await attestorFor(`${sub}-lonely`)
    const noEntry = signedToken(platform, { ...commonClaims(app, lonely, key.jkt), sub: `${sub}-lonely` })
    await refusedWith(() => attest({ attestor_id: lonely.id, evidence: noEntry, ...wanted }, key), REFUSED)
    const foreign = await attestorFor(sub, await app.company('globex'))
    await refusedWith(() => attest({ attestor_id: foreign.id, evidence: evidence(), ...wanted }, key), REFUSED)
    await refusedWith(() => attest({ attestor_id: app.ctx.random.id(), evidence: evidence(), ...wanted }, key), REFUSED)
    const nowhere = pathOf(app.ctx.random.id())
    await refusedWith(() => attest({ attestor_id: attestor.id, evidence: evidence(), ...wanted }, key, { path: nowhere }), REFUSED)
    await atomically(forTenant(app.db, company.tenantId), (t) => updateAttestor(t, attestor.id, { active: false, updatedAt: app.clock.now() }))
    await refusedWith(() => attest({ attestor_id: attestor.id, evidence: evidence(), ...wanted }, key), REFUSED)
    const reasons = await app.events(company.tenantId, { event: 'request.refused' })
    expect(reasons.filter(({ targetId }) => targetId === attestor.id).map(({ reason }) => reason)).toEqual(['attestor', 'rule.sub', 'signature'])
    expect(reasons.filter(({ targetId }) => targetId === lonely.id).map(({ reason }) => reason)).toEqual(['entry'])
  })

  test('when one of the wanted SVIDs is not allowed: the evidence can be used again', async () => {
    const { attestor, key, evidence } = await setUp({ audiences: ['https://api.example'] })
    const body = { attestor_id: attestor.id, evidence: evidence(), x509: { csr: await key.csr() } }
    await refusedWith(() => attest({ ...body, jwt: { audience: ['https://other.example'] } }, key), { status: 400, body: { code: 'invalid_target' } })
    expect((await attest({ ...body, jwt: { audience: ['https://api.example'] } }, key)).status).toBe(200)
  })

  test('for a request that wants nothing', async () => {
    const { attestor, key, evidence } = await setUp()
    await refusedWith(() => attest({ attestor_id: attestor.id, evidence: evidence() }, key), { status: 400, body: { code: 'invalid_request' } })
  })
})
