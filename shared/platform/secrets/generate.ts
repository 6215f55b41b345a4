// Generates the keys of a deployment at its first start.
import { createECDH } from 'node:crypto'
import type { Random } from '#shared/kernel/random'
import { KEY_BYTES } from '#shared/platform/crypto/seal'
import type { SecretName, Secrets } from './secrets.ts'

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

/** Generates MASTER_KEYS and HASH_KEY where they are missing. Returns the generated names. */
export const generateSecrets = async (secrets: Secrets, random: Random): Promise<readonly SecretName[]> => {
  const made: SecretName[] = []
  if ((await secrets.read('MASTER_KEYS')) === undefined) {
    await secrets.write('MASTER_KEYS', `m${Buffer.from(random.bytes(4)).toString('hex')}:${base64(random.bytes(KEY_BYTES))}`)
    made.push('MASTER_KEYS')
  }
  if ((await secrets.read('HASH_KEY')) === undefined) {
    await secrets.write('HASH_KEY', base64(random.bytes(KEY_BYTES)))
    made.push('HASH_KEY')
  }
  return made
}

const P256_BYTES = 32

export type PushKeys = { readonly publicKey: string; readonly privateKey: string }

/** A key pair for Web Push (RFC 8292 section 3.2), generated once: replacing it invalidates all registered browsers. */
export const generatePushKeys = async (secrets: Secrets): Promise<PushKeys> => {
  const [publicKey, privateKey] = (await secrets.read('VAPID_KEYS'))?.split(':') ?? []
  if (publicKey !== undefined && privateKey !== undefined) return { publicKey, privateKey }
  const pair = createECDH('prime256v1')
  const made = pair.generateKeys('base64url')
  const scalar = pair.getPrivateKey()
  const padded = Buffer.concat([Buffer.alloc(P256_BYTES - scalar.length), scalar]).toString('base64url')
  await secrets.write('VAPID_KEYS', `${made}:${padded}`)
  return { publicKey: made, privateKey: padded }
}
