// Generates signing keys, and seals existing ones with the current master key.
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose'
import type { Keyring } from '#shared/platform/crypto/keyring'
import { keyBinding, type PublicJwk, publicHalf, type SealedKey } from './key-material.ts'
import type { Alg } from './signing-key.ts'

export type NewKey = { readonly kid: string; readonly alg: Alg; readonly publicJwk: PublicJwk; readonly sealedPrivateJwk: Uint8Array }

const RSA_BITS = 2048

/** A new key; its id is its thumbprint (RFC 7638). */
export const generateKey = async (keyring: Keyring, alg: Alg): Promise<NewKey> => {
  const { privateKey } = await generateKeyPair(alg, { extractable: true, ...(alg === 'RS256' ? { modulusLength: RSA_BITS } : {}) })
  const privateJwk = await exportJWK(privateKey)
  const kid = await calculateJwkThumbprint(privateJwk)
  const sealedPrivateJwk = await keyring.sealForDeployment(JSON.stringify(privateJwk), keyBinding(alg, kid))
  return { kid, alg, publicJwk: publicHalf(privateJwk, alg, kid), sealedPrivateJwk }
}

/** The key sealed with the current master key; undefined when it already is. */
export const resealedKey = async (keyring: Keyring, { kid, alg, sealedPrivateJwk }: SealedKey): Promise<Uint8Array | undefined> => {
  if (!keyring.isUnderOlderMasterKey(sealedPrivateJwk)) return undefined
  return keyring.sealForDeployment(await keyring.openForDeployment(sealedPrivateJwk, keyBinding(alg, kid)), keyBinding(alg, kid))
}
