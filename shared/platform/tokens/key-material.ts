// The private and public parts of a signing key. The public key is derived from the sealed private key, so a public key planted in the table verifies
// nothing.
import { importJWK, type JWK } from 'jose'
import type { Keyring } from '#shared/platform/crypto/keyring'
import type { Alg } from './signing-key.ts'

export type PublicJwk = Readonly<Record<string, string>>
export type KeyMaterial = { readonly publicJwk: PublicJwk; readonly signingKey: CryptoKey; readonly verifyingKey: CryptoKey }

/** RFC 7518 sections 6.2.1 and 6.3.1: the members of a public key, and no others. */
const PUBLIC_MEMBERS: Readonly<Record<Alg, readonly (keyof JWK)[]>> = { ES256: ['kty', 'crv', 'x', 'y'], RS256: ['kty', 'n', 'e'] }

/** RFC 7517 section 4. */
export const publicHalf = (jwk: JWK, alg: Alg, kid: string): PublicJwk => {
  const members = PUBLIC_MEMBERS[alg].map((name) => [name, String(jwk[name])])
  return { ...Object.fromEntries(members), kid, alg, use: 'sig' }
}

export const keyBinding = (alg: Alg, kid: string): string => `signing_keys/${alg}/${kid}`

const imported = async (jwk: JWK, alg: Alg): Promise<CryptoKey> => {
  const key = await importJWK(jwk, alg, { extractable: false })
  if (key instanceof Uint8Array) throw new Error('A signing key is asymmetric.')
  return key
}

export type SealedKey = { readonly kid: string; readonly alg: Alg; readonly sealedPrivateJwk: Uint8Array }

/** @throws SealError when the key was altered, belongs to another id, or is sealed with a master key that is not configured */
export const openKey = async (keyring: Keyring, { kid, alg, sealedPrivateJwk }: SealedKey): Promise<KeyMaterial> => {
  const privateJwk: JWK = JSON.parse(await keyring.openForDeployment(sealedPrivateJwk, keyBinding(alg, kid)))
  const publicJwk = publicHalf(privateJwk, alg, kid)
  return { publicJwk, signingKey: await imported(privateJwk, alg), verifyingKey: await imported(publicJwk, alg) }
}
