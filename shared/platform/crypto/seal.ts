// Authenticated encryption of small values: AES-256-GCM (NIST SP 800-38D) with node:crypto. WebCrypto would move each value to another thread, which costs
// several times more than encrypting a few hundred bytes.
//
//   version (1 byte, 1) | length of key id (1 byte) | key id | nonce (12 bytes) | ciphertext and tag (16 bytes more than the plain text)
//
// The additional data are everything before the nonce and the caller's binding, each length-prefixed: a value that was altered, relabelled with another
// key's id or moved to another place does not open. Nonces are random: one key seals far fewer than the 2^32 values that section 8.3 allows.
import { createCipheriv, createDecipheriv, createSecretKey } from 'node:crypto'
import type { Random } from '#shared/kernel/random'

const VERSION = 1
const NONCE_BYTES = 12
const TAG_BYTES = 16
export const KEY_BYTES = 32

/** A value does not open: it was altered, moved, or sealed with a key that is not configured. The message never contains the value. */
export class SealError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'SealError'
  }
}

const ALGORITHM = 'aes-256-gcm'

/** A key that can be used but not read. */
export type SealKey = {
  readonly id: Uint8Array
  /** Ciphertext and tag. */
  readonly encrypt: (nonce: Uint8Array, bound: Uint8Array, plain: Uint8Array) => Uint8Array
  /** Throws when the tag does not match. */
  readonly decrypt: (nonce: Uint8Array, bound: Uint8Array, sealed: Uint8Array) => Uint8Array
}

/**
 * Imports 32 bytes as a non-extractable key.
 * @throws SealError on another length
 */
export const importSealKey = async (id: Uint8Array, raw: Uint8Array): Promise<SealKey> => {
  if (raw.length !== KEY_BYTES || id.length === 0 || id.length > 255) throw new SealError('A key must have 32 bytes and an id of 1 to 255 bytes.')
  const key = createSecretKey(new Uint8Array(raw))
  return {
    id,
    encrypt: (nonce, bound, plain) => {
      const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES }).setAAD(bound)
      return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()])
    },
    decrypt: (nonce, bound, sealed) => {
      const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES }).setAAD(bound)
      decipher.setAuthTag(sealed.subarray(-TAG_BYTES))
      return Buffer.concat([decipher.update(sealed.subarray(0, -TAG_BYTES)), decipher.final()])
    },
  }
}

const additionalData = (header: Uint8Array, binding: readonly string[]): Uint8Array => {
  const parts = [header, ...binding.map((part) => Buffer.from(part, 'utf8'))]
  const framed = parts.map((part) => {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(part.length)
    return Buffer.concat([length, part])
  })
  return Buffer.concat(framed)
}

/** Encrypts a value. `binding` names the place of the value; opening it requires the same binding. */
export const seal = async (random: Random, key: SealKey, plain: Uint8Array, binding: readonly string[]): Promise<Uint8Array> => {
  const header = Uint8Array.of(VERSION, key.id.length, ...key.id)
  const nonce = random.bytes(NONCE_BYTES)
  return new Uint8Array(Buffer.concat([header, nonce, key.encrypt(nonce, additionalData(header, binding), plain)]))
}

const headerLength = (sealed: Uint8Array): number => {
  const length = 2 + (sealed[1] ?? 0)
  if (sealed[0] !== VERSION || length === 2 || sealed.length < length + NONCE_BYTES + TAG_BYTES) throw new SealError('This is not a sealed value.')
  return length
}

/** The id of the key that a value claims to be sealed with. Only opening the value proves it. */
export const keyIdOf = (sealed: Uint8Array): Uint8Array => sealed.slice(2, headerLength(sealed))

/** @throws SealError */
export const unseal = async (key: SealKey, sealed: Uint8Array, binding: readonly string[]): Promise<Uint8Array> => {
  const nonceAt = headerLength(sealed)
  const sealedAt = nonceAt + NONCE_BYTES
  const bound = additionalData(sealed.subarray(0, nonceAt), binding)
  try {
    return new Uint8Array(key.decrypt(sealed.subarray(nonceAt, sealedAt), bound, sealed.subarray(sealedAt)))
  } catch {
    throw new SealError('A sealed value does not open: it was changed or moved.')
  }
}
