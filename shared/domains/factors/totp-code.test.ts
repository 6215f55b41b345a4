import { expect, test } from 'vitest'
import { fixedClock } from '#shared/kernel/clock'
import { systemRandom } from '#shared/kernel/random'
import { appCode } from '#tests/support/totp'
import { base32, codeOf, keyUri, matchingStep, newSeed, qrCode, stepAt } from './totp-code.ts'

const SEED = base32(Buffer.from('12345678901234567890'))

test.each([
  [59, '94287082'],
  [1111111109, '07081804'],
  [1111111111, '14050471'],
  [1234567890, '89005924'],
  [2000000000, '69279037'],
  [20000000000, '65353130'],
])('RFC 6238 appendix B: at %i the code ends %s', async (seconds, eight) => {
  const at = new Date(seconds * 1000)
  expect(await codeOf(SEED, stepAt(at))).toBe(eight.slice(2))
  expect(appCode(SEED, at)).toBe(eight.slice(2))
})

test.each(
  ['755224', '287082', '359152', '969429', '338314', '254676', '287922', '162583', '399871', '520489'].map((code, count) => [count, code] as const),
)('RFC 4226 appendix D: count %i is %s', async (count, code) => {
  expect(await codeOf(SEED, count)).toBe(code)
})

test.each([
  ['', ''],
  ['f', 'MY'],
  ['fo', 'MZXQ'],
  ['foo', 'MZXW6'],
  ['foob', 'MZXW6YQ'],
  ['fooba', 'MZXW6YTB'],
  ['foobar', 'MZXW6YTBOI'],
])('RFC 4648 section 10: %j is %s without its padding', (text, encoded) => {
  expect(base32(Buffer.from(text))).toBe(encoded)
})

test('a code is valid in its own step, the one before and the one after', async () => {
  const at = new Date('2026-03-02T09:00:15Z')
  const steps = await Promise.all([-2, -1, 0, 1, 2].map((away) => matchingStep(SEED, appCode(SEED, at, away), at)))
  expect(steps).toEqual([undefined, stepAt(at) - 1, stepAt(at), stepAt(at) + 1, undefined])
})

test('another implementation agrees over many seeds and times', async () => {
  const random = systemRandom(fixedClock('2026-01-01T00:00:00Z'))
  for (let n = 0; n < 300; n++) {
    const seed = newSeed(random, n % 2 === 0 ? 20 : 32)
    const at = new Date(Date.UTC(2026, 0, 1) + n * 12_345_678)
    expect(await codeOf(seed, stepAt(at))).toBe(appCode(seed, at))
  }
})

test('seeds have the requested length, and the URI names the issuer and the account', async () => {
  const random = systemRandom(fixedClock('2026-01-01T00:00:00Z'))
  expect(newSeed(random, 20)).toMatch(/^[A-Z2-7]{32}$/)
  expect(newSeed(random, 32)).toMatch(/^[A-Z2-7]{52}$/)
  const uri = new URL(await keyUri(SEED, 'Acme & Söhne', 'ana+x@acme.example'))
  expect(uri.protocol).toBe('otpauth:')
  expect(uri.searchParams.get('secret')).toBe(SEED)
  expect(uri.searchParams.get('issuer')).toBe('Acme & Söhne')
  expect(decodeURIComponent(uri.pathname)).toContain('Acme & Söhne:ana+x@acme.example')
  const png = Buffer.from(await qrCode(uri.href), 'base64')
  expect(png.subarray(1, 4).toString()).toBe('PNG')
  expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([256, 256])
})
