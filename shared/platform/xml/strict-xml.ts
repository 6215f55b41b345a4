// Reads untrusted XML. Constructs on which parsers are known to disagree are refused before parsing, so that the text that is read is the text that was signed.
import { DOMParser } from '@xmldom/xmldom'

/** Why a document is refused: for the log, never for the caller. */
export class XmlRefusal extends Error {
  readonly reason: string
  constructor(reason: string, cause?: unknown) {
    super(reason, { cause })
    this.name = 'XmlRefusal'
    this.reason = reason
  }
}
const refuse = (reason: string, cause?: unknown): never => {
  throw new XmlRefusal(reason, cause)
}

const MOST_CHARACTERS = 256 * 1024
const MOST_ELEMENTS = 2000
const MOST_DEPTH = 24

const DECLARATION =
  /^\uFEFF?<\?xml\s+version=(?:"1\.0"|'1\.0')(?:\s+encoding=(?:"utf-8"|'utf-8'))?(?:\s+standalone=(?:"(?:yes|no)"|'(?:yes|no)'))?\s*\?>/i
/** Document types, comments, CDATA sections and processing instructions: constructs that two parsers may read differently. */
const MARKUP = /<[!?]/
const REFERENCE = /&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[\da-fA-F]{1,6});)/

/** Removes the XML declaration and normalizes line ends as parsers do (XML 1.0 section 2.11). @throws XmlRefusal */
export const plainXml = (text: string): string => {
  if (text.length > MOST_CHARACTERS) refuse('too_large')
  const body = text.replace(DECLARATION, '').replace(/\r\n?/g, '\n')
  if (MARKUP.test(body)) refuse('markup')
  if (REFERENCE.test(body)) refuse('entity')
  return body
}

const isElement = (node: Node): node is Element => node.nodeType === 1

export const elementsIn = (parent: Node): Element[] => {
  const found: Element[] = []
  for (let node = parent.firstChild; node !== null; node = node.nextSibling) if (isElement(node)) found.push(node)
  return found
}

/** Every element in document order, parents first. @throws XmlRefusal */
export const allElements = (root: Element): readonly Element[] => {
  const found: Element[] = []
  const open: (readonly [Element, number])[] = [[root, 1]]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [element, depth] = next
    if (depth > MOST_DEPTH || found.length >= MOST_ELEMENTS) refuse('too_deep')
    found.push(element)
    for (const child of elementsIn(element)) open.push([child, depth + 1])
  }
  return found
}

const ID = /^(?:ID|Id|id)$/
const idsOf = (element: Element): string[] =>
  [...Array(element.attributes.length).keys()].flatMap((n) => {
    const attribute = element.attributes.item(n)
    return attribute !== null && ID.test(attribute.localName) ? [attribute.value] : []
  })

/** Refuses duplicate ids: a reference must mean the same element to every implementation. */
const requireOwnIds = (elements: readonly Element[]): void => {
  const seen = new Set<string>()
  for (const id of elements.flatMap(idsOf)) {
    if (seen.has(id)) refuse('id_twice')
    seen.add(id)
  }
}

/** Parses text that passed `plainXml` and returns the root. @throws XmlRefusal on any error or warning of the parser */
export const parseXml = (plain: string): Element => {
  const complain = (message: string): never => refuse('malformed', message)
  const root = (() => {
    try {
      return new DOMParser({ errorHandler: { warning: complain, error: complain, fatalError: complain } }).parseFromString(plain, 'text/xml')
        ?.documentElement as Element | undefined
    } catch (error) {
      throw error instanceof XmlRefusal ? error : new XmlRefusal('malformed', error)
    }
  })()
  if (root === undefined || root === null) return refuse('malformed')
  requireOwnIds(allElements(root))
  return root
}

export const isElementNamed = (element: Element, namespace: string, name: string): boolean =>
  element.namespaceURI === namespace && element.localName === name

export const childrenOf = (parent: Element, namespace: string, name: string): Element[] =>
  elementsIn(parent).filter((element) => isElementNamed(element, namespace, name))

/** The only child of that name. @throws XmlRefusal if there is none or more than one */
export const onlyChild = (parent: Element, namespace: string, name: string): Element => {
  const [first, ...more] = childrenOf(parent, namespace, name)
  return first === undefined || more.length > 0 ? refuse(`not_one_${name}`) : first
}
/** The child of that name, if there is one. @throws XmlRefusal if there are more */
export const maybeChild = (parent: Element, namespace: string, name: string): Element | undefined =>
  childrenOf(parent, namespace, name).length === 0 ? undefined : onlyChild(parent, namespace, name)

/** The text of an element that contains only text. @throws XmlRefusal */
export const textOf = (element: Element): string => {
  for (let node = element.firstChild; node !== null; node = node.nextSibling) if (node.nodeType !== 3) refuse(`not_text_${element.localName}`)
  return (element.textContent ?? '').trim()
}

/** An attribute without a namespace; undefined if absent. */
export const attributeOf = (element: Element, name: string): string | undefined =>
  element.hasAttribute(name) ? (element.getAttribute(name) ?? '') : undefined
