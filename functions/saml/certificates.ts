// Certificates of identity providers: they carry a public key that an administrator pinned. The issuer is not checked; the validity dates are.
import { X509Certificate } from 'node:crypto'
import { AppError } from '#shared/kernel/errors'

const BLOCK = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+?-----END CERTIFICATE-----/g
const MOST = 5
const SHORTEST_BITS = 2048

const parsed = (pem: string): X509Certificate | undefined => {
  try {
    return new X509Certificate(pem)
  } catch {
    return undefined
  }
}

const refused = (why: string): AppError => new AppError('invalid_request', `body.certificate: ${why}`, { field: 'body.certificate' })

/** Bare base64 without PEM lines, as metadata and many consoles show it, is read as one certificate. */
const blocksIn = (text: string): readonly string[] => {
  const bare = text.replace(/\s/g, '')
  if (/^[A-Za-z0-9+/]+={0,2}$/.test(bare)) return [`-----BEGIN CERTIFICATE-----\n${bare}\n-----END CERTIFICATE-----`]
  return text.replace(BLOCK, '').trim() === '' ? (text.match(BLOCK) ?? []) : []
}

/**
 * Normalizes one certificate, or several concatenated ones while the provider rotates its key.
 * @throws AppError invalid_request
 */
export const readCertificates = (text: string): readonly string[] => {
  const blocks = blocksIn(text)
  if (blocks.length === 0 || blocks.length > MOST) throw refused(`one to ${MOST} certificates in PEM and no other text`)
  return blocks.map((block) => {
    const certificate = parsed(block)
    if (certificate === undefined) throw refused('the certificate cannot be read')
    const { asymmetricKeyType, asymmetricKeyDetails } = certificate.publicKey
    if (asymmetricKeyType !== 'rsa' || (asymmetricKeyDetails?.modulusLength ?? 0) < SHORTEST_BITS) {
      throw refused(`its key must be RSA of at least ${SHORTEST_BITS} bits`)
    }
    return certificate.toString()
  })
}

/** Certificates within their validity period. */
export const certificatesValidAt = (certificates: readonly string[], now: Date): readonly string[] =>
  certificates.filter((pem) => {
    const certificate = parsed(pem)
    return certificate !== undefined && new Date(certificate.validFrom) <= now && now <= new Date(certificate.validTo)
  })
