// HMAC-SHA-256 with the deployment's HASH_KEY: for values that are looked up but must not be readable (addresses), and for short codes.
import { createHmac, createSecretKey } from 'node:crypto'
import { ConfigError } from '#shared/kernel/config'

/** `purpose` separates domains: the same text under two purposes has unrelated digests. Parts are length-prefixed, so that no two lists collide. */
export type KeyedHash = (purpose: string, ...parts: readonly string[]) => Uint8Array

const MIN_SECRET_BYTES = 32

/** UTF-16, because UTF-8 maps every lone surrogate to the same replacement character, so that two texts would share a digest. */
const framed = (parts: readonly string[]): Uint8Array => {
  const bytes = Buffer.allocUnsafe(parts.reduce((size, part) => size + 4 + 2 * part.length, 0))
  let at = 0
  for (const part of parts) {
    at = bytes.writeUInt32BE(2 * part.length, at)
    at += bytes.write(part, at, 'utf16le')
  }
  return bytes
}

/**
 * A hash keyed by at least 32 bytes.
 * @throws ConfigError when the secret is shorter
 */
export const keyedHash = (secret: Uint8Array): KeyedHash => {
  if (secret.length < MIN_SECRET_BYTES) throw new ConfigError('HASH_KEY: must be at least 32 bytes')
  const key = createSecretKey(secret)
  return (...parts) => new Uint8Array(createHmac('sha256', key).update(framed(parts)).digest())
}

/**
 * Reads HASH_KEY: base64 of at least 32 bytes.
 * @throws ConfigError, whose message never contains the value
 */
export const parseHashKey = (text: string): Uint8Array => {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.toString('base64') !== text) throw new ConfigError('HASH_KEY: must be base64')
  if (bytes.length < MIN_SECRET_BYTES) throw new ConfigError('HASH_KEY: must be at least 32 bytes')
  return new Uint8Array(bytes)
}
