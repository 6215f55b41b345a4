// Validates a passkey's public key, at registration and at import.

/** COSE: kty 1, alg 3, and by type crv -1 or n -1 and e -2 (RFC 9052, RFC 9053). Other combinations would let a key be read as another type. */
const KTY = { okp: 1, ec2: 2, rsa: 3 } as const
const MIN_MODULUS_BYTES = 256

const isConsistentKey = (key: ReadonlyMap<number, unknown>): boolean => {
  const [kty, alg] = [key.get(1), key.get(3)]
  if (alg === -7) return kty === KTY.ec2 && key.get(-1) === 1
  if (alg === -8) return kty === KTY.okp && key.get(-1) === 6
  const modulus = key.get(-1)
  return alg === -257 && kty === KTY.rsa && modulus instanceof Uint8Array && modulus.length >= MIN_MODULUS_BYTES
}

/** The COSE algorithm of a consistent key, else undefined. The decoding library is loaded on first use. */
export const algorithmOf = async (publicKey: Uint8Array): Promise<number | undefined> => {
  const { decodeCredentialPublicKey } = await import('@simplewebauthn/server/helpers')
  // The library declares a narrower type than it decodes.
  const key: unknown = decodeCredentialPublicKey(new Uint8Array(publicKey))
  const algorithm: unknown = key instanceof Map ? key.get(3) : undefined
  return key instanceof Map && typeof algorithm === 'number' && isConsistentKey(key) ? algorithm : undefined
}
