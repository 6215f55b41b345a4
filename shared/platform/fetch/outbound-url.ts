// Validates URLs that tenants configure: https, a canonical host name, a usual port, and no credentials.
import { isIP } from 'node:net'
import { isLoopback } from './addresses.ts'

export type UrlRefusal = 'malformed' | 'scheme' | 'credentials' | 'host' | 'port' | 'fragment' | 'spelling' | 'too_long'

const MOST_CHARACTERS = 2048
const PORTS: ReadonlySet<string> = new Set(['', '443', '8443'])
const LABEL = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/
/** Names that no public resolver should answer (RFC 6761, RFC 6762, RFC 8375, RFC 9476); their addresses are checked as well. */
const PRIVATE_NAMES = /(^|\.)(localhost|local|internal|intranet|lan|home\.arpa|test|invalid|example|onion|alt)$/

const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '')
/** `localhost` or a loopback address. */
export const isLocalHost = (url: URL): boolean => url.hostname === 'localhost' || isLoopback(hostOf(url))

const isPublicName = (host: string): boolean => {
  const labels = host.split('.')
  // The last label of a name is never a number; that would be an address in decimal, octal or hexadecimal.
  return labels.length >= 2 && host.length <= 253 && labels.every((label) => LABEL.test(label)) && !/^\d|^0x/.test(labels.at(-1) ?? '')
}

/**
 * The URL's text must match its parsed form, so that octal addresses, full-width letters, tabs and backslashes never pass and no two parsers disagree
 * about the host.
 */
const isTypedAsRead = (typed: string, url: URL): boolean => {
  const head = `${url.protocol}//${url.host}`
  const rest = typed.slice(head.length)
  return typed.slice(0, head.length).toLowerCase() === head && (rest === '' || /^[/?]/.test(rest) || /^:443([/?]|$)/.test(rest))
}

/** The parsed URL, or why it is refused. With `loopback` (development), http, any port and loopback hosts are accepted too. */
export const checkOutboundUrl = (typed: string, { loopback }: { readonly loopback: boolean }): URL | UrlRefusal => {
  if (typed.length > MOST_CHARACTERS) return 'too_long'
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  if (/[\u0000-\u0020\u007f-\u{10ffff}\\]/u.test(typed) || !URL.canParse(typed)) return 'malformed'
  const url = new URL(typed)
  const isLocal = loopback && isLocalHost(url)
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLocal)) return 'scheme'
  if (/^[^/]*\/\/[^/?#]*@/.test(typed)) return 'credentials'
  if (typed.includes('#')) return 'fragment'
  if (!isTypedAsRead(typed, url)) return 'spelling'
  if (isLocal) return url
  if (isIP(hostOf(url)) !== 0 || !isPublicName(url.hostname) || (PRIVATE_NAMES.test(url.hostname) && !loopback)) return 'host'
  return PORTS.has(url.port) || loopback ? url : 'port'
}
