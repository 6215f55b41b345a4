// Which JWS of other issuers are parsed.
import { describe, expect, test } from 'vitest'
import { parseForeignJws } from './foreign-jws.ts'

const encoded = (text: string | Uint8Array): string => Buffer.from(text).toString('base64url')
const HEADER = encoded('{"alg":"ES256","kid":"k"}')
const SIGNATURE = encoded('signature')
const withPayload = (payload: string | Uint8Array) => parseForeignJws(`${HEADER}.${encoded(payload)}.${SIGNATURE}`)

describe('a JWS of another issuer', () => {
  test('is parsed with the white space, escapes and order of its serialiser', () => {
    const payload = '{ "b": "\\u00fc\\/", "a": {"b": 1, "c": ["b", {"b": "a:b,{\\"b\\":1}"}]}, "1": null }'
    expect(withPayload(payload)).toEqual({
      header: { alg: 'ES256', kid: 'k' },
      payload: { b: 'ü/', a: { b: 1, c: ['b', { b: 'a:b,{"b":1}' }] }, 1: null },
      signingInput: `${HEADER}.${encoded(payload)}`,
    })
  })

  test.each<[string, string | Uint8Array]>([
    ['a duplicate member', '{"sub":"a","sub":"b"}'],
    ['a duplicate member further down', '{"a":[{"sub":"a","x":1,"sub":"a"}]}'],
    ['a duplicate member by an escape', '{"sub":"a","s\\u0075b":"b"}'],
    ['an array', '["sub"]'],
    ['a text', '"sub"'],
    ['null', 'null'],
    ['half an object', '{"sub":"a"'],
    ['two objects', '{} {}'],
    ['a byte order mark', '\ufeff{}'],
    ['invalid UTF-8', Uint8Array.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
  ])('is refused with %s as its payload', (_, payload) => {
    expect(withPayload(payload)).toBeUndefined()
  })

  test.each([
    ['two segments', `${HEADER}.${HEADER}`],
    ['four segments', `${HEADER}.${HEADER}.${SIGNATURE}.${SIGNATURE}`],
    ['no signature', `${HEADER}.${HEADER}.`],
    ['padding', `${HEADER}=.${HEADER}.${SIGNATURE}`],
    ['white space', `${HEADER}.${HEADER} .${SIGNATURE}`],
    ['another alphabet', `${HEADER}.${HEADER}.a+/a`],
    ['leftover bits', `${HEADER}.${HEADER}.QQ`.replace(/QQ$/, 'QR')],
    ['a serialised JWS of another form', '{"payload":"e30","signatures":[]}'],
  ])('is refused with %s', (_, token) => {
    expect(parseForeignJws(token)).toBeUndefined()
  })
})
