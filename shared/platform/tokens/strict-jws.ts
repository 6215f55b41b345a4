// Parses a compact JWS (RFC 7515 section 7.1) in exactly the encoding that this deployment writes. Everything optional in the specification (critical
// extensions, keys inside the token, other encodings of the same bytes) is refused before any key is read.

/** Longer than any token of ours, and short enough to parse cheaply. */
export const MAX_TOKEN_LENGTH = 8192

/** Exactly these members; `crit`, `b64`, `zip`, `jwk`, `jku`, `x5u`, `x5c` and any future member are refused. */
export type JwsHeader = { readonly alg: string; readonly kid: string; readonly typ: string }
export type StrictJws = { readonly header: JwsHeader; readonly payloadSegment: string }

/** Valid last characters of a final group of two or three: those without leftover bits (RFC 4648 section 3.5). */
const ENDS = ['', '', 'AQgw', 'AEIMQUYcgkosw048'] as const

/**
 * Decodes a segment in canonical base64url: no padding, no white space, no leftover bits. Node's decoder skips unknown ASCII, which the length check
 * detects; it also accepts `+` and `/` and truncates other characters, which are checked explicitly.
 */
export const canonicalBytes = (segment: string): Buffer | undefined => {
  const bytes = Buffer.from(segment, 'base64url')
  const remainder = segment.length % 4
  const isBase64Url = Buffer.byteLength(segment) === segment.length && !segment.includes('+') && !segment.includes('/')
  const isWhole = bytes.length === Math.floor((segment.length * 3) / 4)
  return isBase64Url && isWhole && remainder !== 1 && (remainder === 0 || ENDS[remainder]?.includes(segment.slice(-1)) === true) ? bytes : undefined
}

const REPLACEMENT = '\ufffd'

/**
 * The JSON object in a segment, if the segment is exactly our serialisation of it. That excludes duplicate members (RFC 8725 section 2.4: two parsers
 * may see different ones), white space, invalid UTF-8 and non-canonical base64url.
 */
export const objectIn = (segment: string): Readonly<Record<string, unknown>> | undefined => {
  const text = canonicalBytes(segment)?.toString('utf8')
  if (text === undefined) return undefined
  // Decoding replaces invalid UTF-8 with U+FFFD; the bytes show whether the character was sent.
  if (text.includes(REPLACEMENT) && Buffer.from(text).toString('base64url') !== segment) return undefined
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    return JSON.stringify(value) === text ? (value as Readonly<Record<string, unknown>>) : undefined
  } catch {
    return undefined
  }
}

const headerIn = (segment: string): JwsHeader | undefined => {
  const { alg, kid, typ, ...others } = objectIn(segment) ?? {}
  if (typeof alg !== 'string' || typeof kid !== 'string' || typeof typ !== 'string' || Object.keys(others).length > 0) return undefined
  return { alg, kid, typ }
}

/** Caches parsed headers: our tokens have a handful, one per key and kind. Unknown headers can at most empty the cache. */
const parsedHeaders = new Map<string, JwsHeader>()
const MAX_CACHED_HEADERS = 64
const MAX_CACHED_LENGTH = 256

const headerOf = (segment: string): JwsHeader | undefined => {
  const known = parsedHeaders.get(segment)
  if (known !== undefined) return known
  const header = headerIn(segment)
  if (header === undefined || segment.length > MAX_CACHED_LENGTH) return header
  if (parsedHeaders.size >= MAX_CACHED_HEADERS) parsedHeaders.clear()
  parsedHeaders.set(segment, header)
  return header
}

/** Undefined for any other encoding. Neither the payload nor the signature is examined here. */
export const parseStrictJws = (token: string): StrictJws | undefined => {
  if (token.length > MAX_TOKEN_LENGTH) return undefined
  const [headerSegment, payloadSegment, signature, ...more] = token.split('.', 4)
  if (!headerSegment || !payloadSegment || !signature || more.length > 0 || canonicalBytes(signature) === undefined) return undefined
  const header = headerOf(headerSegment)
  return header === undefined ? undefined : { header, payloadSegment }
}
