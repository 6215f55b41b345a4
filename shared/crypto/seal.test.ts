import fc from 'fast-check'
import { expect, test } from 'vitest'
import { systemClock } from '../clock.ts'
import { systemRandom } from '../random.ts'
import { importSealKey, keyIdOf, SealError, seal, unseal } from './seal.ts'

const random = systemRandom(systemClock)
const raw = random.bytes(32)
const id = Uint8Array.of(1, 2, 3)
const plain = new TextEncoder().encode('the quick brown fox')
const binding = ['table', 'row']
const key = await importSealKey(id, raw)
const sealed = await seal(random, key, plain, binding)

test('opens under its key and binding, and says which key that is', async () => {
  expect(await unseal(key, sealed, binding)).toEqual(plain)
  expect(keyIdOf(sealed)).toEqual(id)
  expect(await unseal(key, await seal(random, key, new Uint8Array(), []), [])).toEqual(new Uint8Array())
})

test('has the documented layout', async () => {
  expect([...sealed.subarray(0, 5)]).toEqual([1, 3, 1, 2, 3])
  expect(sealed.length).toBe(5 + 12 + plain.length + 16)
  expect(Buffer.from(sealed.subarray(5, 17))).not.toEqual(Buffer.from((await seal(random, key, plain, binding)).subarray(5, 17)))
})

test('does not open elsewhere, under another key, or relabelled', async () => {
  for (const elsewhere of [['table', 'row2'], ['tabler', 'ow'], ['table'], ['table', 'row', ''], []]) {
    await expect(unseal(key, sealed, elsewhere)).rejects.toThrow(SealError)
  }
  await expect(unseal(await importSealKey(id, random.bytes(32)), sealed, binding)).rejects.toThrow(SealError)
  const relabelled = sealed.slice()
  relabelled[2] = 9
  await expect(unseal(await importSealKey(Uint8Array.of(9, 2, 3), raw), relabelled, binding)).rejects.toThrow(SealError)
})

test('no changed, cut or lengthened value opens, and nothing but SealError is thrown', async () => {
  const at = fc.nat(sealed.length - 1)
  const changed = fc.oneof(
    fc.tuple(at, fc.integer({ min: 1, max: 255 })).map(([i, x]) => sealed.map((byte, j) => (j === i ? byte ^ x : byte))),
    at.map((i) => sealed.slice(0, i)),
    fc.uint8Array({ minLength: 1, maxLength: 9 }).map((more) => Uint8Array.of(...sealed, ...more)),
    fc.uint8Array({ maxLength: 99 }),
  )
  await fc.assert(fc.asyncProperty(changed, async (value) => void (await expect(unseal(key, value, binding)).rejects.toBeInstanceOf(SealError))))
})

test('keys have 32 bytes and a name', async () => {
  await expect(importSealKey(id, new Uint8Array(16))).rejects.toThrow(SealError)
  await expect(importSealKey(new Uint8Array(), raw)).rejects.toThrow(SealError)
  await expect(importSealKey(new Uint8Array(256), raw)).rejects.toThrow(SealError)
})
