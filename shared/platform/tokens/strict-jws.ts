// A compact JWS (RFC 7515 section 7.1) as this deployment itself writes it, and in no other spelling. What the specification lets a verifier choose to
// accept (critical extensions, keys that travel with the token, other encodings of the same bytes) is refused before any key is looked at.

/** Far more than any token of ours, and little to read for nothing. */
export const MAX_TOKEN_LENGTH = 8192

/** Exactly these members: `crit`, `b64`, `zip`, `jwk`, `jku`, `x5u`, `x5c` and whatever comes next are refused by not being here. */
export type JwsHeader = { readonly alg: string; readonly kid: string; readonly typ: string }
export type StrictJws = { readonly header: JwsHeader; readonly payloadSegment: string }

/** How a last group of two or three characters may end: with no bits left over (RFC 4648 section 3.5). */
const ENDS = ['', '', 'AQgw', 'AEIMQUYcgkosw048'] as const

/**
 * The bytes of a segment in their one spelling: no padding, no white space, no bits left over. Of ASCII the decoder skips what
 * it does not know, which shows in how much comes out; the two characters of plain base64 it takes for ours, and others it cuts to their low byte.
 */
export const canonicalBytes = (segment: string): Buffer | undefined => {
  const bytes = Buffer.from(segment, 'base64url')
  const over = segment.length % 4
  const isOurs = Buffer.byteLength(segment) === segment.length && !segment.includes('+') && !segment.includes('/')
  const isWhole = bytes.length === Math.floor((segment.length * 3) / 4)
  return isOurs && isWhole && over !== 1 && (over === 0 || ENDS[over]?.includes(segment.slice(-1)) === true) ? bytes : undefined
}

const REPLACEMENT = '\ufffd'

/**
 * The JSON object in a segment, if the segment is just what we would write for that object. That leaves no room for a member that stands twice (RFC 8725
 * section 2.4: two readers may see different ones), for white space, for bytes that are no UTF-8, or for another base64url of the same bytes.
 */
export const objectIn = (segment: string): Readonly<Record<string, unknown>> | undefined => {
  const text = canonicalBytes(segment)?.toString('utf8')
  if (text === undefined) return undefined
  // Reading puts U+FFFD in the place of what is no UTF-8; where it stands, the bytes say whether it was sent.
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

/** Our tokens bear a handful of headers, one for each key and kind: each is read once. Strangers can at most empty this. */
const readHeaders = new Map<string, JwsHeader>()
const MOST_HEADERS = 64
const LONGEST_READ = 256

const headerOf = (segment: string): JwsHeader | undefined => {
  const known = readHeaders.get(segment)
  if (known !== undefined) return known
  const header = headerIn(segment)
  if (header === undefined || segment.length > LONGEST_READ) return header
  if (readHeaders.size >= MOST_HEADERS) readHeaders.clear()
  readHeaders.set(segment, header)
  return header
}

/** Undefined on anything but the one spelling. Neither the payload nor the signature is looked into here. */
export const parseStrictJws = (token: string): StrictJws | undefined => {
  if (token.length > MAX_TOKEN_LENGTH) return undefined
  const [headerSegment, payloadSegment, signature, ...more] = token.split('.', 4)
  if (!headerSegment || !payloadSegment || !signature || more.length > 0 || canonicalBytes(signature) === undefined) return undefined
  const header = headerOf(headerSegment)
  return header === undefined ? undefined : { header, payloadSegment }
}
