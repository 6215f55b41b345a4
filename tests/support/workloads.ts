// Workloads for tests: entries, keys, certificate requests, and proofs made as a workload makes them, with jose and the certificate library alone.
import 'reflect-metadata'
import { createHash, randomUUID, X509Certificate } from 'node:crypto'
import { Pkcs10CertificateRequestGenerator } from '@peculiar/x509'
import { CompactSign, exportJWK, generateKeyPair } from 'jose'
import { forTenant } from '#db/engine/tenant'
import { findEntry, type RegistrationEntry } from '#db/store/registration-entries'
import type { EntryFields } from '#shared/domains/spiffe/entries'
import { createEntry } from '#shared/domains/spiffe/entries'
import { type IssuedCertificate, issueX509Svid } from '#shared/domains/spiffe/x509-svid'
import { byWorkload } from '#shared/platform/audit/audit-log'
import { administratorOf } from './administration.ts'
import type { Company, TestApp } from './app.ts'

const EC = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
export type CsrParameters = Partial<Parameters<typeof Pkcs10CertificateRequestGenerator.create>[0]>

/** A certificate request of a new key, as PEM. */
export const newCsr = async (more: CsrParameters = {}, keys?: CryptoKeyPair) => {
  const pair = keys ?? ((await crypto.subtle.generateKey(EC, true, ['sign', 'verify'])) as CryptoKeyPair)
  const csr = await Pkcs10CertificateRequestGenerator.create({ name: 'CN=ignored', keys: pair, signingAlgorithm: EC, ...more })
  return { csr: csr.toString('pem'), keys: pair }
}

const request = {
  ...({} as Parameters<typeof createEntry>[0]['request']),
  id: 'test',
  address: '192.0.2.1',
  userAgent: 'test',
  method: 'GET',
  page: '/',
  route: 'test',
  emits: ['spiffe_entry.created', 'spiffe_entry.updated', 'svid.issued', 'svid.revoked'],
} as const
export const contextOf = (app: TestApp) => ({ ...app.ctx, request })

export const idIn = ({ tenantId }: Company, path: string): string => `spiffe://${tenantId}/${path}`

/** An entry of the company's administrator. Any audience by default. */
export const newEntry = async (app: TestApp, company: Company, path: string, fields: Partial<EntryFields> = {}): Promise<RegistrationEntry> => {
  const caller = { ...administratorOf(company), permissions: new Set(['admin:access', 'spire:manage'] as const) }
  return createEntry(contextOf(app), caller, {
    spiffeId: idIn(company, path),
    selectors: [`test:path:${path}`],
    audiences: ['*'],
    jwtSeconds: 3600,
    ...fields,
  })
}

export type TestWorkload = {
  readonly entry: RegistrationEntry
  readonly issued: IssuedCertificate
  /** The header of a request. */
  readonly proof: (call: ProofCall) => Promise<Readonly<Record<string, string>>>
}
type ProofCall = {
  readonly method?: string
  readonly path: string
  readonly body?: unknown
  readonly claims?: Readonly<Record<string, unknown>>
  readonly header?: Readonly<Record<string, unknown>>
  readonly key?: CryptoKey
}

const derOf = (pem: string): string => new X509Certificate(pem).raw.toString('base64')

/** The SVID-Proof header for one request. */
export const svidProof = async (app: TestApp, { certificate }: IssuedCertificate, key: CryptoKey, call: ProofCall) => {
  const body = call.body === undefined ? '' : typeof call.body === 'string' ? call.body : JSON.stringify(call.body)
  const claims = {
    aud: `${app.config.BASE_URL}${call.path}`,
    htm: call.method ?? (call.body === undefined ? 'GET' : 'POST'),
    iat: Math.floor(app.clock.now().getTime() / 1000),
    jti: randomUUID(),
    body_digest: createHash('sha256').update(body).digest('base64url'),
    ...call.claims,
  }
  const header = { alg: 'ES256', typ: 'svid-proof+jwt', x5c: [derOf(certificate)], ...call.header }
  const proof = await new CompactSign(Buffer.from(JSON.stringify(claims))).setProtectedHeader(header).sign(call.key ?? key)
  return { 'svid-proof': proof }
}

/** A workload of an entry with an X.509-SVID. */
export const newWorkload = async (
  app: TestApp,
  company: Company,
  path = `ns/test/${randomUUID()}`,
  fields: Partial<EntryFields> = {},
): Promise<TestWorkload> => {
  const made = await newEntry(app, company, path, fields)
  const { csr, keys } = await newCsr()
  const issued = await issueX509Svid(contextOf(app), made, { csr, actor: byWorkload(made.id) })
  const entry = (await findEntry(forTenant(app.db, company.tenantId), made.id)) ?? made
  return { entry, issued, proof: (call) => svidProof(app, issued, keys.privateKey, call) }
}

/** Sends a request with the workload's proof. */
export const asWorkload = async (app: TestApp, { proof }: Pick<TestWorkload, 'proof'>, path: string, body?: unknown): Promise<Response> =>
  app.request(path, { ...(body === undefined ? {} : { body }), headers: await proof({ path, body }) })

/** A public key, as a workload sends it for a WIT-SVID. */
export const newPublicJwk = async (alg = 'ES256') => {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
  return { jwk: await exportJWK(publicKey), privateKey }
}
