// Refuses input that no schema should have to consider: text that a database refuses, structures built to exhaust resources, names that reach
// prototypes.
import { AppError } from '#shared/kernel/errors'

const MAX_DEPTH = 32
const MAX_NAME = 64
const MAX_MEMBERS = 20_000
/** Of a form or a query. */
const MAX_PARAMETERS = 1000

const tooManyMembers = (field: string): AppError => new AppError('too_many_members', undefined, { field })

const badText = (text: string): boolean => text.includes('\0') || !text.isWellFormed()
const badName = (name: string): boolean => name === '__proto__' || badText(name)

/** Refuses null bytes and lone surrogates. */
export const requireValidText = (text: string, field: string): void => {
  if (badText(text)) throw new AppError('invalid_request', 'Text must be valid Unicode without null characters.', { field })
}

/** The secret half of an SDK client id. */
const SDK_SECRET = /~[0-9a-f]{64}/i

/** Proxies log URLs, so a URL must not contain a secret. */
const refuseSecret = (text: string, field: string): void => {
  if (SDK_SECRET.test(text)) throw new AppError('invalid_request', 'An SDK client id is a secret and must not appear in a URL.', { field })
}

type Node = { readonly value: object; readonly path: string; readonly depth: number }

const vetMember = (name: string, member: unknown, { path, depth }: Node): Node | undefined => {
  if (badName(name)) throw new AppError('invalid_request', 'The body has a member with a forbidden name.', { field: path })
  if (typeof member === 'boolean' || member === null) return undefined
  const at = (): string => (depth < 3 ? `${path}.${name.slice(0, MAX_NAME)}` : path)
  if (typeof member === 'string') {
    if (badText(member)) requireValidText(member, at())
    return undefined
  }
  if (typeof member === 'number') {
    if (!Number.isFinite(member)) throw new AppError('invalid_request', 'The number is too large.', { field: at() })
    return undefined
  }
  if (depth + 1 >= MAX_DEPTH) throw new AppError('invalid_request', 'The body is nested too deeply.', { field: at() })
  return { value: member as object, path: at(), depth: depth + 1 }
}

/**
 * Refuses, without recursion, nesting deeper than 32, `__proto__` as a name, numbers that JSON cannot represent, and text that Postgres cannot store.
 */
export const requireValidJson = (root: unknown): void => {
  const top = vetMember('body', root, { value: {}, path: '', depth: -1 })
  const open: Node[] = top === undefined ? [] : [{ ...top, path: 'body' }]
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    for (const [name, member] of Object.entries(node.value)) {
      const next = vetMember(name, member, node)
      if (next !== undefined) open.push(next)
    }
  }
}

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c]

/**
 * Refuses a text with more members and elements than any request needs: parsing and validating them would hold up all other requests. Only commas outside strings
 * are counted, so that this costs less than what it prevents; whether the text is JSON is for the parser.
 */
const requireFewMembers = (text: string): void => {
  if (text.length <= MAX_MEMBERS) return
  let members = 1
  for (let at = 0, isInString = false; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) isInString = !isInString
    else if (code === BACKSLASH && isInString) at++
    else if (code === COMMA && !isInString && ++members > MAX_MEMBERS) throw tooManyMembers('body')
  }
}

/** Parses and vets a JSON text. An empty text becomes an empty object, so that the schema can name what is missing. */
export const parseJson = (text: string): unknown => {
  if (text.trim() === '') return {}
  requireFewMembers(text)
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    // The parser's own message repeats the input.
    throw new AppError('invalid_json', undefined, { field: 'body' })
  }
  requireValidJson(parsed)
  return parsed
}

const decoded = (text: string, field: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new AppError('invalid_request', 'Percent-encoding must be valid UTF-8.', { field })
  }
}

/** Refuses malformed escapes, and escapes that decode to forbidden text. */
export const requireValidPercentText = (text: string, field: string): void => {
  const plain = text.includes('%') ? decoded(text, field) : text
  if (plain !== text) requireValidText(plain, field)
  refuseSecret(plain, field)
}

/**
 * Parses names and values of a query or an `application/x-www-form-urlencoded` body, each name once. The values of a name that may be repeated are separated by
 * spaces.
 * @throws AppError invalid_request, too_many_members
 */
export const parseFormPairs = (text: string, part: 'query' | 'form', repeatable: readonly string[] = []): ReadonlyMap<string, string> => {
  const pairs = new Map<string, string>()
  let read = 0
  for (const pair of text.split('&')) {
    if (pair === '') continue
    const at = pair.includes('=') ? pair.indexOf('=') : pair.length
    const name = decoded(pair.slice(0, at).replaceAll('+', ' '), part)
    if (badName(name)) throw new AppError('invalid_request', 'A parameter has a forbidden name.', { field: part })
    const field = `${part}.${name.slice(0, MAX_NAME)}`
    const value = decoded(pair.slice(at + 1).replaceAll('+', ' '), field)
    requireValidText(value, field)
    if (part === 'query') refuseSecret(value, field)
    read += 1
    if (read > MAX_PARAMETERS) throw tooManyMembers(part)
    const before = pairs.get(name)
    if (before !== undefined && !repeatable.includes(name)) {
      throw new AppError('invalid_request', `The parameter ${name.slice(0, MAX_NAME)} is repeated.`, { field })
    }
    pairs.set(name, before === undefined ? value : `${before} ${value}`)
  }
  return pairs
}

const UTF_8 = new TextDecoder('utf-8', { fatal: true })
const decodedBody = (bytes: Uint8Array): string => {
  try {
    return UTF_8.decode(bytes)
  } catch {
    throw new AppError('invalid_request', 'The body is not UTF-8.', { field: 'body' })
  }
}

/** A body that cannot be read to its end: the client has gone. */
const orClosed = <T>(reading: Promise<T>): Promise<T> =>
  reading.catch((error: unknown) => {
    throw new AppError('client_closed_request', undefined, {}, error)
  })

/**
 * Reads at most `maxBytes` of UTF-8. The server enforces a declared length, so such a body is read in one piece.
 * @throws AppError payload_too_large, client_closed_request, invalid_request
 */
export const readBodyText = async (request: Request, maxBytes: number): Promise<string> => {
  const declared = request.headers.get('content-length')
  if (Number(declared ?? '0') > maxBytes) throw new AppError('payload_too_large')
  if (declared !== null) {
    const bytes = await orClosed(request.arrayBuffer())
    if (bytes.byteLength > maxBytes) throw new AppError('payload_too_large')
    return decodedBody(new Uint8Array(bytes))
  }
  if (request.body === null) return ''
  const reader = request.body.getReader()
  const chunks: Uint8Array[] = []
  let size = 0
  for (let part = await orClosed(reader.read()); !part.done; part = await orClosed(reader.read())) {
    size += part.value.byteLength
    if (size > maxBytes) {
      await reader.cancel().catch(() => undefined)
      throw new AppError('payload_too_large')
    }
    chunks.push(part.value)
  }
  return decodedBody(Buffer.concat(chunks))
}
