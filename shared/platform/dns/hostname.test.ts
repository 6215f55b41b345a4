import { expect, test } from 'vitest'
import { hostnameOf, isWithinDomain } from './hostname.ts'

test.each([
  ['login.acme.com', 'login.acme.com'],
  ['  Acme.COM. ', 'acme.com'],
  ['bücher.de', 'xn--bcher-kva.de'],
  ['a-b.acme.co.uk', 'a-b.acme.co.uk'],
])('%s is a valid domain', (text, name) => {
  expect(hostnameOf(text)).toBe(name)
})

test.each([
  '',
  '.',
  'com',
  'localhost',
  'acme',
  '*.acme.com',
  'acme.com/x',
  'acme\\.com',
  'https://acme.com',
  'acme.com:443',
  '-a.acme.com',
  'a-.acme.com',
  'a..com',
  '_x.acme.com',
  'a b.com',
  '192.0.2.1',
  '[::1]',
  '0x7f.1',
  'acme.com..',
  'co.uk',
  'com.au',
  'acme.localhost',
  'acme.invalid',
  '1.in-addr.arpa',
  `${'a'.repeat(64)}.com`,
  `${'a.'.repeat(120)}com`,
  'ac\u200bme.com',
  'acme。',
])('%j is not a valid domain', (text) => {
  expect(hostnameOf(text)).toBeUndefined()
})

test('a name is within itself and its parent domains, and not within a domain that only shares its suffix', () => {
  expect([isWithinDomain('acme.com', 'acme.com'), isWithinDomain('a.acme.com', 'acme.com'), isWithinDomain('evilacme.com', 'acme.com')]).toEqual([
    true,
    true,
    false,
  ])
})
