// Tokens whose signature this instance has checked, by their SHA-256. Only what verified comes in, so no stranger can fill it; time and key are judged at every use.
import { hash } from 'node:crypto'

const KEPT_TOKENS = 5000

export const tokenDigest = (token: string): string => hash('sha256', token, 'base64url')

/** Two halves: what is used moves to the newer one, which becomes the older when it is full. So the tokens used longest ago go, and nothing is searched for them. */
export class VerifiedTokenCache<Seen> {
  #newer = new Map<string, Seen>()
  #older = new Map<string, Seen>()

  keep(digest: string, seen: Seen): void {
    if (this.#newer.size >= KEPT_TOKENS / 2) {
      this.#older = this.#newer
      this.#newer = new Map()
    }
    this.#newer.set(digest, seen)
  }

  recall(digest: string): Seen | undefined {
    const newer = this.#newer.get(digest)
    if (newer !== undefined) return newer
    const older = this.#older.get(digest)
    if (older !== undefined) this.keep(digest, older)
    return older
  }

  forget(digest: string): void {
    this.#newer.delete(digest)
    this.#older.delete(digest)
  }
}
