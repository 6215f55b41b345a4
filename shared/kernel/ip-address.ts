// Who is at the other end. Anybody can send forwarding headers; what a trusted proxy appended, and that alone, counts.
import { BlockList, isIP, SocketAddress } from 'node:net'

/** No header of honest proxies names more hops, nor is an address with brackets, zone and port longer. */
const MAX_HOPS = 16
const MAX_ENTRY_LENGTH = 100

const familyOf = (address: string): 'ipv4' | 'ipv6' => (address.includes(':') ? 'ipv6' : 'ipv4')

/**
 * The one spelling of an address: IPv6 compressed and in lower case (RFC 5952), without zone, and as IPv4 where it is a mapped one. Undefined for
 * anything that is not an address.
 */
const normalAddress = (text: string): string | undefined => {
  const family = isIP(text)
  if (family === 4) return text
  if (family !== 6) return undefined
  const [withoutZone = ''] = text.split('%')
  const { address } = new SocketAddress({ address: withoutZone, family: 'ipv6' })
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(address)?.[1] ?? address
}

/** As proxies write it (RFC 7239 section 6 without quotes): an address, perhaps in brackets, perhaps with a port. */
const forwardedAddress = (entry: string): string | undefined => {
  if (entry.length > MAX_ENTRY_LENGTH) return undefined
  const text = entry.trim()
  const bracketed = /^\[([^\]]+)\](?::\d{1,5})?$/.exec(text)?.[1]
  if (bracketed !== undefined) return isIP(bracketed) === 6 ? normalAddress(bracketed) : undefined
  return normalAddress(/^([\d.]+):\d{1,5}$/.exec(text)?.[1] ?? text)
}

type Block = { readonly address: string; readonly length: number; readonly family: 'ipv4' | 'ipv6' }

/** An address, or a CIDR block of less than everything: with that any caller could name the address that it is counted by. */
const blockOf = (entry: string): Block | undefined => {
  const [address = '', prefix, ...rest] = entry.split('/')
  const bits = isIP(address) === 6 ? 128 : 32
  const length = prefix === undefined ? bits : /^\d{1,3}$/.test(prefix) ? Number(prefix) : 0
  if (isIP(address) === 0 || address.includes('%') || rest.length > 0 || length < 1 || length > bits) return undefined
  return { address, length, family: familyOf(address) }
}

/** Whether TRUSTED_PROXIES may hold it. */
export const isAddressBlock = (entry: string): boolean => blockOf(entry) !== undefined

const lists = new WeakMap<readonly string[], BlockList>()
/** Made once a configuration. What is no block trusts nobody. */
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

/** The last hop that is believed, and where in the header that begins which is not. */
const walked = (
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
 * The caller's address. `X-Forwarded-For` is read only when the peer is a trusted proxy, from right to left past further trusted ones: what stands left
 * of the first stranger was written by the stranger. At a malformed entry the last hop that was good counts, so nonsense earns no budget of its own.
 */
export const clientAddress = (peer: string, forwardedFor: string | undefined, trustedProxies: readonly string[]): string =>
  walked(peer, forwardedFor, trustedProxies).hop

/** Whether the header names somebody who does not count. That a gateway writes down the caller itself is no such word. */
export const isForwardingIgnored = (peer: string, forwardedFor: string | undefined, trustedProxies: readonly string[]): boolean => {
  const { hop, end } = walked(peer, forwardedFor, trustedProxies)
  const ignored = forwardedFor?.slice(0, Math.max(end, 0)).trim()
  return Boolean(ignored) && forwardedAddress(ignored ?? '') !== hop
}

/**
 * The scheme that the caller spoke to the nearest trusted proxy (the last value of `X-Forwarded-Proto`). Undefined when the peer is not trusted or says
 * neither; then the connection's own scheme is the answer.
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

/** A header's bytes arrive as Latin-1 (RFC 9110 section 5.5), and edges write UTF-8 into them. */
const utf8Of = (value: string): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(value, 'latin1'))
  } catch {
    return value
  }
}

/**
 * Where the caller is, in the words of the trusted edge: its city and country headers, joined. Empty when the peer is not trusted or says nothing. Only
 * headers that the edge overwrites may be read (PLACE_HEADERS): one that it passes on holds what the caller wrote.
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

/** The first four groups of an IPv6 address in its one spelling. */
const networkOf = (address: string): string => {
  const [head = '', tail] = address.split('::')
  const left = head === '' ? [] : head.split(':')
  // A dotted end stands for two groups; neither is among the first four.
  const right = tail === undefined || tail === '' ? [] : tail.replace(/\d+\.\d+\.\d+\.\d+$/, '0:0').split(':')
  const gap = tail === undefined ? [] : Array<string>(8 - left.length - right.length).fill('0')
  return [...left, ...gap, ...right].slice(0, 4).join(':')
}

/** What a limit counts by: IPv4 whole, IPv6 by its /64 (one subscriber has all of that), and one counter for all that is no address. */
export const rateLimitKeyOf = (address: string): string => {
  const normal = normalAddress(address)
  if (normal === undefined) return 'unknown'
  return familyOf(normal) === 'ipv4' ? normal : `${networkOf(normal)}::/64`
}
