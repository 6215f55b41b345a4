import { expect, test } from 'vitest'
import { safeReturn } from './return-to.ts'

test.each(['/me', '/me/password?return_to=%2Fme', '/activate?user_code=ABCD-EFGH', '/approve/0190', '/oauth2/auth?client_id=x&state=a%2Fb'])(
  '%s is a valid return path',
  (path) => {
    expect(safeReturn(path)).toBe(path)
  },
)

test.each([
  undefined,
  '',
  'me',
  'https://evil.example/me',
  '//evil.example/me',
  '/\\evil.example/me',
  '\\\\evil.example',
  '/me\\..\\..\\evil',
  '/\t/evil.example',
  '/me\n/evil',
  ' /me',
  '/me/../signout',
  '/me/./x',
  '/me/%2e%2e/signout',
  '/me/%2E./signout',
  '/me%2f..%2fsignout',
  '/me/%5cevil',
  '/me#fragment',
  '/mean',
  '/signin',
  '/signout',
  '/',
  'javascript:alert(1)',
  '/javascript:alert(1)',
  '/me/é',
  `/me?${'x'.repeat(2000)}`,
])('%j is refused', (text) => {
  expect(safeReturn(text)).toBeUndefined()
})
