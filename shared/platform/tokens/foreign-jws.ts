// Parses a compact JWS (RFC 7515 section 7.1) of another issuer. Serialisers differ in white space and escapes, which are accepted; whatever two parsers could
// read differently is not: other base64 alphabets, leftover bits, invalid UTF-8, and duplicate members (RFC 8725 section 2.4).
import { canonicalBytes } from './strict-jws.ts'

export type JsonObject = Readonly<Record<string, unknown>>
export type ForeignJws = {
  readonly header: JsonObject
  readonly payload: JsonObject
  /** What the signature covers: the header and the payload as sent. */
  readonly signingInput: string
}

const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g

/** Whether no object of a valid JSON text has two members of one name. */
const hasDistinctMembers = (json: string): boolean => {
  const open: (Set<string> | undefined)[] = []
  let text = ''
  for (const [token] of json.matchAll(TOKENS)) {
    if (token === '{') open.push(new Set())
    else if (token === '[') open.push(undefined)
    else if (token === '}' || token === ']') open.pop()
    else if (token.startsWith('"')) text = JSON.parse(token) as string
    else if (token === ':') {
      const names = open.at(-1)
      if (names === undefined || names.has(text)) return false
      names.add(text)
    }
  }
  return true
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The object in a JSON text without duplicate members; undefined for anything else. */
export const distinctObject = (json: string): JsonObject | undefined => {
  try {
    const value: unknown = JSON.parse(json)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    return hasDistinctMembers(json) ? (value as JsonObject) : undefined
  } catch {
    return undefined
  }
}

const objectOf = (segment: string): JsonObject | undefined => {
  const bytes = canonicalBytes(segment)
  try {
    return bytes === undefined ? undefined : distinctObject(UTF8.decode(bytes))
  } catch {
    return undefined
  }
}

/** Undefined for anything that is not exactly one JWS. The signature is not verified. */
export const parseForeignJws = (token: string): ForeignJws | undefined => {
  const [headerSegment, payloadSegment, signature, ...more] = token.split('.', 4)
  if (!headerSegment || !payloadSegment || !signature || more.length > 0 || canonicalBytes(signature) === undefined) return undefined
  const [header, payload] = [objectOf(headerSegment), objectOf(payloadSegment)]
  return header === undefined || payload === undefined ? undefined : { header, payload, signingInput: `${headerSegment}.${payloadSegment}` }
}
