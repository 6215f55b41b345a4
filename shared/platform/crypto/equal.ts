// Constant-time comparison of secrets, codes and digests. The length is not secret.
import { timingSafeEqual } from 'node:crypto'

const bytesOf = (value: Uint8Array | string): Uint8Array => (typeof value === 'string' ? Buffer.from(value, 'utf16le') : value)

/** Whether both have the same bytes, or the same UTF-16 code units. */
export const constantTimeEqual = <T extends Uint8Array | string>(a: T, b: T): boolean => {
  const left = bytesOf(a)
  const right = bytesOf(b)
  return left.length === right.length && timingSafeEqual(left, right)
}
