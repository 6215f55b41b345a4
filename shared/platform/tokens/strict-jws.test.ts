import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalBytes, MAX_TOKEN_LENGTH, objectIn, parseStrictJws } from './strict-jws.ts'

const encoded = (text: string): string => Buffer.from(text).toString('base64url')
const HEADER = '{"alg":"ES256","kid":"k","typ":"t"}'
const jws = (header = HEADER, payload = '{}', signature = 'AA'): string => `${encoded(header)}.${encoded(payload)}.${signature}`

test('splits a JWS into its header and payload', () => {
  const parsed = parseStrictJws(jws())
  expect(parsed?.header).toEqual({ alg: 'ES256', kid: 'k', typ: 't' })
  expect(objectIn(parsed?.payloadSegment ?? '')).toEqual({})
})

test.each([
  ['four parts', `${jws()}.AA`],
  ['five parts', `${jws()}.AA.AA`],
  ['a dot at the end', `${jws()}.`],
  ['two parts', jws().slice(0, jws().lastIndexOf('.'))],
  ['an empty signature', jws(HEADER, '{}', '')],
  ['a signature with bits left over', jws(HEADER, '{}', 'AB')],
  ['one character of base64url', jws(HEADER, '{}', 'A')],
  ['padding', jws(HEADER, '{}', 'AA==')],
  ['an extra header member', jws('{"alg":"ES256","kid":"k","typ":"t","jwk":{}}')],
  ['a duplicate header member', jws('{"alg":"none","alg":"ES256","kid":"k","typ":"t"}')],
  ['a missing header member', jws('{"alg":"ES256","kid":"k"}')],
  ['a prototype', jws('{"__proto__":{"alg":"ES256"},"kid":"k","typ":"t"}')],
  ['white space in its header', jws('{"alg":"ES256", "kid":"k","typ":"t"}')],
  ['an oversized token', jws(HEADER, 'x'.repeat(MAX_TOKEN_LENGTH))],
])('refuses %s', (_, token) => {
  expect(parseStrictJws(token)).toBeUndefined()
})

test.each(['[]', '"x"', 'null', '1', '', '{', '{"a":1,"a":2}', '{"a":1.0}', '{"a":-0}', '{"a":1e2}', '{"a":"\\u0041"}', '{"a":1}\n', '\ufeff{}'])(
  '%j is not an object as we write one',
  (text) => {
    expect(objectIn(encoded(text))).toBeUndefined()
  },
)

test('an object in our serialisation is parsed', () => {
  const value = { a: [1, { b: null }], 'ü\u0000\ud800': '😀' }
  expect(objectIn(encoded(JSON.stringify(value)))).toEqual(value)
})

test('a segment has one encoding', () => {
  const segment = encoded('{"a":"x"}')
  expect(objectIn(segment)).toEqual({ a: 'x' })
  for (const other of [`${segment}=`, `${segment}\n`, ` ${segment}`, segment.replace('e', 'e*'), encoded('{"a":1}').replace(/.$/, 'R')]) {
    expect(objectIn(other)).toBeUndefined()
  }
  expect(objectIn(Buffer.from('{"a":"\xff"}', 'latin1').toString('base64url'))).toBeUndefined()
})

test('base64url is accepted only if encoding the bytes again gives the same text', () => {
  const character = fc.constantFrom(...'ABQgwxyz0459-_', '+', '/', '=', ' ', '\n', '\u0000', 'é', '\u0141', '\ud800')
  const segment = fc.oneof(
    fc.array(character, { maxLength: 24 }).map((all) => all.join('')),
    fc.uint8Array({ maxLength: 24 }).map((bytes) => Buffer.from(bytes).toString('base64url')),
    fc.tuple(fc.uint8Array({ maxLength: 24 }), fc.nat(40), character).map(([bytes, at, put]) => {
      const text = Buffer.from(bytes).toString('base64url')
      return text.slice(0, at) + put + text.slice(at + 1)
    }),
    fc.uint8Array({ maxLength: 24 }).map((bytes) => Buffer.from(bytes).toString('base64')),
  )
  const property = fc.property(segment, (text) => {
    const rewritten = Buffer.from(text, 'base64url').toString('base64url') === text
    expect(canonicalBytes(text) !== undefined).toBe(rewritten)
  })
  fc.assert(property, { numRuns: 20_000 })
})

test('an object is accepted only if serialising it again gives the same segment', () => {
  const text = fc.oneof(
    fc.json(),
    fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()).map((value) => JSON.stringify(value)),
    fc.dictionary(fc.string(), fc.string()).map((value) => JSON.stringify(value).replace(/^\{/, '{ ')),
  )
  const segment = fc.oneof(
    text.map(encoded),
    fc.tuple(text, fc.nat(200), fc.integer({ min: 0, max: 255 })).map(([of, at, byte]) => {
      const bytes = Buffer.from(of)
      bytes[at % bytes.length] = byte
      return bytes.toString('base64url')
    }),
  )
  const naive = (from: string): boolean => {
    try {
      const value: unknown = JSON.parse(Buffer.from(from, 'base64url').toString())
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
      return Buffer.from(JSON.stringify(value)).toString('base64url') === from
    } catch {
      return false
    }
  }
  fc.assert(
    fc.property(segment, (from) => {
      expect(objectIn(from) !== undefined).toBe(naive(from))
    }),
    { numRuns: 10_000 },
  )
})
