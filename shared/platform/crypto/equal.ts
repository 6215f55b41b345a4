// Comparison of secrets, codes and digests in a time that tells nothing of where they differ. The length is no secret.
import { timingSafeEqual } from 'node:crypto'

const bytesOf = (value: Uint8Array | string): Uint8Array => (typeof value === 'string' ? Buffer.from(value, 'utf16le') : value)

/** Whether both are the same bytes, or the same text to the code unit. */
export const constantTimeEqual = <T extends Uint8Array | string>(a: T, b: T): boolean => {
  const left = bytesOf(a)
  const right = bytesOf(b)
  return left.length === right.length && timingSafeEqual(left, right)
}
