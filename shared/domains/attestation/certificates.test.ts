// Proofs with certificates: chains made by openssl, proofs signed by the certificates' keys. Includes X.509-SVIDs and JWT-SVIDs of a federated trust domain.
import { execFileSync } from 'node:child_process'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { asTenantId, forTenant } from '#db/engine/tenant'
import type { Attestor } from '#db/store/attestors'
import { startApp, type TestApp } from '#tests/support/app'
import {
  attestationCtx,
  attestorOf,
  commonClaims,
  JKT,
  type Json,
  newSigningKey,
  OTHER_JKT,
  type SigningKey,
  signedJws,
  signedToken,
  timesOf,
} from '#tests/support/attestation'
import { verifyEvidence } from './attest.ts'
import { isAuthorityCertificate } from './certificate-chain.ts'
import { CERTIFICATE_PROOF_TYPE } from './certificate-proof.ts'
import { newChallenge } from './challenge.ts'
import { keyAudience } from './key-binding.ts'
import type { FederatedBundle } from './method.ts'

const TENANT = '0190aaaa-bbbb-7ccc-8ddd-000000000001'
const DOMAIN = 'partner.example.org'
const ID = `spiffe://${DOMAIN}/ns/prod/sa/payments`

let folder: string
const openssl = (...args: string[]): void => {
  execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
}
const CA = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign']
const LEAF = ['basicConstraints=critical,CA:FALSE', 'keyUsage=critical,digitalSignature', 'extendedKeyUsage=clientAuth']

type Made = { readonly name: string; readonly pem: string; readonly der: string }
type Making = {
  readonly by?: string
  readonly extensions: readonly string[]
  readonly key?: readonly string[]
  /** The certificate whose key it has. */
  readonly keyOf?: string
  readonly subject?: string
  readonly more?: readonly string[]
}
const EC = ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256']
const certificates = new Map<string, Made>()

const make = (name: string, { by, extensions, key = EC, keyOf, subject = `/O=Acme/CN=${name}`, more = [] }: Making): void => {
  if (keyOf === undefined) openssl(...key, '-out', `${name}.key`)
  else copyFileSync(join(folder, `${keyOf}.key`), join(folder, `${name}.key`))
  writeFileSync(join(folder, `${name}.cnf`), `[req]\ndistinguished_name=dn\n[dn]\n[ext]\n${extensions.join('\n')}\n`)
  const config = ['-config', `${name}.cnf`, '-extensions', 'ext', '-subj', subject, '-key', `${name}.key`, '-out', `${name}.pem`]
  openssl('req', '-new', '-x509', '-days', '30', ...config, ...(by === undefined ? [] : ['-CA', `${by}.pem`, '-CAkey', `${by}.key`]), ...more)
  const pem = readFileSync(join(folder, `${name}.pem`), 'utf8')
  certificates.set(name, { name, pem, der: new X509Certificate(pem).raw.toString('base64') })
}
const certificate = (name: string): Made => {
  const made = certificates.get(name)
  if (made === undefined) throw new Error(`no certificate ${name}`)
  return made
}

let app: TestApp
let attestor: Attestor
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'certificates-'))
  make('root', { extensions: CA })
  make('other-root', { extensions: CA })
  // The same name with another key.
  make('impostor', { extensions: CA, subject: '/O=Acme/CN=root' })
  make('renamed', { extensions: CA, keyOf: 'root' })
  make('issuing', { by: 'root', extensions: ['basicConstraints=critical,CA:TRUE,pathlen:0', CA[1] ?? ''] })
  make('leaf', {
    by: 'issuing',
    extensions: [...LEAF, 'subjectAltName=DNS:web-1.acme.example,URI:spiffe://acme.example/web'],
    more: ['-set_serial', '0x00ab12'],
  })
  make('direct', { by: 'root', extensions: LEAF })
  make('rsa', { by: 'root', extensions: LEAF, key: ['genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'] })
  make('weak', { by: 'root', extensions: LEAF, key: ['genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:1024'] })
  make('server', { by: 'root', extensions: ['basicConstraints=critical,CA:FALSE', 'extendedKeyUsage=serverAuth'] })
  make('no-purpose', { by: 'root', extensions: ['basicConstraints=critical,CA:FALSE'] })
  make('no-signing', {
    by: 'root',
    extensions: ['basicConstraints=critical,CA:FALSE', 'keyUsage=critical,keyEncipherment', 'extendedKeyUsage=clientAuth'],
  })
  make('authority-leaf', {
    by: 'root',
    extensions: ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,digitalSignature', 'extendedKeyUsage=clientAuth'],
  })
  make('cert-sign-leaf', {
    by: 'root',
    extensions: ['basicConstraints=critical,CA:FALSE', 'keyUsage=critical,digitalSignature,keyCertSign', 'extendedKeyUsage=clientAuth'],
  })
  make('critical', { by: 'root', extensions: [...LEAF, '1.2.3.4=critical,ASN1:NULL'] })
  make('sha1', { by: 'root', extensions: LEAF, more: ['-sha1'] })
  make('below-leaf', { by: 'direct', extensions: LEAF })
  make('not-authority', { by: 'root', extensions: ['basicConstraints=critical,CA:FALSE', CA[1] ?? ''] })
  make('below-not-authority', { by: 'not-authority', extensions: LEAF })
  make('no-cert-sign', { by: 'root', extensions: [CA[0] ?? '', 'keyUsage=critical,digitalSignature'] })
  make('below-no-cert-sign', { by: 'no-cert-sign', extensions: LEAF })
  make('deeper', { by: 'issuing', extensions: CA })
  make('below-deeper', { by: 'deeper', extensions: LEAF })
  make('server-issuing', { by: 'root', extensions: [...CA, 'extendedKeyUsage=serverAuth'] })
  make('below-server-issuing', { by: 'server-issuing', extensions: LEAF })
  make('constrained', { by: 'root', extensions: [...CA, 'nameConstraints=permitted;DNS:acme.example'] })
  make('below-constrained', { by: 'constrained', extensions: LEAF })
  make('by-impostor', { by: 'impostor', extensions: LEAF })
  make('comma', { by: 'root', extensions: LEAF, subject: '/O=Acme, CN=leaf' })
  make('stranger', { by: 'other-root', extensions: LEAF })
  make('svid', { by: 'root', extensions: ['keyUsage=critical,digitalSignature', `subjectAltName=critical,URI:${ID}`], subject: '/' })
  make('svid-server', { by: 'root', extensions: ['extendedKeyUsage=serverAuth', `subjectAltName=URI:${ID}`] })
  make('svid-two', { by: 'root', extensions: [`subjectAltName=URI:${ID},URI:spiffe://${DOMAIN}/other`] })
  make('svid-foreign', { by: 'root', extensions: ['subjectAltName=URI:spiffe://other.example.org/ns/prod/sa/payments'] })
  make('svid-none', { by: 'root', extensions: LEAF })
  app = await startApp([], { start: new Date(Date.now() + 60_000).toISOString() })
  const rules = { subject: 'O=Acme, CN=leaf' }
  attestor = attestorOf(app, TENANT, 'x509_pop', { certificateAuthorities: [certificate('root').pem], rules })
}, 120_000)
afterAll(() => rmSync(folder, { recursive: true }))

type Proof = {
  readonly chain: readonly string[]
  readonly claims?: Json
  readonly header?: Json
  readonly signer?: string
  readonly row?: Partial<Attestor>
  readonly jkt?: string
}

const proofOf = ({ chain, claims = {}, header = {}, signer = chain[0] ?? '' }: Proof): string => {
  const privateKey = createPrivateKey(readFileSync(join(folder, `${signer}.key`)))
  const alg = privateKey.asymmetricKeyType === 'rsa' ? 'RS256' : 'ES256'
  const x5c = chain.map((name) => certificate(name).der)
  const payload = {
    aud: keyAudience(app.ctx, TENANT, JKT),
    nonce: newChallenge(app.ctx),
    ...timesOf(app, 60),
    ...claims,
  }
  return signedJws({ alg, typ: CERTIFICATE_PROOF_TYPE, x5c, ...header }, payload, { alg, privateKey })
}

const judged = async (proof: Proof, bundle?: FederatedBundle, evidence = proofOf(proof)) => {
  const federatedBundles = { find: async (_: unknown, domain: string) => (domain === DOMAIN ? bundle : undefined) }
  const verdict = await verifyEvidence(attestationCtx(app, bundle === undefined ? {} : { federatedBundles }), forTenant(app.db, asTenantId(TENANT)), {
    attestor: { ...attestor, ...proof.row },
    evidence,
    jkt: proof.jkt ?? JKT,
  })
  return verdict.accepted ? verdict.attested.selectors : verdict.failed
}

/** Rules that any certificate of the test satisfies, so that only the chain is judged. */
const anyOf = (name: string): Partial<Attestor> => ({
  rules: { fingerprint: new X509Certificate(certificate(name).pem).fingerprint256.replaceAll(':', '').toLowerCase() },
})

describe('a certificate', () => {
  test('of the attestor’s authorities becomes its names, its serial number and its fingerprint', async () => {
    const selectors = await judged({ chain: ['leaf', 'issuing'] })
    expect(selectors).toEqual([
      `x509:fingerprint:${anyOf('leaf').rules?.fingerprint}`,
      'x509:san:dns:web-1.acme.example',
      'x509:san:uri:spiffe://acme.example/web',
      'x509:serial:ab12',
      'x509:subject:O=Acme, CN=leaf',
    ])
  })

  test.each([[['leaf', 'issuing', 'root']], [['direct']], [['rsa']], [['direct', 'root']]])('is accepted with the chain %s', async (chain) => {
    expect(await judged({ chain, row: anyOf(chain[0] ?? '') })).toBeInstanceOf(Array)
  })

  test.each<[string, string, readonly string[]]>([
    ['no chain', 'chain', []],
    ['no issuer of the leaf', 'chain', ['leaf']],
    ['another order', 'chain', ['leaf', 'root', 'issuing']],
    ['a certificate that is not in the chain', 'chain', ['direct', 'issuing']],
    ['an authority of others', 'chain', ['stranger', 'other-root']],
    ['an authority with the right name and another key', 'chain', ['by-impostor']],
    ['an authority with the right name in the chain', 'chain', ['by-impostor', 'impostor']],
    ['the authority itself as leaf', 'leaf', ['root']],
    ['a leaf as issuer', 'chain', ['below-leaf', 'direct']],
    ['an issuer that is no authority', 'chain', ['below-not-authority', 'not-authority']],
    ['an issuer that may not sign certificates', 'chain', ['below-no-cert-sign', 'no-cert-sign']],
    ['a longer path than the authority allows', 'chain', ['below-deeper', 'deeper', 'issuing']],
    ['an issuer for another purpose', 'chain', ['below-server-issuing', 'server-issuing']],
    ['an issuer with constraints of names', 'chain', ['below-constrained', 'constrained']],
    ['an unknown critical extension', 'chain', ['critical']],
    ['a signature with SHA-1', 'chain', ['sha1']],
    ['a chain that is too long', 'chain', ['leaf', 'issuing', 'root', 'root', 'root', 'root']],
    ['a leaf that is an authority', 'leaf', ['authority-leaf']],
    ['a leaf that may sign certificates', 'leaf', ['cert-sign-leaf']],
    ['a leaf that may not sign', 'leaf', ['no-signing']],
    ['a leaf for servers', 'client_auth', ['server']],
    ['a leaf without a purpose', 'client_auth', ['no-purpose']],
    ['a weak key', 'key', ['weak']],
  ])('is refused with %s: %s', async (_, check, chain) => {
    const [signer = 'direct'] = chain
    expect(await judged({ chain, signer, row: anyOf(signer) })).toBe(check)
  })

  test('is refused where the authority has the right key and another name', async () => {
    expect(await judged({ chain: ['direct'], row: { ...anyOf('direct'), certificateAuthorities: [certificate('renamed').pem] } })).toBe('chain')
  })

  test('is refused when its key is that of a trusted one, without the signature of the authority', async () => {
    make('forged', { by: 'impostor', extensions: LEAF, keyOf: 'direct', subject: '/O=Acme/CN=direct' })
    expect(await judged({ chain: ['forged'], row: anyOf('forged') })).toBe('chain')
  })

  test('is refused before and after its time', async () => {
    const before = app.clock.now()
    for (const moved of [-3 * 24 * 3600, 31 * 24 * 3600]) {
      app.clock.advance(moved)
      expect(await judged({ chain: ['direct'], row: anyOf('direct') })).toBe('validity')
      app.clock.set(before)
    }
  })

  test('is refused when it or its issuer is on the list of the attestor', async () => {
    expect(await judged({ chain: ['leaf', 'issuing'], row: { revokedSerials: ['ab12'] } })).toBe('revoked')
    const serial = new X509Certificate(certificate('issuing').pem).serialNumber.toLowerCase().replace(/^0+/, '')
    expect(await judged({ chain: ['leaf', 'issuing'], row: { revokedSerials: [serial] } })).toBe('revoked')
    expect(await judged({ chain: ['leaf', 'issuing'], row: { revokedSerials: ['ab13'] } })).toBeInstanceOf(Array)
  })

  test('is refused by rules on its names', async () => {
    expect(await judged({ chain: ['leaf', 'issuing'], row: { rules: { san: 'dns:web-*' } } })).toBeInstanceOf(Array)
    expect(await judged({ chain: ['leaf', 'issuing'], row: { rules: { san: 'dns:db-*' } } })).toBe('rule.san')
    expect(await judged({ chain: ['direct'] })).toBe('rule.subject')
    // One name with a comma in it is not two names.
    expect(await judged({ chain: ['comma'] })).toBe('rule.subject')
  })
})

test('an attestor takes only certificates of authorities, one each', () => {
  const { pem } = certificate('root')
  expect([isAuthorityCertificate(pem), isAuthorityCertificate(`\n${pem}`)]).toEqual([true, true])
  for (const wrong of [`${pem}${certificate('other-root').pem}`, `x\n${pem}`, '', pem.replace('CERTIFICATE', 'PUBLIC KEY'), pem.slice(0, 300)])
    expect(isAuthorityCertificate(wrong), wrong.slice(0, 30)).toBe(false)
  for (const name of ['direct', 'constrained', 'no-cert-sign', 'server-issuing', 'sha1', 'critical'])
    expect(isAuthorityCertificate(certificate(name).pem), name).toBe(false)
})

describe('a proof of possession', () => {
  test.each<[string, string, Partial<Proof>]>([
    ['signed by another key', 'signature', { signer: 'direct' }],
    ['for another workload’s key', 'audience', { claims: { aud: 'other' } }],
    ['without our challenge', 'challenge', { claims: { nonce: undefined } }],
    ['with a challenge of its own', 'challenge', { claims: { nonce: 'abc.def' } }],
    ['of another type', 'type', { header: { typ: 'JWT' } }],
    ['without a type', 'type', { header: { typ: undefined } }],
    ['with a key id', 'header', { header: { kid: 'k' } }],
    ['with a critical extension', 'critical', { header: { crit: ['x'] } }],
    ['with an algorithm that the attestor does not accept', 'algorithm', { row: { algorithms: ['RS256'] } }],
    ['that is valid for more than five minutes', 'lifetime', { claims: { exp: 'long' } }],
    ['without certificates', 'chain', { header: { x5c: undefined } }],
    ['with certificates that are no list', 'chain', { header: { x5c: 'MA==' } }],
    ['with something else than certificates', 'chain', { header: { x5c: ['MA=='] } }],
    ['with certificates in base64url', 'chain', { header: { x5c: ['_-_-'] } }],
    ['with certificates that are no text', 'chain', { header: { x5c: [1] } }],
  ])('%s is refused: %s', async (_, check, changed) => {
    const claims =
      changed.claims?.aud === 'other'
        ? { aud: keyAudience(app.ctx, TENANT, OTHER_JKT) }
        : changed.claims?.exp === 'long'
          ? timesOf(app, 301)
          : (changed.claims ?? {})
    expect(await judged({ chain: ['leaf', 'issuing'], ...changed, claims })).toBe(check)
  })

  test('is refused when a byte follows a certificate', async () => {
    const longer = Buffer.concat([Buffer.from(certificate('direct').der, 'base64'), Buffer.from([0])]).toString('base64')
    expect(await judged({ chain: ['direct'], row: anyOf('direct'), header: { x5c: [longer] } })).toBe('chain')
  })

  test('is refused with a challenge that is older than five minutes', async () => {
    const [before, old] = [app.clock.now(), newChallenge(app.ctx)]
    app.clock.advance(300)
    expect(await judged({ chain: ['leaf', 'issuing'], claims: { nonce: old } })).toBeInstanceOf(Array)
    app.clock.advance(1)
    expect(await judged({ chain: ['leaf', 'issuing'], claims: { nonce: old } })).toBe('challenge')
    app.clock.set(before)
  })
})

describe('a workload of a federated trust domain', () => {
  let key: SigningKey
  let row: Attestor
  const bundle = (): FederatedBundle => ({ jwtKeys: [key.jwk], certificateAuthorities: [Buffer.from(certificate('root').der, 'base64')] })
  beforeAll(() => {
    key = newSigningKey('ES256', 'partner-1')
    row = attestorOf(app, TENANT, 'spiffe', {
      trustDomain: DOMAIN,
      audience: 'https://id.acme.example',
      rules: { id: `spiffe://${DOMAIN}/ns/prod/sa/*` },
    })
  })
  const svid = (claims: Json = {}, header: Json = {}, by = key): string => signedToken(by, { ...commonClaims(app, row), sub: ID, ...claims }, header)
  const withSvid = (evidence: string, found: FederatedBundle | undefined = bundle()) => judged({ chain: [], row }, found, evidence)

  test('is recognised by its JWT-SVID, whose audience may be a list of one', async () => {
    const selectors = [`spiffe:domain:${DOMAIN}`, `spiffe:id:${ID}`]
    expect(await withSvid(svid())).toEqual(selectors)
    expect(await withSvid(svid({ aud: ['https://id.acme.example'] }, { typ: 'JOSE' }))).toEqual(selectors)
  })

  test('is recognised by a proof with its X.509-SVID', async () => {
    expect(await judged({ chain: ['svid'], row }, bundle())).toEqual([`spiffe:domain:${DOMAIN}`, `spiffe:id:${ID}`])
  })

  test.each<[string, string, Json]>([
    ['a subject of another trust domain', 'trust_domain', { sub: 'spiffe://other.example.org/ns/prod/sa/payments' }],
    ['a subject one level deeper', 'rule.id', { sub: `${ID}/more` }],
    ['a subject one level higher', 'rule.id', { sub: `spiffe://${DOMAIN}/ns/prod` }],
    ['a path with dots', 'subject', { sub: `spiffe://${DOMAIN}/ns/prod/sa/..` }],
    ['an empty segment', 'subject', { sub: `spiffe://${DOMAIN}/ns/prod/sa//payments` }],
    ['a slash at the end', 'subject', { sub: `${ID}/` }],
    ['a trust domain in capitals', 'subject', { sub: ID.replace(DOMAIN, DOMAIN.toUpperCase()) }],
    ['a scheme in capitals', 'subject', { sub: ID.replace('spiffe', 'SPIFFE') }],
    ['an escaped letter', 'subject', { sub: `spiffe://${DOMAIN}/ns/prod/sa/%70ayments` }],
    ['a look-alike letter', 'subject', { sub: `spiffe://${DOMAIN}/ns/prod/sa/рayments` }],
    ['a port', 'subject', { sub: `spiffe://${DOMAIN}:443/ns/prod/sa/payments` }],
    ['a user', 'subject', { sub: `spiffe://x@${DOMAIN}/ns/prod/sa/payments` }],
    ['a query', 'subject', { sub: `${ID}?x` }],
    ['a fragment', 'subject', { sub: `${ID}#x` }],
    ['no path', 'subject', { sub: `spiffe://${DOMAIN}` }],
    ['no subject', 'subject', { sub: undefined }],
    ['a subject that is too long', 'subject', { sub: `${ID}${'x'.repeat(2048)}` }],
    ['no audience', 'audience', { aud: undefined }],
    ['two audiences', 'audience', { aud: ['https://id.acme.example', 'https://other.example'] }],
    ['no end', 'expiry', { exp: undefined }],
  ])('is refused with %s: %s', async (_, check, claims) => {
    expect(await withSvid(svid(claims))).toBe(check)
  })

  test('is refused with a key that is not in the bundle of the trust domain, whatever the evidence says', async () => {
    expect(await withSvid(svid({}, {}, newSigningKey('ES256', 'partner-1')))).toBe('signature')
    expect(await withSvid(svid({}, {}, newSigningKey('ES256', 'own')))).toBe('key')
    expect(await withSvid(svid({}, { typ: 'wit+jwt' }))).toBe('type')
  })

  test('is refused unless the tenant federates with the trust domain', async () => {
    expect(await judged({ chain: [], row }, undefined, svid())).toBe('bundle')
    expect(await judged({ chain: [], row: { ...row, trustDomain: 'other.example.org' } }, bundle(), svid())).toBe('bundle')
    expect(await judged({ chain: [], row: { ...row, trustDomain: null } }, bundle(), svid())).toBe('bundle')
  })

  test.each([
    ['svid-two', 'subject'],
    ['svid-none', 'subject'],
    ['svid-foreign', 'trust_domain'],
    ['svid-server', 'client_auth'],
    ['stranger', 'chain'],
  ])('is refused with the certificate %s: %s', async (name, check) => {
    expect(await judged({ chain: [name], row }, bundle())).toBe(check)
  })
})
