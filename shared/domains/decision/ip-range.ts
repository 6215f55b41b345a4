// IP addresses and CIDR blocks as numbers.
import { isIP, SocketAddress } from 'node:net'

export type IpAddress = { readonly family: 4 | 6; readonly value: bigint }
/** Inclusive at both ends. */
export type IpRange = { readonly family: 4 | 6; readonly from: bigint; readonly to: bigint }

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i

const valueOfV4 = (text: string): bigint => text.split('.').reduce((value, part) => (value << 8n) | BigInt(part), 0n)

const valueOfV6 = (text: string): bigint => {
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text)
  const low = dotted === null ? undefined : valueOfV4(dotted[2] ?? '')
  const [head = '', tail] = (
    dotted === null || low === undefined ? text : `${dotted[1]}${(low >> 16n).toString(16)}:${(low & 0xffffn).toString(16)}`
  ).split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const gap = tail === undefined ? [] : Array<string>(8 - left.length - right.length).fill('0')
  return [...left, ...gap, ...right].reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n)
}

/** Parses any spelling without a zone. An IPv4-mapped IPv6 address becomes the IPv4 address (RFC 4291 section 2.5.5.2). */
export const parseAddress = (text: string): IpAddress | undefined => {
  const family = isIP(text)
  if (family === 4) return { family, value: valueOfV4(text) }
  if (family !== 6 || text.includes('%')) return undefined
  const { address } = new SocketAddress({ address: text, family: 'ipv6' })
  const mapped = MAPPED.exec(address)?.[1]
  return mapped === undefined ? { family, value: valueOfV6(address) } : { family: 4, value: valueOfV4(mapped) }
}

/** Parses a CIDR block or a single address. Bits after the prefix must be zero: `10.0.0.1/8` is more likely a mistake than intended. */
export const parseRange = (text: string): IpRange | undefined => {
  const [host = '', length, ...rest] = text.split('/')
  const address = parseAddress(host)
  if (address === undefined || rest.length > 0 || (length !== undefined && !/^(?:0|[1-9]\d{0,2})$/.test(length))) return undefined
  const isMapped = address.family === 4 && host.includes(':')
  const bits = address.family === 4 ? 32 : 128
  const requested = length === undefined ? bits : Number(length) - (isMapped ? 96 : 0)
  if (requested < 0 || requested > bits) return undefined
  const hostMask = (1n << BigInt(bits - requested)) - 1n
  return (address.value & hostMask) === 0n ? { family: address.family, from: address.value, to: address.value | hostMask } : undefined
}

export const isInRange = (address: IpAddress, range: IpRange): boolean =>
  address.family === range.family && range.from <= address.value && address.value <= range.to
