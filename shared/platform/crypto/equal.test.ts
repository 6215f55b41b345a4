import { expect, test } from 'vitest'
import { equal } from './equal.ts'

test('equal bytes and texts are equal, all others are not', () => {
  expect(equal('abc', 'abc')).toBe(true)
  expect(equal('', '')).toBe(true)
  expect(equal('abc', 'abd')).toBe(false)
  expect(equal('abc', 'ab')).toBe(false)
  expect(equal('\ud800', '\ufffd')).toBe(false)
  expect(equal(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true)
  expect(equal(Uint8Array.of(1, 2), Uint8Array.of(2, 1))).toBe(false)
  expect(equal(Uint8Array.of(1, 2), Uint8Array.of(1, 2, 3))).toBe(false)
  expect(equal(new Uint8Array(8).subarray(0, 2), Uint8Array.of(0, 0))).toBe(true)
})
