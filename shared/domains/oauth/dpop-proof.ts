// Parses a DPoP proof (RFC 9449): its form, its signature, and that it is for this request. The caller checks age and replay. Uses web standards only, since
// resource servers parse proofs as well, also at the edge.
import { base64url, calculateJwkThumbprint, compactVerify, importJWK, type JWK } from 'jose'
import { CLIENT_SIGNING_ALGS } from './supported.ts'

const MAX_PROOF_LENGTH = 4096
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

export type ProofOf = {
  readonly method: string
  /** Origin and path that were called. */
  readonly url: string
  /** The access token that is presented with the proof at a resource (`ath`). */
  readonly token?: string | undefined
}

export type Proof = {
  /** Thumbprint of the key that signed it (RFC 7638, SHA-256). */
  readonly jkt: string
  readonly jti: string
  /** Seconds since 1970. */
  readonly iat: number
  readonly nonce: string | undefined
}

type Json = Readonly<Record<string, unknown>>
const objectOf = (segment: string | undefined): Json | undefined => {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(base64url.decode(segment ?? '')))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined
  } catch {
    return undefined
  }
}

/** The public key in the header; a private or symmetric one is refused. */
const keyIn = ({ typ, alg, jwk, crit }: Json): { readonly jwk: JWK; readonly alg: string } | undefined => {
  const isOffered = typeof alg === 'string' && (CLIENT_SIGNING_ALGS as readonly string[]).includes(alg)
  if (typ !== 'dpop+jwt' || !isOffered || typeof jwk !== 'object' || jwk === null || crit !== undefined) return undefined
  return PRIVATE_MEMBERS.some((name) => Object.hasOwn(jwk, name)) ? undefined : { jwk: jwk as JWK, alg }
}

const thumbprint = async (proof: string, { jwk, alg }: { readonly jwk: JWK; readonly alg: string }): Promise<string | undefined> => {
  try {
    await compactVerify(proof, await importJWK(jwk, alg), { algorithms: [alg] })
    return await calculateJwkThumbprint(jwk)
  } catch {
    return undefined
  }
}

/** RFC 9449 section 4.3, check 9: without query and fragment, and compared as URLs, so that different spellings of one address are equal. */
const isTarget = (htu: unknown, target: string): boolean => {
  if (typeof htu !== 'string' || !URL.canParse(htu)) return false
  const url = new URL(htu)
  return `${url.origin}${url.pathname}` === target && url.username === '' && url.password === ''
}

/** SHA-256 in base64url: `ath` of a token. */
export const digest = async (text: string): Promise<string> =>
  base64url.encode(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))))

const claimsOf = async ({ htm, htu, iat, jti, nonce, ath }: Json, of: ProofOf): Promise<Omit<Proof, 'jkt'> | undefined> => {
  if (htm !== of.method || !isTarget(htu, of.url)) return undefined
  if (typeof jti !== 'string' || jti === '' || jti.length > 256 || typeof iat !== 'number' || !Number.isFinite(iat)) return undefined
  if (of.token !== undefined && ath !== (await digest(of.token))) return undefined
  if (nonce !== undefined && typeof nonce !== 'string') return undefined
  return { iat, jti, nonce }
}

/** The content of a proof; undefined when it is invalid, or for another request or token. */
export const readProof = async (proof: string, of: ProofOf): Promise<Proof | undefined> => {
  const segments = proof.split('.')
  // Two headers arrive as one, joined by a comma.
  if (proof.length > MAX_PROOF_LENGTH || segments.length !== 3 || !/^[\w.-]+$/.test(proof)) return undefined
  const [header, payload] = [objectOf(segments[0]), objectOf(segments[1])]
  const key = header === undefined ? undefined : keyIn(header)
  const jkt = key === undefined ? undefined : await thumbprint(proof, key)
  const claims = jkt === undefined || payload === undefined ? undefined : await claimsOf(payload, of)
  return jkt === undefined || claims === undefined ? undefined : { jkt, ...claims }
}
