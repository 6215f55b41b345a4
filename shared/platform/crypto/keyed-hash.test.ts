import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ConfigError } from '#shared/kernel/config'
import { keyedHash, parseHashKey } from './keyed-hash.ts'

const secret = new Uint8Array(32).fill(7)
const hash = keyedHash(secret)
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

test('is HMAC-SHA-256 over length-prefixed UTF-16 parts', () => {
  const framed = Buffer.concat([Buffer.from([0, 0, 0, 2]), Buffer.from('p', 'utf16le'), Buffer.from([0, 0, 0, 4]), Buffer.from('ab', 'utf16le')])
  expect(hex(hash('p', 'ab'))).toBe(createHmac('sha256', secret).update(framed).digest('hex'))
})

test('different purposes, part boundaries and secrets give different digests', () => {
  const digests = [
    hash('a', 'bc'),
    hash('ab', 'c'),
    hash('a', 'b', 'c'),
    hash('abc'),
    hash('abc', ''),
    hash('', 'abc'),
    keyedHash(new Uint8Array(32).fill(8))('a', 'bc'),
  ].map(hex)
  expect(new Set(digests).size).toBe(digests.length)
})

test('different lists have different digests, lone surrogates included', () => {
  const texts = fc.array(fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)), maxLength: 4 }), { maxLength: 3 })
  fc.assert(fc.property(texts, texts, (a, b) => (hex(hash('p', ...a)) === hex(hash('p', ...b))) === (JSON.stringify(a) === JSON.stringify(b))))
  expect(hex(hash('p', '\ud800'))).not.toBe(hex(hash('p', '\ufffd')))
})

test('the secret is copied: changing the caller’s bytes later has no effect', () => {
  const mine = new Uint8Array(32).fill(9)
  const before = keyedHash(mine)
  const digest = hex(before('p', 'x'))
  mine.fill(0)
  expect(hex(before('p', 'x'))).toBe(digest)
})

test('a short or malformed secret stops the start, and the error does not contain it', () => {
  expect(() => keyedHash(new Uint8Array(31))).toThrow(ConfigError)
  expect(parseHashKey(Buffer.from(secret).toString('base64'))).toEqual(secret)
  for (const text of ['', 'c2hvcnQ=', 'not base64!', Buffer.from(secret).toString('base64').replace('=', '')]) {
    expect(() => parseHashKey(text)).toThrow(/^HASH_KEY: must be (base64|at least 32 bytes)$/)
  }
})
