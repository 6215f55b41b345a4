import fc from 'fast-check'
import { expect, test } from 'vitest'
import { systemClock } from '#shared/kernel/clock'
import { systemRandom } from '#shared/kernel/random'
import { importSealKey, keyIdOf, SealError, seal, unseal } from './seal.ts'

const random = systemRandom(systemClock)
const raw = random.bytes(32)
const id = Uint8Array.of(1, 2, 3)
const plain = new TextEncoder().encode('the quick brown fox')
const binding = ['table', 'row']
const key = await importSealKey(id, raw)
const sealed = await seal(random, key, plain, binding)

test('opens with its key and binding, and names its key', async () => {
  expect(await unseal(key, sealed, binding)).toEqual(plain)
  expect(keyIdOf(sealed)).toEqual(id)
  expect(await unseal(key, await seal(random, key, new Uint8Array(), []), [])).toEqual(new Uint8Array())
})

test('has the documented layout', async () => {
  expect([...sealed.subarray(0, 5)]).toEqual([1, 3, 1, 2, 3])
  expect(sealed.length).toBe(5 + 12 + plain.length + 16)
  expect(Buffer.from(sealed.subarray(5, 17))).not.toEqual(Buffer.from((await seal(random, key, plain, binding)).subarray(5, 17)))
})

test('is compatible with AES-256-GCM of WebCrypto in both directions', async () => {
  const bound = Buffer.concat([
    Uint8Array.of(0, 0, 0, 5, 1, 3, 1, 2, 3, 0, 0, 0, 5),
    Buffer.from('table'),
    Uint8Array.of(0, 0, 0, 3),
    Buffer.from('row'),
  ])
  const peer = await crypto.subtle.importKey('raw', new Uint8Array(raw), 'AES-GCM', false, ['encrypt', 'decrypt'])
  const theirs = (iv: Uint8Array) => ({ name: 'AES-GCM', iv: new Uint8Array(iv), additionalData: new Uint8Array(bound) })
  const opened = await crypto.subtle.decrypt(theirs(sealed.subarray(5, 17)), peer, new Uint8Array(sealed.subarray(17)))
  expect(new Uint8Array(opened)).toEqual(plain)
  const nonce = random.bytes(12)
  const made = new Uint8Array(await crypto.subtle.encrypt(theirs(nonce), peer, new Uint8Array(plain)))
  expect(await unseal(key, Uint8Array.of(1, 3, 1, 2, 3, ...nonce, ...made), binding)).toEqual(plain)
})

test('does not open with another binding, another key or another label', async () => {
  for (const elsewhere of [['table', 'row2'], ['tabler', 'ow'], ['table'], ['table', 'row', ''], []]) {
    await expect(unseal(key, sealed, elsewhere)).rejects.toThrow(SealError)
  }
  await expect(unseal(await importSealKey(id, random.bytes(32)), sealed, binding)).rejects.toThrow(SealError)
  const relabelled = sealed.slice()
  relabelled[2] = 9
  await expect(unseal(await importSealKey(Uint8Array.of(9, 2, 3), raw), relabelled, binding)).rejects.toThrow(SealError)
})

test('no altered, truncated or extended value opens, and only SealError is thrown', async () => {
  const at = fc.nat(sealed.length - 1)
  const changed = fc.oneof(
    fc.tuple(at, fc.integer({ min: 1, max: 255 })).map(([i, x]) => sealed.map((byte, j) => (j === i ? byte ^ x : byte))),
    at.map((i) => sealed.slice(0, i)),
    fc.uint8Array({ minLength: 1, maxLength: 9 }).map((more) => Uint8Array.of(...sealed, ...more)),
    fc.uint8Array({ maxLength: 99 }),
  )
  await fc.assert(fc.asyncProperty(changed, async (value) => void (await expect(unseal(key, value, binding)).rejects.toBeInstanceOf(SealError))))
})

test('keys must have 32 bytes and an id', async () => {
  await expect(importSealKey(id, new Uint8Array(16))).rejects.toThrow(SealError)
  await expect(importSealKey(new Uint8Array(), raw)).rejects.toThrow(SealError)
  await expect(importSealKey(new Uint8Array(256), raw)).rejects.toThrow(SealError)
})
