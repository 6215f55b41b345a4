// Checks that the caller holds the key to which the token is bound (RFC 9449 section 7).
import { digest, readProof } from '../../shared/domains/oauth/dpop-proof.ts'

/** Accepted difference between a proof's time and our clock, in seconds. */
export const PROOF_SECONDS = 60

/**
 * Records that a proof was used. Returns whether this is its first use within the given seconds. The default remembers proofs in this process only; a resource server
 * with several processes should pass a shared implementation.
 */
export type NoteOnce = (id: string, seconds: number) => Promise<boolean>

/** In memory and bounded: when full, the oldest proofs are dropped, which are close to their expiry. */
const MOST = 100_000

export const noteInMemory = (now: () => Date): NoteOnce => {
  const seen = new Map<string, number>()
  return async (id, seconds) => {
    const at = now().getTime()
    for (const [old, until] of seen) {
      if (until > at && seen.size < MOST) break
      seen.delete(old)
    }
    if (seen.has(id)) return false
    seen.set(id, at + seconds * 1000)
    return true
  }
}

export type PresentedProof = {
  readonly proof: string | null
  readonly method: string
  readonly url: string
  readonly token: string
  readonly jkt: string
}

export const verifyProof = async ({ proof, method, url, token, jkt }: PresentedProof, now: () => Date, noteOnce: NoteOnce): Promise<boolean> => {
  const read = proof === null ? undefined : await readProof(proof, { method, url, token })
  if (read === undefined || read.jkt !== jkt) return false
  if (Math.abs(now().getTime() / 1000 - read.iat) > PROOF_SECONDS) return false
  return noteOnce(await digest(`${jkt} ${read.jti}`), 2 * PROOF_SECONDS)
}
