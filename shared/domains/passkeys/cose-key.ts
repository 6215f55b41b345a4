// What a passkey's public key has to be, whether it was just made or comes from elsewhere.

/** COSE: kty 1, alg 3, and by type crv -1 or n -1 and e -2 (RFC 9052, RFC 9053). Another pairing would let a key be read as what it is not. */
const KTY = { okp: 1, ec2: 2, rsa: 3 } as const
const LEAST_MODULUS_BYTES = 256

const isSoundKey = (key: ReadonlyMap<number, unknown>): boolean => {
  const [kty, alg] = [key.get(1), key.get(3)]
  if (alg === -7) return kty === KTY.ec2 && key.get(-1) === 1
  if (alg === -8) return kty === KTY.okp && key.get(-1) === 6
  const modulus = key.get(-1)
  return alg === -257 && kty === KTY.rsa && modulus instanceof Uint8Array && modulus.length >= LEAST_MODULUS_BYTES
}

/** The COSE algorithm of a key that is what it says it is; undefined for every other. The library decodes, loaded when it is first needed. */
export const algorithmOf = async (publicKey: Uint8Array): Promise<number | undefined> => {
  const { decodeCredentialPublicKey } = await import('@simplewebauthn/server/helpers')
  // Whatever its declared type says, it is what was decoded.
  const key: unknown = decodeCredentialPublicKey(new Uint8Array(publicKey))
  const algorithm: unknown = key instanceof Map ? key.get(3) : undefined
  return key instanceof Map && typeof algorithm === 'number' && isSoundKey(key) ? algorithm : undefined
}
