import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { readConfig } from './config.ts'
import { clientAddress, forwardedProto, isForwardingIgnored, rateLimitKeyOf } from './ip-address.ts'

const trusted = ['10.0.0.0/8', '192.0.2.7', '2001:db8:ffff::/48', '::1']
const client = (peer: string, forwardedFor?: string): string => clientAddress(peer, forwardedFor, trusted)

const CLIENT = '203.0.113.9'
const anyIPv4 = fc.ipV4()
const untrusted = fc.oneof(anyIPv4, fc.ipV6()).filter((address) => clientAddress(address, '192.0.2.200', trusted) !== '192.0.2.200')
const proxies = fc.constantFrom('10.0.0.1', '10.255.1.2', '192.0.2.7', '2001:db8:ffff:1::5', '::1', '::ffff:10.0.0.3')
/** Text that an attacker may prepend: anything, including whole chains of our own proxies. */
const anything = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.array(fc.oneof(anyIPv4, proxies)).map((all) => all.join(', ')),
)

test('X-Forwarded-For from an untrusted peer is ignored', () => {
  fc.assert(
    fc.property(untrusted, anything, (peer, header) => {
      expect(client(peer, header)).toBe(client(peer))
    }),
  )
  expect(clientAddress('10.0.0.1', CLIENT, [])).toBe('10.0.0.1')
})

test('entries that the caller prepends never change the address that the proxy appended', () => {
  fc.assert(
    fc.property(proxies, anything, untrusted, fc.array(proxies, { maxLength: 5 }), (peer, spoofed, caller, chain) => {
      expect(client(peer, [spoofed, caller, ...chain].join(', '))).toBe(client(caller))
    }),
  )
})

test('an ignored forwarded address is reported, unless a gateway only repeats its own peer', () => {
  const ignored = (peer: string, header?: string) => isForwardingIgnored(peer, header, trusted)
  for (const [peer, header] of [
    [CLIENT, '198.51.100.66'],
    [CLIENT, 'nonsense'],
    [CLIENT, `198.51.100.66, ${CLIENT}`],
    ['10.0.0.1', `198.51.100.66, ${CLIENT}`],
    ['10.0.0.1', `${CLIENT}, nonsense`],
    ['', CLIENT],
  ] as const)
    expect(ignored(peer, header), `${peer}: ${header}`).toBe(true)
  for (const [peer, header] of [
    [CLIENT, undefined],
    [CLIENT, ''],
    [CLIENT, CLIENT],
    ['10.0.0.1', CLIENT],
    ['10.0.0.1', `${CLIENT}, 10.0.0.2`],
    ['2001:db8::1', '2001:DB8:0::1'],
  ] as const)
    expect(ignored(peer, header), `${peer}: ${header}`).toBe(false)
})

test('it never throws and returns a valid address or the unchanged peer', () => {
  fc.assert(
    fc.property(fc.oneof(proxies, fc.string()), fc.option(anything, { nil: undefined }), (peer, header) => {
      const address = client(peer, header)
      expect(address === peer || rateLimitKeyOf(address) !== 'unknown').toBe(true)
      expect(client(address)).toBe(address)
    }),
  )
})

test.each([
  ['no header', undefined, '10.0.0.1'],
  ['one hop', CLIENT, CLIENT],
  ['a further trusted hop is skipped', `${CLIENT}, 192.0.2.7, 10.9.9.9`, CLIENT],
  ['the rightmost untrusted hop wins', `1.1.1.1, ${CLIENT}, 10.9.9.9`, CLIENT],
  ['all hops are trusted: the farthest', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
  ['with a port', `${CLIENT}:49152`, CLIENT],
  ['IPv6 in any spelling', '2001:DB8:0:0::0001', '2001:db8::1'],
  ['IPv6 in brackets', '[2001:db8::1]', '2001:db8::1'],
  ['IPv6 in brackets with a port', '[2001:db8::1]:443', '2001:db8::1'],
  ['IPv6 with a zone', 'fe80::1%eth0', 'fe80::1'],
  ['IPv4 mapped into IPv6', '::ffff:203.0.113.9', CLIENT],
  ['the same in hexadecimal', '::FFFF:cb00:7109', CLIENT],
  ['the same with a zone', '[::ffff:203.0.113.9%1]:80', CLIENT],
  ['a trusted hop in mapped form is skipped', `${CLIENT}, ::ffff:0a00:0001`, CLIENT],
])('from a trusted peer: %s', (_, header, expected) => {
  expect(client('10.0.0.1', header)).toBe(expected)
  expect(client('::ffff:10.0.0.1', header)).toBe(expected)
})

test.each([
  ['empty', ''],
  ['blank', '  '],
  ['a word', 'unknown'],
  ['an obfuscated name', '_hidden'],
  ['an empty end', `${CLIENT},`],
  ['leading zeros', '203.0.113.09'],
  ['three parts', '203.0.113'],
  ['one number', '3405803785'],
  ['hexadecimal', '0xcb.0.0x71.9'],
  ['too large', '203.0.113.256'],
  ['a port without an end', `${CLIENT}:`],
  ['a port of six digits', `${CLIENT}:123456`],
  ['brackets around IPv4', `[${CLIENT}]`],
  ['an open bracket', '[2001:db8::1'],
  ['text after the bracket', '[2001:db8::1]x'],
  ['two compressions', '2001::db8::1'],
  ['quotes', `"${CLIENT}"`],
  ['the syntax of RFC 7239', `for=${CLIENT}`],
  ['a null byte', `${CLIENT}\u0000`],
  ['a line break inside', `203.0.\n113.9`],
  ['full-width digits', '２０３.0.113.9'],
  ['a zone that is markup', 'fe80::1%<script>'],
  ['a CIDR block', `${CLIENT}/32`],
  ['64 KiB of digits', '1'.repeat(65_536)],
  ['64 KiB of zone', `fe80::1%${'a'.repeat(65_536)}`],
])('a malformed entry fails closed: %s', (_, entry) => {
  expect(client('10.0.0.1', entry)).toBe('10.0.0.1')
  expect(client('10.0.0.1', `${CLIENT}, ${entry}`)).toBe('10.0.0.1')
  expect(client('10.0.0.1', `${CLIENT}, ${entry}, 10.0.0.2`)).toBe('10.0.0.2')
})

test('at most a bounded number of hops is read, and the last one read is trusted', () => {
  const chain = Array.from({ length: 10_000 }, () => '10.0.0.2').join(',')
  expect(client('10.0.0.1', `${CLIENT},${chain}`)).toBe('10.0.0.2')
  expect(client('10.0.0.1', ','.repeat(100_000))).toBe('10.0.0.1')
})

test('a peer that is not an address is returned unchanged and is not trusted', () => {
  expect(client('', CLIENT)).toBe('')
  expect(client('unix:', CLIENT)).toBe('unix:')
})

test.each([
  'proxy.internal',
  '10.0.0.0/33',
  '::/129',
  '10.0.0.0/',
  '10/8',
  '10.0.0.0/8/8',
  '10.0.0.0/-1',
  '10.0.0.0/8x',
  'fe80::1%eth0',
  '*',
  '0.0.0.0/0',
  '::/0',
])('TRUSTED_PROXIES with %j stops the start, and trusts no address', (entry) => {
  expect(() => readConfig({ TRUSTED_PROXIES: `10.0.0.1, ${entry}` })).toThrow(/^TRUSTED_PROXIES: /)
  expect(clientAddress('10.0.0.2', CLIENT, [entry])).toBe('10.0.0.2')
})

test('TRUSTED_PROXIES accepts addresses and blocks of both families', () => {
  expect(readConfig({ TRUSTED_PROXIES: trusted.join(' , ') }).TRUSTED_PROXIES).toEqual(trusted)
})

test.each([
  ['https', 'https'],
  ['HTTPS', 'https'],
  ['http', 'http'],
  ['https, http', 'http'],
  ['http,https', 'https'],
  ['', undefined],
  ['https,', undefined],
  ['wss', undefined],
  ['https\u0000', undefined],
])('the scheme %j is read as %s from a trusted peer, and never from an untrusted one', (header, expected) => {
  expect(forwardedProto('::ffff:10.0.0.1', header, trusted)).toBe(expected)
  expect(forwardedProto(CLIENT, header, trusted)).toBeUndefined()
  expect(forwardedProto('', header, trusted)).toBeUndefined()
})

test('without the header there is no scheme', () => {
  expect(forwardedProto('10.0.0.1', undefined, trusted)).toBeUndefined()
})

test.each([
  [CLIENT, CLIENT],
  ['::ffff:203.0.113.9', CLIENT],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:0DB8:1:2::', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['1::2:3:4:5:6:7', '1:0:2:3::/64'],
  ['::', '0:0:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['::1.2.3.4', '0:0:0:0::/64'],
  ['64:ff9b::1.2.3.4', '64:ff9b:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['', 'unknown'],
  ['unix:', 'unknown'],
  ['1.2.3', 'unknown'],
])('the limit key of %j is %s', (address, key) => {
  expect(rateLimitKeyOf(address)).toBe(key)
})

test('addresses share a limit key exactly when they share a /64', () => {
  const group = fc.integer({ min: 0, max: 0xffff }).map((n) => n.toString(16))
  const four = fc.tuple(group, group, group, group).map((groups) => groups.join(':'))
  fc.assert(
    fc.property(four, four, four, four, (network, other, a, b) => {
      fc.pre(!network.startsWith('0:0:0:0') && !other.startsWith('0:0:0:0'))
      expect(rateLimitKeyOf(`${network}:${a}`)).toBe(`${network}::/64`)
      expect(rateLimitKeyOf(`${network}:${a}`) === rateLimitKeyOf(`${other}:${b}`)).toBe(network === other)
    }),
  )
})
