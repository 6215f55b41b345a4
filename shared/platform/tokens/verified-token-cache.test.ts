import { expect, test } from 'vitest'
import { VerifiedTokenCache } from './verified-token-cache.ts'

test('recently used tokens stay, the least recently used go, and at most five thousand are kept', () => {
  const seen = new VerifiedTokenCache<number>()
  for (let n = 0; n < 20_000; n++) {
    seen.keep(`token ${n}`, n)
    expect(seen.recall('token 0')).toBe(0)
  }
  const left = Array.from({ length: 20_000 }, (_, n) => n).filter((n) => seen.recall(`token ${n}`) === n)
  expect(left.length).toBeLessThanOrEqual(5000)
  expect(left).toContain(19_999)
  expect(left).not.toContain(1)
  seen.forget('token 19999')
  expect(seen.recall('token 19999')).toBeUndefined()
})
