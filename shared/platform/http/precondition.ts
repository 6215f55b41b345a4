// Optimistic concurrency by entity tags (RFC 9110 sections 8.8.3 and 13.1.1): of two callers who read and change the same resource, the second gets
// an error.
import { createHash } from 'node:crypto'
import { AppError } from '#shared/kernel/errors'
import type { PlatformRequestCtx } from '#shared/platform/context'

/** A strong entity tag over everything that a caller can change; leave out fields that the system maintains. */
export const etagOf = (record: unknown): string => `"${createHash('sha256').update(JSON.stringify(record)).digest('base64url').slice(0, 22)}"`

/**
 * Compares with the resource's current tag, read under its lock.
 * @throws AppError precondition_failed
 */
export type Precondition = (etag: string) => void

/**
 * The request's If-Match condition. Our own paths require it; AuthSec's clients do not know it, so it is optional on their paths. Tags are compared
 * strongly: a weak one never matches.
 * @throws AppError precondition_required
 */
export const preconditionOf = ({ request }: Pick<PlatformRequestCtx, 'request'>, is: 'required' | 'optional'): Precondition => {
  const wanted = request.header('if-match')
  if (wanted === undefined && is === 'optional') return () => undefined
  if (wanted === undefined) throw new AppError('precondition_required', undefined, { field: 'header.if-match' })
  const tags = wanted.split(',').map((tag) => tag.trim())
  return (etag) => {
    if (!tags.includes('*') && !tags.includes(etag)) throw new AppError('precondition_failed')
  }
}
