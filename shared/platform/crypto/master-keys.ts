// Parses MASTER_KEYS: `id:base64,id:base64`. The first key wraps, all unwrap.
import { ConfigError } from '#shared/kernel/config'
import { KEY_BYTES } from './seal.ts'

export type MasterKey = { readonly id: string; readonly key: Uint8Array }
/** At least one; the first is the current one. */
export type MasterKeys = readonly [MasterKey, ...MasterKey[]]

const ID = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/

const parseOne = (text: string): MasterKey => {
  const colon = text.indexOf(':')
  const id = text.slice(0, Math.max(colon, 0))
  if (!ID.test(id)) throw new ConfigError('MASTER_KEYS: must read id:base64,id:base64')
  const base64 = text.slice(colon + 1)
  const key = Buffer.from(base64, 'base64')
  if (key.length !== KEY_BYTES || key.toString('base64') !== base64) throw new ConfigError(`MASTER_KEYS: the key ${id} must be base64 of 32 bytes`)
  return { id, key: new Uint8Array(key) }
}

/**
 * Refuses two keys with one id and one key with two ids: removing an entry later would then remove more, or less, than intended.
 * @throws ConfigError, which names an id at most, never a key
 */
export const parseMasterKeys = (text: string): MasterKeys => {
  const [first, ...others] = text.split(',').map((part) => parseOne(part.trim()))
  if (first === undefined) throw new ConfigError('MASTER_KEYS: holds no key')
  const all: MasterKeys = [first, ...others]
  if (new Set(all.map(({ id }) => id)).size < all.length) throw new ConfigError('MASTER_KEYS: two keys have the same id')
  if (new Set(all.map(({ key }) => Buffer.from(key).toString('hex'))).size < all.length) throw new ConfigError('MASTER_KEYS: one key has two ids')
  return all
}
