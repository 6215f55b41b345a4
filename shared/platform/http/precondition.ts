// Changes against what was read (RFC 9110 sections 8.8.3 and 13.1.1): of two who read the same and change it, the second is told.
import { createHash } from 'node:crypto'
import { AppError } from '#shared/kernel/errors'
import type { PlatformRequestCtx } from '#shared/platform/context'

/** A strong tag of everything about a thing that a caller can change; what the system notes beside it does not belong here. */
export const etagOf = (record: unknown): string => `"${createHash('sha256').update(JSON.stringify(record)).digest('base64url').slice(0, 22)}"`

/** Judges the thing as it is under its lock. @throws AppError precondition_failed */
export type Precondition = (etag: string) => void

/**
 * What the request says of the thing that it changes. On our own paths it must say something; AuthSec's clients do not know how, so there it is judged where
 * it is sent. Tags are compared strongly: a weak one matches nothing.
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
