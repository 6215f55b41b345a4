// Whether signatures of a key that another party publishes can be trusted. Node's key import validates the key.
import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'

const LEAST_RSA_BITS = 2048

const imported = (jwk: Readonly<Record<string, unknown>>): KeyObject | undefined => {
  try {
    return createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' })
  } catch {
    return undefined
  }
}

/** Why signatures of this key must not be trusted; undefined for a valid key of sufficient strength. */
export const weaknessOf = (jwk: Readonly<Record<string, unknown>>): string | undefined => {
  const key = imported(jwk)
  // The import also fails for a point that is not on its curve.
  if (key === undefined) return 'is not a valid public key'
  if (key.asymmetricKeyType === 'ec' || key.asymmetricKeyType === 'ed25519') return undefined
  if (key.asymmetricKeyType !== 'rsa') return 'is not a key for signatures'
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {}
  if (modulusLength < LEAST_RSA_BITS) return `must have at least ${LEAST_RSA_BITS} bits`
  return publicExponent < 3n || publicExponent % 2n === 0n ? 'has an exponent that protects nothing' : undefined
}
