import { expect, test } from 'vitest'
import { unverifiedClaims } from './unverified-claims.ts'

const part = (value: unknown): string => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

test('the claims of a JWT are read without its signature', () => {
  expect(unverifiedClaims(`${part({ alg: 'ES256' })}.${part({ iss: 'a', aud: 'b' })}.x`)).toEqual({ iss: 'a', aud: 'b' })
})

test.each([undefined, '', 'a', 'a.b.c', `a.${part('[]')}.c`, `a.${part('null')}.c`, `a.${part('{')}.c`, `a.${part({})}`, `a.${part({})}.c.d.e`])(
  '%j claims nothing',
  (token) => {
    expect(unverifiedClaims(token)).toEqual({})
  },
)
