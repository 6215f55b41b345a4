// Structural checks of a signature before it is verified (SAML 2.0 Core section 5.4): its position, its reference and its algorithms.
import { allElements, attributeOf, childrenOf, elementsIn, isElementNamed, onlyChild } from '#shared/platform/xml/strict-xml'
import { DSIG, refuseSaml, SAML, SAMLP } from './names.ts'

const EXCLUSIVE = 'http://www.w3.org/2001/10/xml-exc-c14n#'
const ENVELOPED = 'http://www.w3.org/2000/09/xmldsig#enveloped-signature'

/** RSA with SHA-2. SHA-1 allows collisions; with HMAC the key would be the public certificate. */
const SIGNATURES: ReadonlySet<string> = new Set([
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha512',
  'http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1',
])
const DIGESTS: ReadonlySet<string> = new Set(['http://www.w3.org/2001/04/xmlenc#sha256', 'http://www.w3.org/2001/04/xmlenc#sha512'])

/** Checks for exactly these children, in this order. */
const requireForm = (parent: Element, ...names: readonly string[]): readonly Element[] => {
  const found = elementsIn(parent)
  if (found.length !== names.length || !names.every((name, n) => found[n] !== undefined && isElementNamed(found[n], DSIG, name)))
    refuseSaml('signature_form')
  return found
}
const requireEmpty = (element: Element): void => {
  if (elementsIn(element).length > 0) refuseSaml('signature_form')
}
const algorithmOf = (element: Element): string => attributeOf(element, 'Algorithm') ?? ''

/** Enveloped signature, then exclusive canonicalization without comments. Any other transform could make the signed text differ from the text that is read. */
const requireTransforms = (transforms: Element): void => {
  const found = requireForm(transforms, 'Transform', 'Transform')
  if (found.map(algorithmOf).join(' ') !== `${ENVELOPED} ${EXCLUSIVE}`) refuseSaml('transform')
  for (const inner of found.flatMap((transform) => elementsIn(transform)))
    if (!isElementNamed(inner, EXCLUSIVE, 'InclusiveNamespaces')) refuseSaml('transform')
}

const requireReference = (reference: Element, signed: Element): void => {
  const id = attributeOf(signed, 'ID') ?? ''
  if (id === '' || attributeOf(reference, 'URI') !== `#${id}`) refuseSaml('signature_reference')
  requireForm(reference, 'Transforms', 'DigestMethod', 'DigestValue')
  requireTransforms(onlyChild(reference, DSIG, 'Transforms'))
  const digest = onlyChild(reference, DSIG, 'DigestMethod')
  requireEmpty(digest)
  if (!DIGESTS.has(algorithmOf(digest))) refuseSaml('digest_algorithm')
}

const requireGoodForm = (signature: Element, signed: Element): void => {
  const hasKey = childrenOf(signature, DSIG, 'KeyInfo').length > 0
  requireForm(signature, 'SignedInfo', 'SignatureValue', ...(hasKey ? ['KeyInfo'] : []))
  const info = onlyChild(signature, DSIG, 'SignedInfo')
  requireForm(info, 'CanonicalizationMethod', 'SignatureMethod', 'Reference')
  if (algorithmOf(onlyChild(info, DSIG, 'CanonicalizationMethod')) !== EXCLUSIVE) refuseSaml('canonicalization')
  const method = onlyChild(info, DSIG, 'SignatureMethod')
  requireEmpty(method)
  if (!SIGNATURES.has(algorithmOf(method))) refuseSaml('signature_algorithm')
  requireReference(onlyChild(info, DSIG, 'Reference'), signed)
}

/** A signature may stand in the message, or in an assertion that is the root or a direct child of the message. */
const maySign = (parent: Element, root: Element): boolean =>
  parent === root || (parent.parentNode === root && isElementNamed(root, SAMLP, 'Response') && isElementNamed(parent, SAML, 'Assertion'))

/** Checks that every signature of the document stands in an allowed place, once, in the allowed form. @throws XmlRefusal */
export const requireSignatureForms = (root: Element): void => {
  for (const element of allElements(root)) {
    if (element.localName !== 'Signature') continue
    const parent = element.parentNode as Element
    if (element.namespaceURI !== DSIG || !maySign(parent, root)) refuseSaml('signature_place')
    requireGoodForm(element, onlyParentOf(element, parent))
  }
}

const onlyParentOf = (signature: Element, parent: Element): Element =>
  onlyChild(parent, DSIG, 'Signature') === signature ? parent : refuseSaml('signature_twice')
