// Whether whoever shows a token holds the key that it is bound to (RFC 9449 section 7).
import { digest, readProof } from '../../shared/domains/oauth/dpop-proof.ts'

/** How far a proof may be from our clock, in seconds. */
export const PROOF_SECONDS = 60

/**
 * Notes that a proof was shown. Answers whether it is the first time within the given seconds. The default remembers in this process alone; a resource server of
 * several processes should give one that all of them share.
 */
export type NoteOnce = (id: string, seconds: number) => Promise<boolean>

/** In memory, bounded: with this many proofs a minute a single process has other sorrows, and the oldest are near their end anyway. */
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
