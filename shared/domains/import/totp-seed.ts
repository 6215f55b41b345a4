// Seeds of authenticator apps as AuthSec stores them: base32, or base32 sealed with AES-256-GCM, in base64 of nonce (12 bytes), ciphertext and tag.

export type SourceKey = CryptoKey
const NONCE_BYTES = 12
const TAG_BYTES = 16

/** Keys of 64 hexadecimal digits, separated by commas. @throws Error with the position of a malformed key, never its content */
export const parseSourceKeys = async (text: string | undefined): Promise<readonly SourceKey[]> =>
  Promise.all(
    (text ?? '')
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '')
      .map((part, at) => {
        if (!/^[0-9a-f]{64}$/i.test(part)) throw new Error(`key ${at + 1} must be 64 hexadecimal digits`)
        return crypto.subtle.importKey('raw', new Uint8Array(Buffer.from(part, 'hex')), 'AES-GCM', false, ['decrypt'])
      }),
  )

const BASE32 = /^[A-Z2-7]+$/
/** RFC 4226 section 4, R6: a shared secret has at least 128 bits. */
const MIN_BITS = 128
const MAX_CHARACTERS = 208

/** Accepts lower case, groups and padding, as apps show seeds. Mixed case is refused, because it means base64. */
const asSeed = (text: string): string | undefined => {
  const seed = text.replaceAll(/[\s-]/g, '').replace(/=+$/, '')
  if (seed.length > MAX_CHARACTERS || !(BASE32.test(seed) || (BASE32.test(seed.toUpperCase()) && seed === seed.toLowerCase()))) return undefined
  return seed.toUpperCase()
}

const tryKey = async (key: SourceKey, sealed: Buffer): Promise<string | undefined> => {
  const iv = new Uint8Array(sealed.subarray(0, NONCE_BYTES))
  try {
    const plain = await crypto.subtle.decrypt({ name: 'AES-GCM', iv, tagLength: TAG_BYTES * 8 }, key, new Uint8Array(sealed.subarray(NONCE_BYTES)))
    return Buffer.from(plain).toString('utf8')
  } catch {
    return undefined
  }
}

export type OpenedSeed =
  | { readonly seed: string }
  | { readonly reason: 'secret_unreadable' | 'secret_too_short' | 'key_missing' | 'key_wrong_or_changed' }

const checkSeed = (text: string): OpenedSeed => {
  const seed = asSeed(text)
  if (seed === undefined) return { reason: 'secret_unreadable' }
  return seed.length * 5 < MIN_BITS ? { reason: 'secret_too_short' } : { seed }
}

/** Opens a stored seed. A sealed one is base64 longer than any plain seed, and practically never reads as base32. */
export const openSeed = async (stored: string, keys: readonly SourceKey[]): Promise<OpenedSeed> => {
  const isBase64 = /^[A-Za-z0-9+/]+={0,2}$/.test(stored) && stored.length % 4 === 0
  const sealed = Buffer.from(stored, 'base64')
  if (asSeed(stored) !== undefined || !isBase64 || sealed.length <= NONCE_BYTES + TAG_BYTES) return checkSeed(stored)
  if (keys.length === 0) return { reason: 'key_missing' }
  for (const key of keys) {
    const text = await tryKey(key, sealed)
    if (text !== undefined) return checkSeed(text)
  }
  return { reason: 'key_wrong_or_changed' }
}
