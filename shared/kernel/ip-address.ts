// The caller's network address. Any client can send forwarding headers; only entries appended by a trusted proxy are believed.
import { BlockList, isIP, SocketAddress } from 'node:net'

/** Bounds that no honest chain of proxies exceeds; an entry may hold brackets, a zone and a port. */
const MAX_HOPS = 16
const MAX_ENTRY_LENGTH = 100

const familyOf = (address: string): 'ipv4' | 'ipv6' => (address.includes(':') ? 'ipv6' : 'ipv4')

/**
 * The canonical spelling of an address: IPv6 compressed and lower case (RFC 5952), without zone, and as IPv4 when it is a mapped one. Undefined for
 * text that is not an address.
 */
const normalAddress = (text: string): string | undefined => {
  const family = isIP(text)
  if (family === 4) return text
  if (family !== 6) return undefined
  const [withoutZone = ''] = text.split('%')
  const { address } = new SocketAddress({ address: withoutZone, family: 'ipv6' })
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(address)?.[1] ?? address
}

/** An entry as proxies write it (RFC 7239 section 6, without quotes): an address, optionally in brackets and with a port. */
const forwardedAddress = (entry: string): string | undefined => {
  if (entry.length > MAX_ENTRY_LENGTH) return undefined
  const text = entry.trim()
  const bracketed = /^\[([^\]]+)\](?::\d{1,5})?$/.exec(text)?.[1]
  if (bracketed !== undefined) return isIP(bracketed) === 6 ? normalAddress(bracketed) : undefined
  return normalAddress(/^([\d.]+):\d{1,5}$/.exec(text)?.[1] ?? text)
}

type Block = { readonly address: string; readonly length: number; readonly family: 'ipv4' | 'ipv6' }

/** An address or a CIDR block. A block that covers everything is refused: it would let any caller choose the address that limits count. */
const blockOf = (entry: string): Block | undefined => {
  const [address = '', prefix, ...rest] = entry.split('/')
  const bits = isIP(address) === 6 ? 128 : 32
  const length = prefix === undefined ? bits : /^\d{1,3}$/.test(prefix) ? Number(prefix) : 0
  if (isIP(address) === 0 || address.includes('%') || rest.length > 0 || length < 1 || length > bits) return undefined
  return { address, length, family: familyOf(address) }
}

/** Whether the text is a valid entry of TRUSTED_PROXIES. */
export const isAddressBlock = (entry: string): boolean => blockOf(entry) !== undefined

const lists = new WeakMap<readonly string[], BlockList>()
/** Built once per configuration. Invalid entries are left out and so trust no address. */
const listOf = (trustedProxies: readonly string[]): BlockList => {
  const known = lists.get(trustedProxies)
  if (known !== undefined) return known
  const list = new BlockList()
  for (const block of trustedProxies.map(blockOf)) if (block !== undefined) list.addSubnet(block.address, block.length, block.family)
  lists.set(trustedProxies, list)
  return list
}

const isTrusted = (address: string, trustedProxies: readonly string[]): boolean =>
  isIP(address) !== 0 && listOf(trustedProxies).check(address, familyOf(address))

/** The last believable hop, and the end of the part of the header that was not believed. */
const walkHops = (
  peer: string,
  forwardedFor: string | undefined,
  trustedProxies: readonly string[],
): { readonly hop: string; readonly end: number } => {
  let hop = normalAddress(peer) ?? peer
  let end = forwardedFor?.length ?? -1
  for (let hops = 0; end >= 0 && hops < MAX_HOPS && isTrusted(hop, trustedProxies); hops++) {
    const comma = end === 0 ? -1 : (forwardedFor ?? '').lastIndexOf(',', end - 1)
    const address = forwardedAddress((forwardedFor ?? '').slice(comma + 1, end))
    if (address === undefined) return { hop, end }
    hop = address
    end = comma
  }
  return { hop, end }
}

/**
 * The caller's address. `X-Forwarded-For` is read only from a trusted peer, from right to left past further trusted proxies: entries left of the
 * first untrusted address were written by that address. At a malformed entry the last good hop counts, so that nonsense does not earn a separate rate
 * limit.
 */
export const clientAddress = (peer: string, forwardedFor: string | undefined, trustedProxies: readonly string[]): string =>
  walkHops(peer, forwardedFor, trustedProxies).hop

/** Whether the header names an address that was ignored. A gateway that only repeats its own peer does not count. */
export const isForwardingIgnored = (peer: string, forwardedFor: string | undefined, trustedProxies: readonly string[]): boolean => {
  const { hop, end } = walkHops(peer, forwardedFor, trustedProxies)
  const ignored = forwardedFor?.slice(0, Math.max(end, 0)).trim()
  return Boolean(ignored) && forwardedAddress(ignored ?? '') !== hop
}

/**
 * The scheme between the caller and the nearest trusted proxy (the last value of `X-Forwarded-Proto`). Undefined when the peer is not trusted or the
 * header is unusable; the connection's own scheme applies then.
 */
export const forwardedProto = (peer: string, header: string | undefined, trustedProxies: readonly string[]): 'http' | 'https' | undefined => {
  if (header === undefined || !isTrusted(normalAddress(peer) ?? '', trustedProxies)) return undefined
  const last = header
    .slice(header.lastIndexOf(',') + 1)
    .trim()
    .toLowerCase()
  return last === 'https' || last === 'http' ? last : undefined
}

const MAX_PLACE_LENGTH = 60

/** Header bytes arrive as Latin-1 (RFC 9110 section 5.5), but edges write UTF-8 into them. */
const utf8Of = (value: string): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(value, 'latin1'))
  } catch {
    return value
  }
}

/**
 * The caller's place: the city and country headers of the trusted edge, joined. Empty when the peer is not trusted or the headers are absent.
 * PLACE_HEADERS must name only headers that the edge overwrites: it passes on the caller's text in all others.
 */
export const forwardedPlace = (peer: string, values: readonly (string | undefined)[], trustedProxies: readonly string[]): string => {
  if (values.every((value) => value === undefined) || !isTrusted(normalAddress(peer) ?? '', trustedProxies)) return ''
  const words = values.map((value) =>
    [
      ...utf8Of(value ?? '')
        .replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '')
        .trim(),
    ]
      .slice(0, MAX_PLACE_LENGTH)
      .join(''),
  )
  return words.filter((word) => word !== '').join(', ')
}

/** The first four groups of a canonical IPv6 address. */
const networkOf = (address: string): string => {
  const [head = '', tail] = address.split('::')
  const left = head === '' ? [] : head.split(':')
  // A dotted end stands for two groups, neither of which is among the first four.
  const right = tail === undefined || tail === '' ? [] : tail.replace(/\d+\.\d+\.\d+\.\d+$/, '0:0').split(':')
  const gap = tail === undefined ? [] : Array<string>(8 - left.length - right.length).fill('0')
  return [...left, ...gap, ...right].slice(0, 4).join(':')
}

/**
 * The key by which limits count: the whole IPv4 address, the /64 of an IPv6 address (one subscriber owns all of it), and a single key for text that
 * is not an address.
 */
export const rateLimitKeyOf = (address: string): string => {
  const normal = normalAddress(address)
  if (normal === undefined) return 'unknown'
  return familyOf(normal) === 'ipv4' ? normal : `${networkOf(normal)}::/64`
}
