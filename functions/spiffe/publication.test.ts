// What a trust domain publishes, and how its keys change.
import 'reflect-metadata'
import { X509Certificate } from 'node:crypto'
import { X509Certificate as ParsedCertificate, X509Crl } from '@peculiar/x509'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { expect, test } from 'vitest'
import { forTenant } from '#db/engine/tenant'
import { listWorkloadKeys } from '#db/store/trust-domains'
import { issueJwtSvid } from '#shared/domains/spiffe/jwt-svid'
import { rotateWorkloadKeys } from '#shared/domains/spiffe/key-changes'
import { ensureTrustDomain } from '#shared/domains/spiffe/signer'
import { issueX509Svid } from '#shared/domains/spiffe/x509-svid'
import { byWorkload } from '#shared/platform/audit/audit-log'
import { problem } from '#shared/platform/http/problem'
import { type Company, startApp, type TestApp } from '#tests/support/app'
import { contextOf, newCsr, newEntry } from '#tests/support/workloads'
import { spiffeRoutes } from './routes.ts'

const start = () => startApp(spiffeRoutes, { render: problem, cache: 'by-clock' })
const DAY = 24 * 3600

type Jwk = Readonly<Record<string, string>> & { readonly x5c?: readonly string[] }
type Bundle = { readonly keys: readonly Jwk[]; readonly spiffe_sequence: number; readonly spiffe_refresh_hint: number }
const bundleOf = async (app: TestApp, { tenantId }: Company): Promise<Bundle> => (await app.request(`/spiffe/${tenantId}/bundle`)).json()
const keysOf = (app: TestApp, { tenantId }: Company) => listWorkloadKeys(forTenant(app.db, tenantId), 100)
const rotate = (app: TestApp, { tenantId }: Company) => rotateWorkloadKeys(app.ctx, tenantId)
const certificatesIn = ({ keys }: Bundle): X509Certificate[] =>
  keys.flatMap(({ x5c }) => (x5c ?? []).map((der) => new X509Certificate(Buffer.from(der, 'base64'))))

test('the bundle has next and current keys of each use, with ids on all but certificates', async () => {
  const app = await start()
  const company = await app.company()
  await ensureTrustDomain(app.ctx, company.tenantId)
  const response = await app.request(`/spiffe/${company.tenantId}/bundle`)
  expect([response.status, response.headers.get('content-type'), response.headers.get('cache-control')]).toEqual([
    200,
    'application/json',
    'public, max-age=60',
  ])
  const { keys, ...rest } = (await response.json()) as Bundle
  expect(rest).toEqual({ spiffe_sequence: 2, spiffe_refresh_hint: 300 })
  expect(keys.map(({ use, kty }) => `${use} ${kty}`).toSorted()).toEqual(
    ['jwt-svid EC', 'jwt-svid RSA', 'wit-svid EC', 'x509-svid EC'].flatMap((one) => [one, one]),
  )
  for (const { use, kid, x5c, ...members } of keys) {
    expect(kid === undefined).toBe(use === 'x509-svid')
    expect(x5c?.length).toBe(use === 'x509-svid' ? 1 : undefined)
    for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) expect(members).not.toHaveProperty(secret)
  }
})

test('a certificate authority signs leaves alone, names the trust domain, and lives for thirty days', async () => {
  const app = await start()
  const company = await app.company()
  await ensureTrustDomain(app.ctx, company.tenantId)
  const [ca] = certificatesIn(await bundleOf(app, company))
  expect(ca?.ca).toBe(true)
  expect(ca?.subjectAltName).toBe(`URI:spiffe://${company.tenantId}`)
  expect(ca?.verify(ca.publicKey)).toBe(true)
  const parsed = new ParsedCertificate(new Uint8Array(ca?.raw ?? []))
  expect(parsed.getExtension('2.5.29.19')).toMatchObject({ ca: true, pathLength: 0, critical: true })
  // keyCertSign and cRLSign.
  expect(parsed.getExtension('2.5.29.15')).toMatchObject({ usages: 96, critical: true })
  expect((parsed.notAfter.getTime() - parsed.notBefore.getTime()) / 1000).toBe(30 * DAY + 60)
})

test('an unknown organisation, one without a trust domain, and text that is no id are not found', async () => {
  const app = await start()
  const company = await app.company()
  for (const document of ['bundle', 'jwks', 'crl', '.well-known/openid-configuration']) {
    for (const tenant of [company.tenantId, '0192f1c0-6b1e-7d5a-9c54-3b5d7a1e2f00', 'nonsense', company.tenantId.toUpperCase()]) {
      const response = await app.request(`/spiffe/${tenant}/${document}`)
      expect([response.status, (await response.json()).code], `${tenant} ${document}`).toEqual([404, 'not_found'])
    }
  }
  expect(await keysOf(app, company)).toEqual([])
})

test('the current tag of a document gets 304', async () => {
  const app = await start()
  const company = await app.company()
  await ensureTrustDomain(app.ctx, company.tenantId)
  for (const document of ['bundle', 'jwks', '.well-known/openid-configuration']) {
    const path = `/spiffe/${company.tenantId}/${document}`
    const etag = (await app.request(path)).headers.get('etag') ?? ''
    expect((await app.request(path, { headers: { 'if-none-match': etag } })).status).toBe(304)
  }
})

test('a cloud finds the keys of a JWT-SVID through the issuer, and one organisation\u2019s keys verify nothing of another', async () => {
  const app = await startApp(spiffeRoutes, { render: problem, env: { BASE_URL: 'https://id.example.com' } })
  const [acme, globex] = [await app.company('acme'), await app.company('globex')]
  await ensureTrustDomain(app.ctx, globex.tenantId)
  const entry = await newEntry(app, acme, 'ns/prod/sa/api')
  for (const alg of ['RS256', 'ES256'] as const) {
    const { token } = await issueJwtSvid(contextOf(app), entry, { audience: ['sts.amazonaws.com'], actor: byWorkload(entry.id), alg })
    const issuer = `https://id.example.com/spiffe/${acme.tenantId}`
    const discovery = await (await app.request(`/spiffe/${acme.tenantId}/.well-known/openid-configuration`)).json()
    expect(discovery).toMatchObject({ issuer, jwks_uri: `${issuer}/jwks`, id_token_signing_alg_values_supported: ['RS256', 'ES256'] })
    const jwks = async (company: Company) => createLocalJWKSet(await (await app.request(`/spiffe/${company.tenantId}/jwks`)).json())
    const options = { issuer, audience: 'sts.amazonaws.com', currentDate: app.clock.now() }
    const { payload, protectedHeader } = await jwtVerify(token, await jwks(acme), options)
    expect(payload).toMatchObject({ sub: entry.spiffeId, jti: expect.any(String), iat: expect.any(Number) })
    expect(protectedHeader).toEqual({ alg, kid: expect.any(String), typ: 'JWT' })
    await expect(jwtVerify(token, await jwks(globex), options)).rejects.toThrow()
  }
})

test('keys rotate: the next one is published first, the old one stays, and the sequence grows with each change', async () => {
  const app = await start()
  const company = await app.company()
  await ensureTrustDomain(app.ctx, company.tenantId)
  const before = await bundleOf(app, company)
  const first = await keysOf(app, company)
  const nextCa = first.find(({ use, status }) => use === 'x509' && status === 'next')
  expect(await rotate(app, company)).toBe(0)
  app.clock.advance(13 * DAY)
  expect(await rotate(app, company)).toBe(3)
  const after = await bundleOf(app, company)
  expect(after.spiffe_sequence).toBe(before.spiffe_sequence + 1)
  const authorities = (await keysOf(app, company)).filter(({ use }) => use === 'x509')
  expect(authorities.map(({ status }) => status).toSorted()).toEqual(['current', 'next', 'retired'])
  expect(authorities.find(({ status }) => status === 'current')?.kid).toBe(nextCa?.kid)
  const known = certificatesIn(before).map(({ fingerprint256 }) => fingerprint256)
  expect(certificatesIn(after).filter(({ fingerprint256 }) => known.includes(fingerprint256))).toHaveLength(2)
  // Anything that the retired authority signed has expired.
  app.clock.advance(25 * 3600)
  expect(await rotate(app, company)).toBe(1)
  expect((await keysOf(app, company)).filter(({ use }) => use === 'x509')).toHaveLength(2)
  const events = await app.events(company.tenantId, { event: 'workload_key.rotated' })
  expect(events).toHaveLength(1)
})

test('a key that is due rotates when it is used, and no certificate outlives its authority', async () => {
  const app = await start()
  const company = await app.company()
  const entry = await newEntry(app, company, 'ns/prod/sa/api', { x509Seconds: DAY })
  const issue = async () => issueX509Svid(contextOf(app), entry, { csr: (await newCsr()).csr, actor: byWorkload(entry.id) })
  for (const days of [0, 12.9, 13, 13, 13]) {
    app.clock.advance(days * DAY)
    const { certificate, bundle } = await issue()
    const leaf = new X509Certificate(certificate)
    const authorities = (bundle.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----\n/g) ?? []).map((pem) => new X509Certificate(pem))
    const issuer = authorities.find((ca) => leaf.checkIssued(ca) && leaf.verify(ca.publicKey))
    expect(issuer).toBeDefined()
    expect(new Date(leaf.validTo) <= new Date(issuer?.validTo ?? 0)).toBe(true)
    expect(new Date(issuer?.validTo ?? 0) > app.clock.now()).toBe(true)
  }
})

test('in an emergency a key leaves the bundle at once, its successor signs, and what it signed is revoked', async () => {
  const app = await start()
  const company = await app.company()
  const entry = await newEntry(app, company, 'ns/prod/sa/api')
  const token = await app.token(company.admin)
  const issued = await issueJwtSvid(contextOf(app), entry, { audience: ['x'], actor: byWorkload(entry.id) })
  const before = await (await app.request('/spiffe/trust-domain', { token })).json()
  expect(before).toMatchObject({ trust_domain: company.tenantId, sequence: 2 })
  const key = before.keys.find((one: Jwk) => one.use === 'jwt' && one.alg === 'RS256' && one.status === 'current')
  const revoke = (kid: string, by = token) => app.request(`/spiffe/keys/${kid}/revoke`, { method: 'POST', token: by })
  expect((await revoke(key.kid)).status).toBe(204)
  const after = await bundleOf(app, company)
  expect(after.spiffe_sequence).toBe(3)
  expect(after.keys.map(({ kid }) => kid)).not.toContain(key.kid)
  const validation = await app.request('/authsec/spiresvc/v1/jwt/validate', { body: { token: issued.token } })
  expect(await validation.json()).toEqual({ valid: false })
  const again = await issueJwtSvid(contextOf(app), entry, { audience: ['x'], actor: byWorkload(entry.id) })
  expect((await (await app.request('/authsec/spiresvc/v1/jwt/validate', { body: { token: again.token } })).json()).valid).toBe(true)
  const [event] = await app.events(company.tenantId, { event: 'workload_key.revoked' })
  expect(event).toMatchObject({ actorId: company.admin.id, targetId: key.kid })
  // Again, of another organisation, and unknown.
  expect((await revoke(key.kid)).status).toBe(204)
  expect((await bundleOf(app, company)).spiffe_sequence).toBe(3)
  const globex = await app.company('globex')
  const foreign = await revoke(key.kid, await app.token(globex.admin))
  expect([foreign.status, (await foreign.json()).code]).toEqual([404, 'not_found'])
  app.clock.advance(16 * 60)
  expect((await revoke(key.kid)).status).toBe(401)
})

const serials = async (app: TestApp, { tenantId }: Company, query = '') => {
  const response = await app.request(`/spiffe/${tenantId}/crl${query}`)
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/pkix-crl'])
  return new X509Crl(await response.arrayBuffer())
}

test('the CRL lists revoked certificates until they expire, is signed by their authority, and lives for ten minutes', async () => {
  const app = await start()
  const company = await app.company()
  const token = await app.token(company.admin)
  const entry = await newEntry(app, company, 'ns/prod/sa/api')
  const issue = async () => issueX509Svid(contextOf(app), entry, { csr: (await newCsr()).csr, actor: byWorkload(entry.id) })
  const [one, other] = [await issue(), await issue()]
  expect((await serials(app, company)).entries).toHaveLength(0)
  const revoked = await app.request(`/spiffe/svids/${one.id}/revoke`, { method: 'POST', token })
  expect(revoked.status).toBe(204)
  const crl = await serials(app, company)
  expect(crl.entries.map(({ serialNumber }) => serialNumber)).toEqual([one.id])
  expect((Number(crl.nextUpdate) - Number(crl.thisUpdate)) / 1000).toBe(600)
  const kid = (await keysOf(app, company)).find(({ use, status }) => use === 'x509' && status === 'current')?.kid
  const leaf = new ParsedCertificate(other.certificate)
  const issuer = (other.bundle.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----\n/g) ?? [])
    .map((pem) => new ParsedCertificate(pem))
    .find(({ subject }) => subject === leaf.issuer)
  expect(await crl.verify({ publicKey: issuer ?? leaf })).toBe(true)
  expect((await serials(app, company, `?ca=${kid}`)).entries).toHaveLength(1)
  expect((await app.request(`/spiffe/${company.tenantId}/crl?ca=${'a'.repeat(43)}`)).status).toBe(404)
  app.clock.advance(3700)
  expect((await serials(app, company)).entries).toHaveLength(0)
})
