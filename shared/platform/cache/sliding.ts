// A sliding window computed from two buckets: the current count plus the remaining share of the previous one. It needs two numbers per key; the
// memory cache, Redis and the Postgres counters all use it.

export type Bucket = {
  /** Bucket number since 1970; the previous bucket has the number before. */
  readonly number: number
  readonly startedAt: Date
  readonly lengthMs: number
  /** Time until this bucket ends, which equals the share of the previous one that is still inside the window. */
  readonly remainingMs: number
}

export const bucketAt = (at: Date, windowSeconds: number): Bucket => {
  const lengthMs = windowSeconds * 1000
  const number = Math.floor(at.getTime() / lengthMs)
  const startedAt = new Date(number * lengthMs)
  return { number, startedAt, lengthMs, remainingMs: lengthMs - (at.getTime() - startedAt.getTime()) }
}

/** Rounds up, so that it never counts too few. Divides last, so that integral results stay exact. */
export const slidingCount = (previous: number, current: number, { remainingMs, lengthMs }: Bucket): number =>
  current + Math.ceil((previous * remainingMs) / lengthMs)
