// From the posted text to the signed assertion. Values outside the verified signature are passed on only for checks that can refuse.
import { getVerifiedXml } from '@node-saml/node-saml/lib/xml.js'
import { allElements, childrenOf, isElementNamed, parseXml, plainXml } from '#shared/platform/xml/strict-xml'
import { decryptAssertion } from './encryption.ts'
import { DSIG, refuseSaml, SAML, SAMLP } from './names.ts'
import { requireSignatureForms } from './signatures.ts'

export type ResponseTrust = {
  /** PEM; currently valid. */
  readonly certificates: readonly string[]
  readonly wantsAssertionSigned: boolean
  readonly wantsResponseSigned: boolean
  /** PKCS #8, for encrypted assertions. */
  readonly privateKeys: readonly string[]
}

export type VerifiedResponse = {
  /** The surrounding message. If unsigned, it can only cause a refusal. */
  readonly response: Element
  readonly isResponseSigned: boolean
  /** Parsed from exactly the bytes that were verified. */
  readonly assertion: Element
}

/** Decodes base64 of UTF-8, with or without line breaks. @throws XmlRefusal */
export const decodeResponse = (base64: string): string => {
  const compact = base64.replace(/[\r\n\t ]/g, '')
  if (compact === '' || !/^[A-Za-z0-9+/]+={0,2}$/.test(compact) || compact.length % 4 !== 0) refuseSaml('base64')
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(compact, 'base64'))
  } catch (error) {
    return refuseSaml('utf8', error)
  }
}

/** What the element's own signature covers; undefined if it has no signature. @throws XmlRefusal if the signature is invalid */
const verifiedPart = (text: string, element: Element, certificates: readonly string[]): Element | undefined => {
  if (childrenOf(element, DSIG, 'Signature').length === 0) return undefined
  let verified: string | null = null
  try {
    verified = getVerifiedXml(text, element, [...certificates])
  } catch (error) {
    refuseSaml('signature', error)
  }
  if (verified === null) return refuseSaml('signature')
  const part = parseXml(plainXml(verified))
  return isElementNamed(part, element.namespaceURI ?? '', element.localName) ? part : refuseSaml('signature_cover')
}

const readRoot = (text: string, namespace: string, name: string): Element => {
  const root = parseXml(text)
  if (!isElementNamed(root, namespace, name)) refuseSaml(`not_a_${name}`)
  requireSignatureForms(root)
  return root
}

/** Exactly one assertion in the whole document. */
const onlyAssertion = (response: Element): Element => {
  const places = [...childrenOf(response, SAML, 'Assertion'), ...childrenOf(response, SAML, 'EncryptedAssertion')]
  const named = allElements(response).filter(({ localName }) => localName === 'Assertion' || localName === 'EncryptedAssertion')
  const [assertion] = places
  return assertion === undefined || places.length !== 1 || named.length !== 1 ? refuseSaml('not_one_assertion') : assertion
}

type Signed = { readonly assertion: Element; readonly isOwnSignature: boolean }

const fromPlain = (text: string, found: Element, signedResponse: Element | undefined, trust: ResponseTrust): Signed => {
  const own = verifiedPart(text, found, trust.certificates)
  const assertion = own ?? (signedResponse === undefined ? undefined : onlyAssertion(signedResponse))
  return assertion === undefined ? refuseSaml('unsigned') : { assertion, isOwnSignature: own !== undefined }
}

const fromEncrypted = async (found: Element, signedResponse: Element | undefined, trust: ResponseTrust): Promise<Signed> => {
  const encrypted = signedResponse === undefined ? found : onlyAssertion(signedResponse)
  const text = await decryptAssertion(encrypted, trust.privateKeys, signedResponse !== undefined)
  const inner = readRoot(text, SAML, 'Assertion')
  if (allElements(inner).filter(({ localName }) => localName === 'Assertion').length !== 1) refuseSaml('not_one_assertion')
  const own = verifiedPart(text, inner, trust.certificates)
  if (own === undefined && signedResponse === undefined) refuseSaml('unsigned')
  return { assertion: own ?? inner, isOwnSignature: own !== undefined }
}

/** @throws XmlRefusal */
export const verifyResponse = async (xml: string, trust: ResponseTrust): Promise<VerifiedResponse> => {
  if (trust.certificates.length === 0) refuseSaml('no_valid_certificate')
  const text = plainXml(xml)
  const root = readRoot(text, SAMLP, 'Response')
  const found = onlyAssertion(root)
  const signedResponse = verifiedPart(text, root, trust.certificates)
  const signed = isElementNamed(found, SAML, 'Assertion')
    ? fromPlain(text, found, signedResponse, trust)
    : await fromEncrypted(found, signedResponse, trust)
  if (trust.wantsResponseSigned && signedResponse === undefined) refuseSaml('response_unsigned')
  if (trust.wantsAssertionSigned && !signed.isOwnSignature) refuseSaml('assertion_unsigned')
  return { response: signedResponse ?? root, isResponseSigned: signedResponse !== undefined, assertion: signed.assertion }
}
