// Public keys that no signature should be believed from, each with its reason.
import { generateKeyPairSync, type JsonWebKey } from 'node:crypto'

type Key = JsonWebKey & Readonly<Record<string, unknown>>
const exported = (publicKey: { export(options: { format: 'jwk' }): JsonWebKey }): Key => publicKey.export({ format: 'jwk' }) as Key

const ec = exported(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey)
const rsa = exported(generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey)
const flipped = (text = ''): string => `${text.startsWith('A') ? 'B' : 'A'}${text.slice(1)}`

export const STRONG_KEYS: readonly Key[] = [ec, rsa, exported(generateKeyPairSync('ed25519').publicKey)].map((key, n) => ({ ...key, kid: `k-${n}` }))

export const WEAK_KEY_SETS: readonly (readonly [string, readonly Key[]])[] = [
  ['RSA of 1024 bits', [exported(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey)]],
  ['RSA with the exponent 1', [{ ...rsa, e: 'AQ' }]],
  ['RSA with an even exponent', [{ ...rsa, e: 'AQAA' }]],
  ['RSA without a modulus', [{ kty: 'RSA', e: 'AQAB' }]],
  ['a point that is not on the curve', [{ ...ec, y: flipped(ec.y) }]],
  ['a point at zero', [{ ...ec, x: 'A'.repeat(43), y: 'A'.repeat(43) }]],
  ['half a point', [{ kty: 'EC', crv: 'P-256', x: ec.x ?? '' }]],
  ['an unknown curve', [{ ...ec, crv: 'P-257' }]],
  ['a key for encryption', [{ ...ec, use: 'enc' }]],
  ['a key for other operations', [{ ...ec, key_ops: ['deriveBits'] }]],
  ['a key for key agreement', [exported(generateKeyPairSync('x25519').publicKey)]],
  [
    'two keys of one name',
    [
      { ...ec, kid: 'k' },
      { ...rsa, kid: 'k' },
    ],
  ],
]
