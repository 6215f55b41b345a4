// Decides which addresses a tenant's URL may resolve to: public unicast addresses only. Addresses of our own network, of metadata services and
// unroutable addresses are refused.
import { BlockList, isIP } from 'node:net'

/** IANA special-purpose registry (RFC 6890 and its updates), multicast, reserved space, and cloud metadata services at public addresses. */
const REFUSED_IPV4 = [
  '0.0.0.0/8', // this network
  '10.0.0.0/8',
  '100.64.0.0/10', // shared address space; also a cloud's metadata (100.100.100.200)
  '127.0.0.0/8',
  '168.63.129.16/32', // the host agent of a cloud, at a public address
  '169.254.0.0/16', // link-local; metadata (169.254.169.254, .170.2)
  '172.16.0.0/12',
  '192.0.0.0/24', // protocol assignments; also a cloud's metadata (192.0.0.192)
  '192.0.2.0/24', // documentation
  '192.88.99.0/24', // 6to4 relays
  '192.168.0.0/16',
  '198.18.0.0/15', // benchmarks
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, broadcast
] as const

/** Global unicast (RFC 4291 section 2.4). All else is refused: mapped and NAT64 addresses, unique local, link-local, multicast. */
const GLOBAL_IPV6 = '2000::/3'
/** Refused inside global unicast: ranges that embed IPv4 addresses (Teredo, 6to4), and those for documentation and benchmarks. */
const REFUSED_IPV6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'] as const

const listOf = (blocks: readonly string[], family: 'ipv4' | 'ipv6'): BlockList => {
  const list = new BlockList()
  for (const block of blocks) {
    const [address = '', length] = block.split('/')
    list.addSubnet(address, Number(length), family)
  }
  return list
}
const refusedIpv4 = listOf(REFUSED_IPV4, 'ipv4')
const globalIpv6 = listOf([GLOBAL_IPV6], 'ipv6')
const refusedIpv6 = listOf(REFUSED_IPV6, 'ipv6')
const loopbackIpv4 = listOf(['127.0.0.0/8'], 'ipv4')

/** Whether an address is routed on the public internet. IPv4 addresses in IPv6 form are refused. */
export const isPublicAddress = (address: string): boolean => {
  const family = isIP(address)
  if (family === 4) return !refusedIpv4.check(address, 'ipv4')
  // A zone refers to a local interface.
  if (family !== 6 || address.includes('%')) return false
  return globalIpv6.check(address, 'ipv6') && !refusedIpv6.check(address, 'ipv6')
}

export const isLoopback = (address: string): boolean => (isIP(address) === 4 ? loopbackIpv4.check(address, 'ipv4') : address === '::1')
