// A SAML identity provider for tests that signs anything, correctly or not.
import { randomUUID } from 'node:crypto'
import { inflateRawSync } from 'node:zlib'
import { SignedXml } from 'xml-crypto'
import { type EncryptionAlgorithm, encrypt, type KeyEncryptionAlgorithm } from 'xml-encryption'
import { newSelfSignedPair } from '#shared/platform/crypto/self-signed'

const EXCLUSIVE = 'http://www.w3.org/2001/10/xml-exc-c14n#'
const ENVELOPED = 'http://www.w3.org/2000/09/xmldsig#enveloped-signature'
export const RSA_SHA256 = 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256'
export const SHA256 = 'http://www.w3.org/2001/04/xmlenc#sha256'
export const GCM = 'http://www.w3.org/2009/xmlenc11#aes256-gcm'

export type Pair = { readonly certificate: string; readonly privateKey: string }
const pairs = new Map<string, Promise<Pair>>()
/** Generated once per worker: whether a key is trusted depends on the pinned certificate. */
export const keyPair = (name: string, from = new Date('2026-01-01T00:00:00Z'), until = new Date('2027-01-01T00:00:00Z')): Promise<Pair> => {
  const known = pairs.get(name) ?? newSelfSignedPair(name, '0100', from, until)
  pairs.set(name, known)
  return known
}

export type ReceivedAuthnRequest = {
  readonly id: string
  readonly issuer: string
  readonly acs: string
  readonly destination: string
  readonly xml: string
  readonly relayState: string
}

/** The contents of the redirect URL. */
export const readRequest = (url: string): ReceivedAuthnRequest => {
  const query = new URL(url).searchParams
  const xml = inflateRawSync(Buffer.from(query.get('SAMLRequest') ?? '', 'base64')).toString()
  const attribute = (name: string): string => new RegExp(` ${name}="([^"]*)"`).exec(xml)?.[1] ?? ''
  return {
    id: attribute('ID'),
    issuer: /<saml:Issuer[^>]*>([^<]*)</.exec(xml)?.[1] ?? '',
    acs: attribute('AssertionConsumerServiceURL'),
    destination: attribute('Destination'),
    xml,
    relayState: query.get('RelayState') ?? '',
  }
}

export type AssertionContent = {
  readonly issuer: string
  readonly audience: string
  readonly recipient: string
  readonly destination?: string | undefined
  readonly inResponseTo?: string | undefined
  readonly subjectInResponseTo?: string | undefined
  readonly now: Date
  readonly nameId: string
  readonly nameIdFormat?: string
  /** As XML, in place of the name identifier's text. */
  readonly nameIdXml?: string
  readonly assertionId?: string
  readonly responseId?: string
  readonly attributes?: Readonly<Record<string, readonly string[]>>
  readonly context?: string
  readonly status?: string
  readonly issuedAt?: Date
  readonly notBefore?: Date
  readonly notOnOrAfter?: Date | undefined
  readonly responseIssuer?: string
  readonly method?: string
  readonly version?: string
  /** Additional elements of the assertion's Conditions. */
  readonly conditions?: string
  readonly withoutAudience?: boolean
  readonly sessionEnds?: Date
}

const fresh = (name: string): string => `_${name}-${randomUUID()}`
const at = (date: Date): string => date.toISOString()
const shifted = (date: Date, seconds: number): Date => new Date(date.getTime() + seconds * 1000)
const attribute = (name: string, value: string | undefined): string => (value === undefined ? '' : ` ${name}="${value}"`)
const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

export const assertionXml = (said: AssertionContent): string => {
  const { now } = said
  const issued = said.issuedAt ?? now
  const ends = 'notOnOrAfter' in said ? said.notOnOrAfter : shifted(now, 300)
  const attributes = Object.entries(said.attributes ?? {})
    .map(
      ([name, values]) =>
        `<saml:Attribute Name="${name}">${values.map((value) => `<saml:AttributeValue>${escaped(value)}</saml:AttributeValue>`).join('')}</saml:Attribute>`,
    )
    .join('')
  return [
    `<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="${said.assertionId ?? fresh('a')}" Version="${said.version ?? '2.0'}" IssueInstant="${at(issued)}">`,
    `<saml:Issuer>${said.issuer}</saml:Issuer>`,
    `<saml:Subject><saml:NameID Format="${said.nameIdFormat ?? 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent'}">${said.nameIdXml ?? escaped(said.nameId)}</saml:NameID>`,
    `<saml:SubjectConfirmation Method="${said.method ?? 'urn:oasis:names:tc:SAML:2.0:cm:bearer'}"><saml:SubjectConfirmationData${attribute('Recipient', said.recipient)}${attribute('NotOnOrAfter', ends && at(ends))}${attribute('InResponseTo', 'subjectInResponseTo' in said ? said.subjectInResponseTo : said.inResponseTo)}/></saml:SubjectConfirmation></saml:Subject>`,
    `<saml:Conditions NotBefore="${at(said.notBefore ?? shifted(now, -30))}"${attribute('NotOnOrAfter', ends && at(ends))}>${said.withoutAudience === true ? '' : `<saml:AudienceRestriction><saml:Audience>${said.audience}</saml:Audience></saml:AudienceRestriction>`}${said.conditions ?? ''}</saml:Conditions>`,
    `<saml:AuthnStatement AuthnInstant="${at(issued)}"${attribute('SessionNotOnOrAfter', said.sessionEnds && at(said.sessionEnds))}><saml:AuthnContext><saml:AuthnContextClassRef>${said.context ?? 'urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport'}</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>`,
    attributes === '' ? '' : `<saml:AttributeStatement>${attributes}</saml:AttributeStatement>`,
    '</saml:Assertion>',
  ].join('')
}

/** The message around its contents. */
export const responseXml = (said: AssertionContent, inner: string): string =>
  [
    `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="${said.responseId ?? fresh('r')}" Version="2.0" IssueInstant="${at(said.now)}"${attribute('Destination', said.destination)}${attribute('InResponseTo', said.inResponseTo)}>`,
    `<saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">${said.responseIssuer ?? said.issuer}</saml:Issuer>`,
    `<samlp:Status><samlp:StatusCode Value="${said.status ?? 'urn:oasis:names:tc:SAML:2.0:status:Success'}"/></samlp:Status>`,
    inner,
    '</samlp:Response>',
  ].join('')

export type Signing = {
  readonly key: Pair
  readonly algorithm?: string
  readonly digest?: string
  readonly transforms?: readonly string[]
  readonly canonicalization?: string
}

/** Signs the element of that name, after its issuer. */
export const signedXml = (xml: string, element: 'Assertion' | 'Response', signing: Signing): string => {
  const where = element === 'Response' ? `/*[local-name(.)='Response']` : `//*[local-name(.)='Assertion']`
  const { algorithm = RSA_SHA256, digest = SHA256, transforms = [ENVELOPED, EXCLUSIVE], canonicalization = EXCLUSIVE, key } = signing
  const signature = new SignedXml({
    privateKey: key.privateKey,
    publicCert: key.certificate,
    signatureAlgorithm: algorithm,
    canonicalizationAlgorithm: canonicalization as typeof EXCLUSIVE,
  })
  signature.addReference({ xpath: where, transforms: [...transforms], digestAlgorithm: digest })
  signature.computeSignature(xml, { prefix: 'ds', location: { reference: `${where}/*[local-name(.)='Issuer']`, action: 'after' } })
  return signature.getSignedXml()
}

/** An HMAC with the provider's certificate as its key: accepted by a verifier that lets the message choose the algorithm. */
export const hmacSignedXml = (xml: string, secret: string): string => {
  const signature = new SignedXml({ privateKey: secret, canonicalizationAlgorithm: EXCLUSIVE })
  signature.enableHMAC()
  signature.signatureAlgorithm = 'http://www.w3.org/2000/09/xmldsig#hmac-sha1'
  signature.addReference({ xpath: `//*[local-name(.)='Assertion']`, transforms: [ENVELOPED, EXCLUSIVE], digestAlgorithm: SHA256 })
  signature.computeSignature(xml, {
    prefix: 'ds',
    location: { reference: `//*[local-name(.)='Assertion']/*[local-name(.)='Issuer']`, action: 'after' },
  })
  return signature.getSignedXml()
}

/** The subject of the certificate. */
export const encrypted = async (
  assertion: string,
  certificate: string,
  cipher: EncryptionAlgorithm = GCM,
  keyTransport: KeyEncryptionAlgorithm = 'http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p',
): Promise<string> => {
  const data = await new Promise<string>((resolve, reject) =>
    encrypt(
      assertion,
      { rsa_pub: certificate, pem: certificate, encryptionAlgorithm: cipher, keyEncryptionAlgorithm: keyTransport, warnInsecureAlgorithm: false },
      (error, result) => (error ? reject(error) : resolve(result)),
    ),
  )
  return `<saml:EncryptedAssertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">${data}</saml:EncryptedAssertion>`
}

export const base64 = (xml: string): string => Buffer.from(xml).toString('base64')
