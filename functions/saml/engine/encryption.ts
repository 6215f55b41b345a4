// Encrypted assertions (XML Encryption 1.1). Decrypting unauthenticated input with a cipher without integrity allows padding-oracle attacks.
import { decryptXml } from '@node-saml/node-saml/lib/xml.js'
import { allElements, attributeOf, childrenOf, elementsIn, isElementNamed, onlyChild, plainXml, textOf } from '#shared/platform/xml/strict-xml'
import { refuseSaml, SAML, XENC } from './names.ts'

const GCM: ReadonlySet<string> = new Set(['http://www.w3.org/2009/xmlenc11#aes128-gcm', 'http://www.w3.org/2009/xmlenc11#aes256-gcm'])
/** Allowed only after the surrounding signature has been verified. */
const CBC: ReadonlySet<string> = new Set([`${XENC}aes128-cbc`, `${XENC}aes256-cbc`])
const KEY_TRANSPORT = `${XENC}rsa-oaep-mgf1p`
const SHORTEST_BYTES = 12 + 16 + 1

const only = (elements: readonly Element[], name: string): Element => {
  const [first, ...more] = elements.filter((element) => isElementNamed(element, XENC, name))
  return first === undefined || more.length > 0 ? refuseSaml(`not_one_${name}`) : first
}

const requireMethods = (encrypted: Element, isAuthenticated: boolean): void => {
  const data = onlyChild(encrypted, XENC, 'EncryptedData')
  const all = allElements(encrypted)
  const key = only(all, 'EncryptedKey')
  const cipher = attributeOf(onlyChild(data, XENC, 'EncryptionMethod'), 'Algorithm') ?? ''
  if (!GCM.has(cipher) && !(isAuthenticated && CBC.has(cipher))) refuseSaml('cipher')
  if (attributeOf(onlyChild(key, XENC, 'EncryptionMethod'), 'Algorithm') !== KEY_TRANSPORT) refuseSaml('key_transport')
  if (all.filter(({ localName }) => localName === 'CipherValue').length !== 2 || all.some(({ localName }) => localName === 'CipherReference')) {
    refuseSaml('cipher_data')
  }
  const value = textOf(onlyChild(onlyChild(data, XENC, 'CipherData'), XENC, 'CipherValue'))
  if (Buffer.from(value, 'base64').length < SHORTEST_BYTES) refuseSaml('cipher_data')
  const uris = all.filter(({ localName }) => localName === 'RetrievalMethod').map((element) => attributeOf(element, 'URI') ?? '')
  if (!uris.every((uri) => /^#[\w.-]+$/.test(uri))) refuseSaml('retrieval_method')
}

/** Decrypts the assertion with the first of our keys that fits. @throws XmlRefusal */
export const decryptAssertion = async (encrypted: Element, privateKeys: readonly string[], isAuthenticated: boolean): Promise<string> => {
  if (
    !isElementNamed(encrypted, SAML, 'EncryptedAssertion') ||
    elementsIn(encrypted).length > 1 + childrenOf(encrypted, XENC, 'EncryptedKey').length
  ) {
    refuseSaml('encrypted_form')
  }
  requireMethods(encrypted, isAuthenticated)
  for (const key of privateKeys) {
    const plain = await decryptXml(encrypted.toString(), key).catch(() => undefined)
    if (plain !== undefined) return plainXml(plain)
  }
  return refuseSaml('decryption')
}
