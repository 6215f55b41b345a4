// Creates a key pair with a self-signed certificate: SAML identity providers expect their partner's key in that form.
import 'reflect-metadata'
import { X509CertificateGenerator } from '@peculiar/x509'

const RSA = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', publicExponent: new Uint8Array([1, 0, 1]), modulusLength: 2048 } as const

export type SelfSignedPair = { readonly certificate: string; readonly privateKey: string }

const pem = (label: string, bytes: ArrayBuffer): string =>
  `-----BEGIN ${label}-----\n${(
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  ).join('\n')}\n-----END ${label}-----\n`

export const newSelfSignedPair = async (name: string, serialNumber: string, from: Date, until: Date): Promise<SelfSignedPair> => {
  const keys = await crypto.subtle.generateKey(RSA, true, ['sign', 'verify'])
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber,
    name: [{ CN: [name] }],
    notBefore: from,
    notAfter: until,
    signingAlgorithm: RSA,
    keys,
  })
  return {
    certificate: pem('CERTIFICATE', certificate.rawData),
    privateKey: pem('PRIVATE KEY', await crypto.subtle.exportKey('pkcs8', keys.privateKey)),
  }
}
