// Validates a chain of certificates (RFC 5280 section 6) from the leaf, in the order of `x5c`, to one of the given authorities. Certificates are never fetched, and
// extensions that are not processed here are refused where they are critical.
import 'reflect-metadata'
import { X509Certificate } from 'node:crypto'
import {
  type BasicConstraintsExtension,
  type ExtendedKeyUsageExtension,
  KeyUsageFlags,
  type KeyUsagesExtension,
  X509Certificate as ParsedCertificate,
  type SubjectAlternativeNameExtension,
} from '@peculiar/x509'
import type { JWK } from 'jose'
import { weaknessOf } from '#shared/platform/crypto/public-key'
import { sha256 } from '#shared/platform/crypto/sha256'
import { normalSerial } from './method.ts'
import { refuseEvidence, requireEvidence } from './refusal.ts'

const MAX_CERTIFICATES = 5
const BASIC_CONSTRAINTS = '2.5.29.19'
const KEY_USAGE = '2.5.29.15'
const EXTENDED_KEY_USAGE = '2.5.29.37'
const SUBJECT_ALTERNATIVE_NAME = '2.5.29.17'
const NAME_CONSTRAINTS = '2.5.29.30'
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2'
const PROCESSED = new Set([BASIC_CONSTRAINTS, KEY_USAGE, EXTENDED_KEY_USAGE, SUBJECT_ALTERNATIVE_NAME])
const HASHES = new Set(['SHA-256', 'SHA-384', 'SHA-512'])

type Certificate = { readonly der: Buffer; readonly signed: X509Certificate; readonly parsed: ParsedCertificate }

export type Leaf = {
  readonly key: JWK
  readonly subject: string
  /** `dns:…`, `uri:…`, `email:…`, `ip:…`. */
  readonly names: readonly string[]
  readonly uris: readonly string[]
  readonly serial: string
  /** SHA-256 of the certificate in lower-case hexadecimal. */
  readonly fingerprint: string
}

export type ChainChecks = {
  readonly authorities: readonly (string | Uint8Array)[]
  readonly revokedSerials: readonly string[]
  readonly now: Date
  /** Whether the leaf must name the purpose; otherwise it may leave out all purposes. */
  readonly clientAuth: 'required' | 'if_limited'
}

/** A certificate in DER or PEM; undefined unless the bytes are exactly one. */
export const parseCertificate = (source: string | Uint8Array): Certificate | undefined => {
  try {
    const signed = new X509Certificate(source)
    if (typeof source !== 'string' && !signed.raw.equals(source)) return undefined
    return { der: signed.raw, signed, parsed: new ParsedCertificate(signed.raw) }
  } catch {
    return undefined
  }
}

/** RFC 7515 section 4.1.6: base64, not base64url. */
const derOf = (value: unknown): Buffer | undefined => {
  const der = typeof value === 'string' ? Buffer.from(value, 'base64') : undefined
  return der?.toString('base64') === value ? der : undefined
}

const chainIn = (x5c: unknown): readonly Certificate[] => {
  requireEvidence(Array.isArray(x5c) && x5c.length > 0 && x5c.length <= MAX_CERTIFICATES, 'chain')
  return x5c.map((value) => {
    const der = derOf(value)
    return (der === undefined ? undefined : parseCertificate(der)) ?? refuseEvidence('chain')
  })
}

const isWithin = ({ parsed }: Certificate, now: Date): boolean => parsed.notBefore <= now && now <= parsed.notAfter

/** Name constraints are not processed, so a certificate that has them cannot be judged. */
const isUnderstood = ({ parsed }: Certificate): boolean => {
  const types = parsed.extensions.map(({ type }) => type)
  const hash = (parsed.signatureAlgorithm as { hash?: { name: string } }).hash?.name
  return (
    new Set(types).size === types.length &&
    !types.includes(NAME_CONSTRAINTS) &&
    parsed.extensions.every(({ type, critical }) => !critical || PROCESSED.has(type)) &&
    (hash === undefined || HASHES.has(hash))
  )
}

const usagesOf = ({ parsed }: Certificate): number | undefined => parsed.getExtension<KeyUsagesExtension>(KEY_USAGE)?.usages
const purposesOf = ({ parsed }: Certificate): readonly string[] | undefined =>
  parsed.getExtension<ExtendedKeyUsageExtension>(EXTENDED_KEY_USAGE)?.usages.map(String)
const constraintsOf = ({ parsed }: Certificate) => parsed.getExtension<BasicConstraintsExtension>(BASIC_CONSTRAINTS)

/** Whether the certificate may issue a chain with `below` authorities under it. */
const mayIssue = (certificate: Certificate, below: number): boolean => {
  const constraints = constraintsOf(certificate)
  const [usages, purposes] = [usagesOf(certificate), purposesOf(certificate)]
  return (
    constraints?.ca === true &&
    (constraints.pathLength === undefined || constraints.pathLength >= below) &&
    (usages === undefined || (usages & KeyUsageFlags.keyCertSign) !== 0) &&
    (purposes === undefined || purposes.includes(CLIENT_AUTH))
  )
}

/** Whether a PEM text is exactly one certificate of an authority that is understood here. */
export const isAuthorityCertificate = (pem: string): boolean => {
  const isOne = pem.split('-----BEGIN ').length === 2 && pem.trimStart().startsWith('-----BEGIN CERTIFICATE-----')
  const certificate = isOne ? parseCertificate(pem) : undefined
  return certificate !== undefined && isUnderstood(certificate) && mayIssue(certificate, 0)
}

const isIssuedBy = (certificate: Certificate, issuer: Certificate): boolean => {
  try {
    return certificate.signed.checkIssued(issuer.signed) && certificate.signed.verify(issuer.signed.publicKey)
  } catch {
    return false
  }
}

const keyOf = ({ signed }: Certificate): JWK => {
  const key = signed.publicKey.export({ format: 'jwk' }) as JWK
  return weaknessOf(key) === undefined ? key : refuseEvidence('key')
}

/** The certificates between the leaf and the authority, both included. @throws EvidenceRefusal chain */
const pathOf = (certificates: readonly Certificate[], authorities: readonly Certificate[]): readonly Certificate[] => {
  const last = certificates.at(-1) ?? refuseEvidence('chain')
  const isAuthority = certificates.length > 1 && authorities.some(({ der }) => der.equals(last.der))
  if (isAuthority) return certificates
  const issuer = authorities.find((authority) => isIssuedBy(last, authority)) ?? refuseEvidence('chain')
  return [...certificates, issuer]
}

const KINDS: Readonly<Record<string, string>> = { dns: 'dns', url: 'uri', email: 'email', ip: 'ip' }

const leafOf = (certificate: Certificate): Leaf => {
  const names = certificate.parsed.getExtension<SubjectAlternativeNameExtension>(SUBJECT_ALTERNATIVE_NAME)?.names.items ?? []
  return {
    key: keyOf(certificate),
    subject: certificate.parsed.subject,
    names: names.flatMap(({ type, value }) => (KINDS[type] === undefined ? [] : [`${KINDS[type]}:${value}`])),
    uris: names.flatMap(({ type, value }) => (type === 'url' ? [value] : [])),
    serial: normalSerial(certificate.parsed.serialNumber),
    fingerprint: Buffer.from(sha256(certificate.der)).toString('hex'),
  }
}

/** @throws EvidenceRefusal chain, validity, leaf, client_auth, revoked, key */
export const verifyChain = (x5c: unknown, { authorities, revokedSerials, now, clientAuth }: ChainChecks): Leaf => {
  const trusted = authorities.flatMap((source) => parseCertificate(source) ?? [])
  const path = pathOf(chainIn(x5c), trusted)
  const [leaf, ...issuers] = path
  if (leaf === undefined) return refuseEvidence('chain')
  path.slice(0, -1).forEach((certificate, at) => {
    const issuer = path[at + 1]
    requireEvidence(issuer !== undefined && isIssuedBy(certificate, issuer), 'chain')
  })
  requireEvidence(path.every(isUnderstood) && issuers.every((issuer, below) => mayIssue(issuer, below)), 'chain')
  requireEvidence(
    path.every((certificate) => isWithin(certificate, now)),
    'validity',
  )
  const usages = usagesOf(leaf)
  const isForSigning = usages === undefined || ((usages & KeyUsageFlags.digitalSignature) !== 0 && (usages & KeyUsageFlags.keyCertSign) === 0)
  requireEvidence(constraintsOf(leaf)?.ca !== true && isForSigning, 'leaf')
  const purposes = purposesOf(leaf)
  requireEvidence(purposes === undefined ? clientAuth === 'if_limited' : purposes.includes(CLIENT_AUTH), 'client_auth')
  requireEvidence(!path.some(({ parsed }) => revokedSerials.includes(normalSerial(parsed.serialNumber))), 'revoked')
  return leafOf(leaf)
}
