// Authenticated encryption of small values: AES-256-GCM (NIST SP 800-38D) on WebCrypto.
//
//   version (1 byte, 1) | length of key id (1 byte) | key id | nonce (12 bytes) | ciphertext and tag (16 bytes more than the plain text)
//
// The additional data are everything before the nonce and the caller's binding, each length-prefixed: a value that was changed, relabelled with another
// key's id, or moved to another place does not open. Nonces are random: one key seals far fewer than the 2^32 values that section 8.3 allows.
import type { Random } from '../random.ts'

const VERSION = 1
const NONCE_BYTES = 12
const TAG_BYTES = 16
export const KEY_BYTES = 32

/** A value does not open: it was changed, moved, or sealed under a key that is not here. Says nothing of the value. */
export class SealError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'SealError'
  }
}

export type SealKey = { readonly id: Uint8Array; readonly key: CryptoKey }

/** Takes 32 bytes into WebCrypto, from where they do not come out again. */
export const importSealKey = async (id: Uint8Array, raw: Uint8Array): Promise<SealKey> => {
  if (raw.length !== KEY_BYTES || id.length === 0 || id.length > 255) throw new SealError('A key has 32 bytes and an id of 1 to 255.')
  return { id, key: await crypto.subtle.importKey('raw', new Uint8Array(raw), 'AES-GCM', false, ['encrypt', 'decrypt']) }
}

const additionalData = (header: Uint8Array, binding: readonly string[]): Uint8Array<ArrayBuffer> => {
  const parts = [header, ...binding.map((part) => Buffer.from(part, 'utf8'))]
  const framed = parts.map((part) => {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(part.length)
    return Buffer.concat([length, part])
  })
  return new Uint8Array(Buffer.concat(framed))
}

/** `binding` names where the value belongs; the same words open it. */
export const seal = async (random: Random, key: SealKey, plain: Uint8Array, binding: readonly string[]): Promise<Uint8Array> => {
  const header = Uint8Array.of(VERSION, key.id.length, ...key.id)
  const iv = new Uint8Array(random.bytes(NONCE_BYTES))
  const algorithm = { name: 'AES-GCM', iv, additionalData: additionalData(header, binding) }
  const sealed = await crypto.subtle.encrypt(algorithm, key.key, new Uint8Array(plain))
  return new Uint8Array(Buffer.concat([header, iv, new Uint8Array(sealed)]))
}

const headerLength = (sealed: Uint8Array): number => {
  const length = 2 + (sealed[1] ?? 0)
  if (sealed[0] !== VERSION || length === 2 || sealed.length < length + NONCE_BYTES + TAG_BYTES) throw new SealError('This is not a sealed value.')
  return length
}

/** The id of the key that a value says it was sealed under. Proved only by opening it. */
export const keyIdOf = (sealed: Uint8Array): Uint8Array => sealed.slice(2, headerLength(sealed))

/** @throws SealError */
export const unseal = async (key: SealKey, sealed: Uint8Array, binding: readonly string[]): Promise<Uint8Array> => {
  const nonceAt = headerLength(sealed)
  const algorithm = {
    name: 'AES-GCM',
    iv: new Uint8Array(sealed.subarray(nonceAt, nonceAt + NONCE_BYTES)),
    additionalData: additionalData(sealed.subarray(0, nonceAt), binding),
  }
  try {
    return new Uint8Array(await crypto.subtle.decrypt(algorithm, key.key, new Uint8Array(sealed.subarray(nonceAt + NONCE_BYTES))))
  } catch {
    throw new SealError('A sealed value does not open: it was changed or moved.')
  }
}
