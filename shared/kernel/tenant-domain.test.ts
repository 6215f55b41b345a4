import { expect, test } from 'vitest'
import { normaliseTenantDomain } from './tenant-domain.ts'

test.each([
  ['acme', 'acme.app.example'],
  ['ACME', 'acme.app.example'],
  [' acme ', 'acme.app.example'],
  ['acme.app.example', 'acme.app.example'],
  ['Acme.App.Example', 'acme.app.example'],
  ['a-1', 'a-1.app.example'],
  ['a'.repeat(63), `${'a'.repeat(63)}.app.example`],
  ['adminton', 'adminton.app.example'],
])('%j is %j', (typed, domain) => {
  expect(normaliseTenantDomain(typed, 'app.example')).toBe(domain)
  expect(normaliseTenantDomain(typed, '.App.example')).toBe(domain)
})

test.each([
  '',
  'ab',
  'a'.repeat(64),
  '1acme',
  '-acme',
  'acme-',
  'ac_me',
  'ac me',
  'acme.',
  '.acme',
  'acme.evil',
  'acme.evil.example',
  'sub.acme.app.example',
  'app.example',
  '.app.example',
  'acme.app.example.app.example',
  'acme.app.example.',
  'acme\0',
  'acme\n.app.example',
  'acm\u0435',
  'ac\u200bme',
  '\u212aacme',
  'xn--acme',
  'ab--cd',
  'acme/x',
  'acme:80',
  'user@acme',
  'www',
  'WWW.app.example',
  'api',
  'admin',
  'auth',
  'login',
  'mail',
  'localhost',
  'system',
  'platform',
  'a'.repeat(1e6),
])('%j is not a tenant domain', (typed) => {
  expect(normaliseTenantDomain(typed, 'app.example')).toBeUndefined()
})
