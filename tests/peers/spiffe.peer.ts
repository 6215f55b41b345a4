// OpenSSL as the workload that makes a key and a certificate request, and as the verifier of certificates, CRLs and mutual TLS.
import { execFile } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { forTenant } from '#db/engine/tenant'
import { findSvid } from '#db/store/svids'
import { revokeWorkloadKey } from '#shared/domains/spiffe/key-changes'
import { issueX509Svid } from '#shared/domains/spiffe/x509-svid'
import { bySystem, byWorkload } from '#shared/platform/audit/audit-log'
import { problem } from '#shared/platform/http/problem'
import { spiffeRoutes } from '../../functions/spiffe/routes.ts'
import { type Company, startApp, type TestApp } from '../support/app.ts'
import { contextOf, newEntry } from '../support/workloads.ts'

const run = promisify(execFile)
let folder: string
let app: TestApp
let company: Company
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spiffe-'))
  // The verifiers have the clock of this machine.
  app = await startApp(spiffeRoutes, { render: problem, start: new Date().toISOString() })
  company = await app.company()
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const at = (name: string): string => join(folder, name)
const openssl = async (...parameters: readonly string[]): Promise<string> => {
  try {
    const { stdout, stderr } = await run('openssl', parameters)
    return `${stdout}${stderr}`
  } catch (error) {
    const { stdout, stderr } = error as { readonly stdout: string; readonly stderr: string }
    return `failed: ${stdout}${stderr}`
  }
}

const KEYS: Readonly<Record<string, readonly string[]>> = {
  'P-256': ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  'P-384': ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384'],
  'RSA-2048': ['-newkey', 'rsa:2048'],
}

/** A key and an SVID in files, as a workload has them. */
const workload = async (name: string, kind = 'P-256') => {
  const entry = await newEntry(app, company, `ns/test/${name}`)
  const made = await openssl(
    'req',
    '-new',
    '-nodes',
    ...(KEYS[kind] ?? []),
    '-keyout',
    at(`${name}.key`),
    '-subj',
    '/CN=other',
    '-out',
    at(`${name}.csr`),
  )
  expect(made).not.toContain('failed')
  const csr = await readFile(at(`${name}.csr`), 'utf8')
  const issued = await issueX509Svid(contextOf(app), entry, { csr, actor: byWorkload(entry.id) })
  await writeFile(at(`${name}.pem`), issued.certificate)
  await writeFile(at('bundle.pem'), issued.bundle)
  return { entry, issued, name }
}

/** The bundle as a verifier fetches it, as PEM. */
const fetchBundle = async (): Promise<void> => {
  const { keys } = (await (await app.request(`/spiffe/${company.tenantId}/bundle`)).json()) as {
    keys: readonly { readonly x5c?: readonly string[] }[]
  }
  const certificates = keys.flatMap(({ x5c }) => x5c ?? []).map((der) => new X509Certificate(Buffer.from(der, 'base64')).toString())
  await writeFile(at('bundle.pem'), certificates.join(''))
}
const verify = (name: string, ...more: readonly string[]) =>
  openssl('verify', '-x509_strict', ...more, '-CAfile', at('bundle.pem'), at(`${name}.pem`))

test.each(Object.keys(KEYS))('a certificate for a key of OpenSSL is valid for both sides of TLS: %s', async (kind) => {
  const { entry } = await workload(kind, kind)
  await fetchBundle()
  for (const purpose of ['sslclient', 'sslserver']) expect(await verify(kind, '-purpose', purpose)).toContain(': OK')
  expect(await verify(kind, '-purpose', 'smimesign')).toContain('failed')
  const text = await openssl('x509', '-in', at(`${kind}.pem`), '-noout', '-text')
  expect(text).toContain(`URI:${entry.spiffeId}`)
  expect(text).toMatch(/Basic Constraints: critical\s+CA:FALSE/)
  expect(text).not.toContain('CN=other')
})

test('a leaf cannot sign another certificate', async () => {
  await workload('leaf')
  await openssl('req', '-new', '-nodes', ...(KEYS['P-256'] ?? []), '-keyout', at('child.key'), '-subj', '/CN=child', '-out', at('child.csr'))
  await openssl('x509', '-req', '-in', at('child.csr'), '-CA', at('leaf.pem'), '-CAkey', at('leaf.key'), '-CAcreateserial', '-out', at('child.pem'))
  expect(await verify('child', '-untrusted', at('leaf.pem'))).toContain('failed')
})

test('the CRL is accepted, and refuses a revoked certificate alone', async () => {
  const [one, other] = [await workload('one'), await workload('other')]
  const crl = async (): Promise<void> => {
    const response = await app.request(`/spiffe/${company.tenantId}/crl`)
    await writeFile(at('crl.der'), Buffer.from(await response.arrayBuffer()))
    await openssl('crl', '-inform', 'DER', '-in', at('crl.der'), '-out', at('crl.pem'))
  }
  await crl()
  const checked = (name: string) => verify(name, '-crl_check', '-CRLfile', at('crl.pem'))
  expect(await checked('one')).toContain(': OK')
  const token = await app.token(company.admin)
  await app.request(`/spiffe/svids/${one.issued.id}/revoke`, { method: 'POST', token })
  await crl()
  expect(await checked(one.name)).toContain('certificate revoked')
  expect(await checked(other.name)).toContain(': OK')
})

test('a key that was revoked in an emergency verifies nothing with the next bundle', async () => {
  const { issued, name } = await workload('emergency')
  await fetchBundle()
  expect(await verify(name)).toContain(': OK')
  const svid = await findSvid(forTenant(app.db, company.tenantId), issued.id)
  await revokeWorkloadKey(app.ctx, company.tenantId, svid?.kid ?? '', bySystem)
  await fetchBundle()
  expect(await verify(name)).toContain('failed')
  await workload('successor')
  await fetchBundle()
  expect(await verify('successor')).toContain(': OK')
})

/** The SPIFFE id that the server sees, or the error. */
const handshake = async (client: string, serverName: string, ca: string): Promise<string> => {
  const files = async (name: string) => ({ key: await readFile(at(`${name}.key`)), cert: await readFile(at(`${name}.pem`)), ca: await readFile(ca) })
  const server = createServer({ ...(await files(serverName)), requestCert: true, rejectUnauthorized: true })
  const seen = new Promise<string>((resolve) => {
    server.on('secureConnection', (socket: TLSSocket) => {
      resolve(socket.getPeerCertificate().subjectaltname ?? '')
      socket.end()
    })
    server.on('tlsClientError', (error) => resolve(`failed: ${error.message}`))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { readonly port: number }
  // A SPIFFE id takes the place of a host name.
  const socket = connect({ host: '127.0.0.1', port, ...(await files(client)), checkServerIdentity: () => undefined })
  socket.on('error', () => undefined)
  const result = await seen
  socket.destroy()
  server.close()
  return result
}

test('two workloads of one organisation speak mutual TLS, and one of another organisation is refused', async () => {
  const [web, api] = [await workload('web'), await workload('api')]
  await fetchBundle()
  expect(await handshake('web', 'api', at('bundle.pem'))).toBe(`URI:${web.entry.spiffeId}`)
  expect(await handshake('api', 'web', at('bundle.pem'))).toBe(`URI:${api.entry.spiffeId}`)
  const own = await readFile(at('bundle.pem'))
  const before = company
  company = await app.company('globex')
  await workload('stranger')
  company = before
  await writeFile(at('bundle.pem'), own)
  expect(await handshake('stranger', 'api', at('bundle.pem'))).toContain('failed')
})
