import { expect, test } from 'vitest'
import { constantTimeEqual } from './equal.ts'

test('equal only for identical bytes or identical text', () => {
  expect(constantTimeEqual('abc', 'abc')).toBe(true)
  expect(constantTimeEqual('', '')).toBe(true)
  expect(constantTimeEqual('abc', 'abd')).toBe(false)
  expect(constantTimeEqual('abc', 'ab')).toBe(false)
  expect(constantTimeEqual('\ud800', '\ufffd')).toBe(false)
  expect(constantTimeEqual(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true)
  expect(constantTimeEqual(Uint8Array.of(1, 2), Uint8Array.of(2, 1))).toBe(false)
  expect(constantTimeEqual(Uint8Array.of(1, 2), Uint8Array.of(1, 2, 3))).toBe(false)
  expect(constantTimeEqual(new Uint8Array(8).subarray(0, 2), Uint8Array.of(0, 0))).toBe(true)
})
