// A sliding window out of two buckets: what the current one holds, and of the previous one the share that still lies inside the window.
// It needs two numbers a key however busy the key is; the memory cache, Redis and the counters in Postgres all count this way.

export type Bucket = {
  /** Which bucket since 1970; the previous one is one less. */
  readonly number: number
  readonly startedAt: Date
  readonly lengthMs: number
  /** Until this bucket ends; as much of the previous one still lies inside the window. */
  readonly remainingMs: number
}

export const bucketAt = (at: Date, windowSeconds: number): Bucket => {
  const lengthMs = windowSeconds * 1000
  const number = Math.floor(at.getTime() / lengthMs)
  const startedAt = new Date(number * lengthMs)
  return { number, startedAt, lengthMs, remainingMs: lengthMs - (at.getTime() - startedAt.getTime()) }
}

/** Rounds up: in doubt it counts one too many. Divides last, so that whole results stay whole. */
export const slidingCount = (previous: number, current: number, { remainingMs, lengthMs }: Bucket): number =>
  current + Math.ceil((previous * remainingMs) / lengthMs)
