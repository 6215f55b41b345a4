// Client secrets have 256 random bits, so a SHA-256 digest is enough to store them.
import { constantTimeEqual } from '#shared/platform/crypto/equal'
import { sha256 } from '#shared/platform/crypto/sha256'

type Digest = Uint8Array | null | undefined
export type StoredSecret = {
  readonly secretHash: Digest
  /** The digest before the last rotation, accepted until `previousValidUntil`. */
  readonly previousSecretHash?: Digest
  readonly previousValidUntil?: Date | null | undefined
}

const matches = (digest: Uint8Array, stored: Digest): boolean => stored != null && constantTimeEqual(digest, new Uint8Array(stored))

/** Whether the secret is the current one, or the previous one during the overlap. Both comparisons always run, so that timing does not disclose which matched. */
export const isClientSecret = (secret: string, { secretHash, previousSecretHash, previousValidUntil }: StoredSecret, now: Date): boolean => {
  const digest = sha256(secret)
  const isCurrent = matches(digest, secretHash)
  const isPrevious = matches(digest, previousSecretHash) && previousValidUntil != null && now < previousValidUntil
  return isCurrent || isPrevious
}
