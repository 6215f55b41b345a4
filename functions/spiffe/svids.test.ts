// SVIDs: what they contain, how a workload proves possession of one, and what ends them.
import 'reflect-metadata'
import { X509Certificate } from 'node:crypto'
import { BasicConstraintsExtension, ExtendedKeyUsageExtension, X509Certificate as Parsed, SubjectAlternativeNameExtension } from '@peculiar/x509'
import { decodeJwt, decodeProtectedHeader, importJWK, jwtVerify } from 'jose'
import { expect, test } from 'vitest'
import { atomically, forTenant } from '#db/engine/tenant'
import { updateAgent } from '#db/store/agents'
import { setClientActive } from '#db/store/clients'
import { findSvid } from '#db/store/svids'
import { setTenantStatus } from '#db/store/tenants'
import { issueJwtSvid } from '#shared/domains/spiffe/jwt-svid'
import { issueSvids } from '#shared/domains/spiffe/svids'
import { issueX509Svid } from '#shared/domains/spiffe/x509-svid'
import { byWorkload } from '#shared/platform/audit/audit-log'
import { problem } from '#shared/platform/http/problem'
import { newAgent } from '#tests/support/agents'
import { startApp } from '#tests/support/app'
import { asWorkload, contextOf, idIn, newCsr, newEntry, newPublicJwk, newWorkload } from '#tests/support/workloads'
import { spiffeRoutes } from './routes.ts'

const start = () => startApp(spiffeRoutes, { render: problem, env: { BASE_URL: 'https://id.example.com' } })
const codeOf = async (response: Response) => [response.status, (await response.json()).code]
/** Another signature over the same request. */
const altered = (pem: string): string => {
  const der = Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64')
  der[der.length - 1] = (der.at(-1) ?? 0) ^ 1
  return `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`
}
const EC = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

test('an X.509-SVID names its entry alone, for both sides of mutual TLS, and takes nothing but the key from the request', async () => {
  const app = await start()
  const company = await app.company()
  const entry = await newEntry(app, company, 'ns/prod/sa/api')
  const { csr, keys } = await newCsr({
    name: 'CN=admin,O=Evil',
    extensions: [
      new SubjectAlternativeNameExtension([
        { type: 'url', value: idIn(company, 'other') },
        { type: 'dns', value: 'bank.example' },
      ]),
      new BasicConstraintsExtension(true, 3, true),
      new ExtendedKeyUsageExtension(['1.3.6.1.5.5.7.3.3']),
    ],
  })
  const issued = await issueX509Svid(contextOf(app), entry, { csr, actor: byWorkload(entry.id) })
  const leaf = new X509Certificate(issued.certificate)
  expect(leaf.subjectAltName).toBe(`URI:${entry.spiffeId}`)
  expect([leaf.ca, leaf.subject, leaf.keyUsage]).toEqual([false, 'O=SPIFFE', ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']])
  expect(leaf.serialNumber.toLowerCase()).toBe(issued.id)
  expect(issued.id).toMatch(/^[4-7][0-9a-f]{31}$/)
  const parsed = new Parsed(issued.certificate)
  expect(parsed.getExtension('2.5.29.15')).toMatchObject({ usages: 1, critical: true })
  expect(parsed.notBefore).toEqual(new Date(app.clock.now().getTime() - 30_000))
  expect(parsed.notAfter).toEqual(new Date(app.clock.now().getTime() + 3_600_000))
  expect(Buffer.from(parsed.publicKey.rawData)).toEqual(Buffer.from(await crypto.subtle.exportKey('spki', keys.publicKey)))
  const authorities = (issued.bundle.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----\n/g) ?? []).map((pem) => new X509Certificate(pem))
  expect(authorities.filter((ca) => leaf.checkIssued(ca) && leaf.verify(ca.publicKey))).toHaveLength(1)
})

test('a request of a weak key, of another key\u2019s signature, and text that is no request are refused', async () => {
  const app = await start()
  const company = await app.company()
  const entry = await newEntry(app, company, 'api')
  const rsa = (modulusLength: number) =>
    crypto.subtle.generateKey({ name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', publicExponent: new Uint8Array([1, 0, 1]), modulusLength }, true, [
      'sign',
      'verify',
    ]) as Promise<CryptoKeyPair>
  const RSA = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
  const [own, other] = [(await newCsr()).keys, (await newCsr()).keys]
  const curve = { name: 'ECDSA', namedCurve: 'P-521', hash: 'SHA-512' } as const
  const p521 = (await crypto.subtle.generateKey(curve, true, ['sign', 'verify'])) as CryptoKeyPair
  const { csr: good } = await newCsr()
  const refused = [
    (await newCsr({ signingAlgorithm: RSA }, await rsa(1024))).csr,
    (await newCsr({ signingAlgorithm: curve }, p521)).csr,
    (await newCsr({ signingAlgorithm: EC }, { publicKey: own.publicKey, privateKey: other.privateKey })).csr,
    altered(good),
    '-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----',
    'nonsense',
    '',
    'A'.repeat(9000),
  ]
  for (const csr of refused) {
    const issuing = issueX509Svid(contextOf(app), entry, { csr, actor: byWorkload(entry.id) })
    await expect(issuing, csr.slice(0, 60)).rejects.toMatchObject({ code: 'invalid_request' })
  }
  const { csr } = await newCsr({ signingAlgorithm: RSA }, await rsa(2048))
  await expect(issueX509Svid(contextOf(app), entry, { csr, actor: byWorkload(entry.id) })).resolves.toMatchObject({ spiffeId: entry.spiffeId })
})

test('a workload gets JWT-SVIDs for audiences of its entry, shortened to its lifetime', async () => {
  const app = await start()
  const company = await app.company()
  const workload = await newWorkload(app, company, 'api', { audiences: ['https://a.example', 'b'], jwtSeconds: 600 })
  const ask = (body: object) => asWorkload(app, workload, '/spiffe/jwt', body)
  const response = await ask({ audience: ['https://a.example'] })
  expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'no-store'])
  const { svid, spiffe_id, id } = await response.json()
  expect(decodeProtectedHeader(svid)).toEqual({ alg: 'RS256', kid: expect.any(String), typ: 'JWT' })
  const now = Math.floor(app.clock.now().getTime() / 1000)
  expect(decodeJwt(svid)).toEqual({
    iss: `https://id.example.com/spiffe/${company.tenantId}`,
    sub: spiffe_id,
    aud: 'https://a.example',
    iat: now,
    exp: now + 300,
    jti: id,
  })
  const long = decodeJwt((await (await ask({ audience: ['https://a.example', 'b'], seconds: 86_400, alg: 'ES256' })).json()).svid)
  expect([long.exp, long.aud]).toEqual([now + 600, ['https://a.example', 'b']])
  expect(await codeOf(await ask({ audience: ['c'] }))).toEqual([400, 'invalid_target'])
  expect(await codeOf(await ask({ audience: ['b', 'c'] }))).toEqual([400, 'invalid_target'])
  expect(await codeOf(await ask({ audience: [] }))).toEqual([400, 'invalid_request'])
  expect(await codeOf(await ask({}))).toEqual([400, 'invalid_request'])
  const events = await app.events(company.tenantId, { event: 'svid.issued', targetId: id })
  expect(events).toMatchObject([{ actorType: 'workload', actorId: workload.entry.id }])
})

test('a workload renews its X.509-SVID with a new key, and gets a WIT-SVID for one', async () => {
  const app = await start()
  const company = await app.company()
  const workload = await newWorkload(app, company)
  const { csr } = await newCsr()
  const renewed = await (await asWorkload(app, workload, '/spiffe/x509', { csr })).json()
  expect(new X509Certificate(renewed.certificate).subjectAltName).toBe(`URI:${workload.entry.spiffeId}`)
  expect(renewed.id).not.toBe(workload.issued.id)
  const { jwk } = await newPublicJwk()
  const wit = await (await asWorkload(app, workload, '/spiffe/wit', { jwk })).json()
  expect(decodeProtectedHeader(wit.svid)).toEqual({ alg: 'ES256', kid: expect.any(String), typ: 'wit+jwt' })
  const claims = decodeJwt(wit.svid)
  expect(claims).toEqual({
    sub: workload.entry.spiffeId,
    iat: claims.iat,
    exp: Number(claims.iat) + 300,
    jti: wit.id,
    cnf: { jwk: { ...jwk, alg: 'ES256' } },
  })
  const { keys } = await (await app.request(`/spiffe/${company.tenantId}/bundle`)).json()
  const key = keys.find(({ kid }: { kid?: string }) => kid === decodeProtectedHeader(wit.svid).kid)
  expect(key.use).toBe('wit-svid')
  await expect(jwtVerify(wit.svid, await importJWK(key, 'ES256'), { currentDate: app.clock.now() })).resolves.toBeDefined()
  const { privateKey } = await newPublicJwk()
  const secret = await crypto.subtle.exportKey('jwk', privateKey)
  for (const bad of [secret, {}, { kty: 'oct', k: 'AAAA' }, { ...jwk, x: 'AAAA' }, { kty: 'RSA', n: 'AQAB', e: 'AQAB' }]) {
    expect(await codeOf(await asWorkload(app, workload, '/spiffe/wit', { jwk: bad })), JSON.stringify(bad)).toEqual([400, 'invalid_request'])
  }
})

test('a proof is for one address, method, body and moment, and works once', async () => {
  const app = await start()
  const company = await app.company()
  const workload = await newWorkload(app, company)
  const path = '/spiffe/jwt'
  const body = { audience: ['a'] }
  const send = (headers: Readonly<Record<string, string>>, sent: unknown = body) => app.request(path, { body: sent, headers })
  const now = Math.floor(app.clock.now().getTime() / 1000)
  const headers = await workload.proof({ path, body })
  expect((await send(headers)).status).toBe(200)
  expect(await codeOf(await send(headers))).toEqual([401, 'invalid_token'])
  const stranger = await newWorkload(app, await app.company('globex'))
  const otherKey = (await newCsr()).keys.privateKey
  const der = (pem: string) => new X509Certificate(pem).raw.toString('base64')
  const refused: readonly Parameters<typeof workload.proof>[0][] = [
    { path: '/spiffe/x509', body },
    { path: `${path}?x=1`, body },
    { path, body: { audience: ['b'] } },
    { path, body: '' },
    { path, body, method: 'GET' },
    { path, body, claims: { aud: `https://evil.example${path}` } },
    { path, body, claims: { iat: now - 61 } },
    { path, body, claims: { iat: now + 61 } },
    { path, body, claims: { iat: undefined } },
    { path, body, claims: { jti: 'short' } },
    { path, body, claims: { jti: undefined } },
    { path, body, claims: { body_digest: undefined } },
    { path, body, key: otherKey },
    { path, body, header: { x5c: [der(stranger.issued.certificate)] } },
    { path, body, header: { x5c: [] } },
    { path, body, header: { x5c: ['AAAA'] } },
    { path, body, header: { x5c: undefined } },
    { path, body, header: { typ: 'JWT' } },
    { path, body, header: { kid: 'x' } },
  ]
  for (const call of refused) {
    expect(await codeOf(await send(await workload.proof(call))), JSON.stringify(call)).toEqual([401, 'invalid_token'])
  }
  for (const proof of ['', 'x', 'a.b.c', `${headers['svid-proof']}.x`, 'a'.repeat(9000)]) {
    expect((await send({ 'svid-proof': proof })).status, proof.slice(0, 20)).toBe(401)
  }
  expect(await codeOf(await send({}))).toEqual([401, 'unauthorized'])
  expect(await codeOf(await send({ 'x-spiffe-id': workload.entry.spiffeId }))).toEqual([401, 'unauthorized'])
  expect(await codeOf(await send({ authorization: `Bearer ${await app.token(company.admin)}` }))).toEqual([401, 'invalid_token'])
  expect((await asWorkload(app, workload, path, body)).status).toBe(200)
})

test('a certificate of another authority with the same names proves nothing', async () => {
  const app = await start()
  const company = await app.company()
  const workload = await newWorkload(app, company)
  const { createCaCertificate, createLeafCertificate, keyOfCsr } = await import('#shared/domains/spiffe/x509')
  const keys = (await newCsr()).keys
  const times = { notBefore: new Date(app.clock.now().getTime() - 1000), notAfter: new Date(app.clock.now().getTime() + 3_600_000) }
  const certificate = await createCaCertificate({ trustDomain: company.tenantId, kid: 'k'.repeat(43), keys, serial: new Uint8Array(16), ...times })
  const own = await newCsr()
  const { publicKey } = await keyOfCsr(own.csr)
  const ca = { certificate, signingKey: keys.privateKey }
  const forged = await createLeafCertificate({ ca, spiffeId: workload.entry.spiffeId, publicKey, serial: workload.issued.id, ...times })
  const path = '/spiffe/jwt'
  const body = { audience: ['a'] }
  const headers = await workload.proof({ path, body, key: own.keys.privateKey, header: { x5c: [forged.toString('base64')] } })
  expect(await codeOf(await app.request(path, { body, headers }))).toEqual([401, 'invalid_token'])
})

test('an SVID ends with its time, its revocation, its entry, its agent, the agent\u2019s owner and its organisation', async () => {
  const app = await start()
  const admin = async () => {
    const company = await app.company()
    return { company, token: await app.token(company.admin) }
  }
  const answers = async (workload: Awaited<ReturnType<typeof newWorkload>>) =>
    (await asWorkload(app, workload, '/spiffe/jwt', { audience: ['a'] })).status
  const { company, token } = await admin()
  const revoked = await newWorkload(app, company)
  expect(await answers(revoked)).toBe(200)
  expect((await app.request(`/spiffe/svids/${revoked.issued.id}/revoke`, { method: 'POST', token })).status).toBe(204)
  expect(await answers(revoked)).toBe(401)
  const deleted = await newWorkload(app, company)
  await app.request(`/spiffe/entries/${deleted.entry.id}`, { method: 'DELETE', token })
  expect(await answers(deleted)).toBe(401)
  const owner = await app.person(company)
  const agent = await newAgent(app, company, owner.id)
  const t = forTenant(app.db, company.tenantId)
  const ofAgent = await newWorkload(app, company, undefined, { agentId: agent.id })
  const jwt = await issueJwtSvid(contextOf(app), ofAgent.entry, { audience: ['a'], actor: byWorkload(ofAgent.entry.id) })
  expect(decodeJwt(jwt.token).agent_id).toBe(agent.id)
  expect(await answers(ofAgent)).toBe(200)
  await atomically(t, (tx) => updateAgent(tx, agent.id, { status: 'suspended', updatedAt: app.clock.now() }))
  expect(await answers(ofAgent)).toBe(401)
  await expect(issueJwtSvid(contextOf(app), ofAgent.entry, { audience: ['a'], actor: byWorkload(ofAgent.entry.id) })).rejects.toMatchObject({
    code: 'not_found',
  })
  await atomically(t, (tx) => updateAgent(tx, agent.id, { status: 'active', updatedAt: app.clock.now() }))
  expect(await answers(ofAgent)).toBe(200)
  await atomically(t, (tx) => setClientActive(tx, agent.id, false, app.clock.now()))
  expect(await answers(ofAgent)).toBe(401)
  const expired = await newWorkload(app, company)
  app.clock.advance(3601)
  expect(await answers(expired)).toBe(401)
  const suspended = await newWorkload(app, company)
  expect(await answers(suspended)).toBe(200)
  await atomically(t, (tx) => setTenantStatus(tx, 'suspended', app.clock.now()))
  expect(await answers(suspended)).toBe(401)
})

test('an id of the platform\u2019s trust domain has JWT-SVIDs only', async () => {
  const app = await start()
  const company = await app.company()
  const spiffeId = `spiffe://${app.config.SPIFFE_TRUST_DOMAIN}/tenants/${company.tenantId}/agents/bot/1`
  const entry = await newEntry(app, company, 'x', { spiffeId })
  const { csr } = await newCsr()
  await expect(issueX509Svid(contextOf(app), entry, { csr, actor: byWorkload(entry.id) })).rejects.toMatchObject({ code: 'invalid_request' })
  await expect(issueJwtSvid(contextOf(app), entry, { audience: ['a'], actor: byWorkload(entry.id) })).resolves.toMatchObject({ spiffeId })
})

test('several SVIDs are issued together with what they are issued for, or none is', async () => {
  const app = await start()
  const company = await app.company()
  const entry = await newEntry(app, company, 'api', { audiences: ['a'] })
  const options = { actor: byWorkload(entry.id), instanceId: app.ctx.random.id() }
  const requested = { x509: { csr: (await newCsr()).csr }, jwt: { audience: ['a'] }, wit: { jwk: (await newPublicJwk()).jwk } }
  const issued = () => app.events(company.tenantId, { event: 'svid.issued' })
  const refusing = async (): Promise<void> => {
    throw new Error('used before')
  }
  await expect(issueSvids(contextOf(app), entry, { ...options, within: refusing }, requested)).rejects.toThrow('used before')
  await expect(issueSvids(contextOf(app), entry, options, { ...requested, jwt: { audience: ['b'] } })).rejects.toMatchObject({
    code: 'invalid_target',
  })
  expect(await issued()).toEqual([])
  const { x509, jwt, wit } = await issueSvids(contextOf(app), entry, options, requested)
  expect((await issued()).map(({ targetId }) => targetId).toSorted()).toEqual([x509?.id, jwt?.id, wit?.id].toSorted())
  for (const id of [x509?.id, jwt?.id, wit?.id]) {
    expect(await findSvid(forTenant(app.db, company.tenantId), id ?? '')).toMatchObject({ instanceId: options.instanceId, entryId: entry.id })
  }
})
