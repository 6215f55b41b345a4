// Cache of tokens whose signature this instance has verified, by SHA-256. Only verified tokens enter, so unauthenticated callers cannot fill it;
// expiry and key are checked at every use.
import { hash } from 'node:crypto'

const KEPT_TOKENS = 5000

export const tokenDigest = (token: string): string => hash('sha256', token, 'base64url')

/**
 * Two generations: a used entry moves to the newer one, and a full newer generation replaces the older. The least recently used entries are dropped
 * without a search.
 */
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
