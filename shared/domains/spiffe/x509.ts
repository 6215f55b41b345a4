// Certificates of certificate authorities and workloads, and CRLs (X.509-SVID; RFC 5280). Loaded on demand: the library is large.
import 'reflect-metadata'
import { createPublicKey, type KeyObject } from 'node:crypto'
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Pkcs10CertificateRequest,
  type PublicKey,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
  X509CrlGenerator,
} from '@peculiar/x509'
import { calculateJwkThumbprint } from 'jose'
import { AppError } from '#shared/kernel/errors'

const ECDSA = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

/** 128 random bits as a positive integer: the first bit is cleared, and the first byte is never zero. */
export const serialText = (bytes: Uint8Array): string => {
  const copy = Buffer.from(bytes)
  copy[0] = ((copy[0] ?? 0) & 0x7f) | 0x40
  return copy.toString('hex')
}

/** Each certificate authority has a name of its own, so that chains and CRLs are unambiguous. */
const caName = (trustDomain: string, kid: string) => [{ O: [trustDomain] }, { CN: [`CA ${kid.slice(0, 16)}`] }]

type NewCa = {
  readonly trustDomain: string
  readonly kid: string
  readonly keys: CryptoKeyPair
  readonly serial: Uint8Array
  readonly notBefore: Date
  readonly notAfter: Date
}

/** A self-signed certificate authority for leaf certificates alone (X.509-SVID section 4). Returns DER. */
export const createCaCertificate = async ({ trustDomain, kid, keys, serial, notBefore, notAfter }: NewCa): Promise<Buffer> => {
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serialText(serial),
    name: caName(trustDomain, kid),
    notBefore,
    notAfter,
    signingAlgorithm: ECDSA,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      new SubjectAlternativeNameExtension([{ type: 'url', value: `spiffe://${trustDomain}` }]),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return Buffer.from(certificate.rawData)
}

export type CsrKey = { readonly publicKey: PublicKey; readonly jkt: string }

const CURVES = new Set(['prime256v1', 'secp384r1'])
const [MIN_RSA_BITS, MAX_RSA_BITS] = [2048, 4096]
const MAX_CSR_LENGTH = 8192

const refusedCsr = (why: string, cause?: unknown): AppError => new AppError('invalid_request', `body.csr: ${why}`, { field: 'body.csr' }, cause)

const parsedCsr = (pem: string): Pkcs10CertificateRequest => {
  if (pem.length > MAX_CSR_LENGTH) throw refusedCsr('is too long')
  try {
    return new Pkcs10CertificateRequest(pem)
  } catch (cause) {
    throw refusedCsr('is not a certificate request', cause)
  }
}

const keyObjectOf = (publicKey: PublicKey): KeyObject => {
  try {
    return createPublicKey({ key: Buffer.from(publicKey.rawData), format: 'der', type: 'spki' })
  } catch (cause) {
    throw refusedCsr('has no usable key', cause)
  }
}

/** Before the key is used: verifying with an odd one can take seconds. */
const requireStrongKey = ({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): void => {
  const { namedCurve, modulusLength = 0, publicExponent } = asymmetricKeyDetails ?? {}
  const isStrong =
    asymmetricKeyType === 'ec'
      ? CURVES.has(namedCurve ?? '')
      : asymmetricKeyType === 'rsa' && modulusLength >= MIN_RSA_BITS && modulusLength <= MAX_RSA_BITS && publicExponent === 65537n
  if (!isStrong) throw refusedCsr('the key must be P-256, P-384 or RSA of 2048 to 4096 bits')
}

/**
 * The key of a certificate request, which is signed by that key. Everything else in it is ignored: names and extensions come from the registration entry.
 * @throws AppError invalid_request
 */
export const keyOfCsr = async (pem: string): Promise<CsrKey> => {
  const csr = parsedCsr(pem)
  const key = keyObjectOf(csr.publicKey)
  requireStrongKey(key)
  if (!(await csr.verify().catch(() => false))) throw refusedCsr('is not signed by its own key')
  return { publicKey: csr.publicKey, jkt: await calculateJwkThumbprint(key.export({ format: 'jwk' })) }
}

export type Ca = { readonly certificate: Buffer; readonly signingKey: CryptoKey }

type NewLeaf = {
  readonly ca: Ca
  readonly spiffeId: string
  readonly publicKey: PublicKey
  /** Hexadecimal. */
  readonly serial: string
  readonly notBefore: Date
  readonly notAfter: Date
}

/** A leaf certificate with one URI, for both sides of mutual TLS (X.509-SVID sections 2 and 4). Returns DER. */
export const createLeafCertificate = async ({ ca, spiffeId, publicKey, serial, notBefore, notAfter }: NewLeaf): Promise<Buffer> => {
  const issuer = new X509Certificate(new Uint8Array(ca.certificate))
  const extensions: Extension[] = [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
    new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
    new SubjectAlternativeNameExtension([{ type: 'url', value: spiffeId }]),
    await AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    await SubjectKeyIdentifierExtension.create(publicKey),
  ]
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serial,
    subject: [{ O: ['SPIFFE'] }],
    issuer: issuer.subjectName.toJSON(),
    notBefore,
    notAfter,
    publicKey,
    signingKey: ca.signingKey,
    signingAlgorithm: ECDSA,
    extensions,
  })
  return Buffer.from(certificate.rawData)
}

const CRL_NUMBER = '2.5.29.20'
/** RFC 5280 section 5.2.3: grows with every CRL. */
const crlNumber = (thisUpdate: Date): Extension => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(thisUpdate.getTime()))
  const digits = bytes.subarray(bytes.findIndex((byte) => byte !== 0))
  const positive = (digits[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.of(0), digits]) : digits
  return new Extension(CRL_NUMBER, false, Uint8Array.of(0x02, positive.length, ...positive))
}

export type RevokedSerial = { readonly serial: string; readonly revokedAt: Date }
type NewCrl = { readonly ca: Ca; readonly thisUpdate: Date; readonly nextUpdate: Date; readonly revoked: readonly RevokedSerial[] }

/** The certificates of a certificate authority that were revoked and have not expired (RFC 5280 section 5). Returns DER. */
export const createCrl = async ({ ca, thisUpdate, nextUpdate, revoked }: NewCrl): Promise<Buffer> => {
  const issuer = new X509Certificate(new Uint8Array(ca.certificate))
  const crl = await X509CrlGenerator.create({
    issuer: issuer.subjectName.toJSON(),
    thisUpdate,
    nextUpdate,
    signingAlgorithm: ECDSA,
    signingKey: ca.signingKey,
    extensions: [await AuthorityKeyIdentifierExtension.create(issuer.publicKey), crlNumber(thisUpdate)],
    entries: revoked.map(({ serial, revokedAt }) => ({ serialNumber: serial, revocationDate: revokedAt })),
  })
  return Buffer.from(crl.rawData)
}
