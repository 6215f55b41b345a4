import { expect, test } from 'vitest'
import { ConfigError } from '#shared/kernel/config'
import { parseMasterKeys } from './master-keys.ts'

const base64 = (fill: number, size = 32): string => Buffer.alloc(size, fill).toString('base64')

test('reads ids and keys in order', () => {
  const keys = parseMasterKeys(`new:${base64(1)}, old:${base64(2)}`)
  expect(keys.map(({ id, key }) => [id, key[0], key.length])).toEqual([
    ['new', 1, 32],
    ['old', 2, 32],
  ])
})

test.each([
  ['nothing', ''],
  ['no id', base64(1)],
  ['an empty id', `:${base64(1)}`],
  ['an id with a space', `a b:${base64(1)}`],
  ['a short key', `a:${base64(1, 16)}`],
  ['a long key', `a:${base64(1, 33)}`],
  ['no key', 'a:'],
  ['base64url', `a:${Buffer.alloc(32, 255).toString('base64url')}`],
  ['characters that are skipped', `a:${base64(1).slice(0, 4)}*${base64(1).slice(4)}`],
  ['an empty entry', `a:${base64(1)},`],
  ['one id twice', `a:${base64(1)},a:${base64(2)}`],
  ['one key twice', `a:${base64(1)},b:${base64(1)}`],
])('refuses %s, and the error contains no key', (_, text) => {
  expect(() => parseMasterKeys(text)).toThrow(ConfigError)
  try {
    parseMasterKeys(text)
  } catch (error) {
    expect(String(error)).toMatch(/MASTER_KEYS: /)
    expect(String(error)).not.toContain(base64(1).slice(0, 8))
  }
})
