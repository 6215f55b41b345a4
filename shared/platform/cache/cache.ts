// The interface of the shared cache. Its contents may be lost at any moment: anything that grants access is also stored in Postgres, or its loss is
// safe.

/** The cache is unavailable. Callers refuse or fall back to Postgres; they never skip a check. */
export class CacheUnavailable extends Error {
  constructor(cause: unknown) {
    super('The cache cannot be reached.', { cause })
    this.name = 'CacheUnavailable'
  }
}

/** A sliding window: the number of times that `key` was counted within the last `windowSeconds`. */
export type Window = { readonly key: string; readonly windowSeconds: number }

/** All methods throw CacheUnavailable when the server does not answer within a second. Keys are our own and contain no personal data in clear text. */
export type Cache = {
  get(key: string): Promise<string | undefined>
  put(key: string, value: string, ttlSeconds: number): Promise<void>
  /** Stores the value unless the key exists; of many concurrent calls exactly one returns true. */
  putIfAbsent(key: string, value: string, ttlSeconds: number): Promise<boolean>
  /** Reads and deletes atomically; of many concurrent calls exactly one gets the value. */
  take(key: string): Promise<string | undefined>
  drop(key: string): Promise<void>
  /**
   * Counts each window once and returns the counts including this one, in one round trip. The window slides over two buckets: exact for evenly spread
   * calls, and after a burst never below the current bucket.
   */
  count(windows: readonly Window[]): Promise<number[]>
  /** As `count`, without counting. */
  peek(windows: readonly Window[]): Promise<number[]>
  /** Adds to the sums under a name (the metrics of all instances), in one round trip. */
  add(name: string, sums: Readonly<Record<string, number>>): Promise<void>
  /** The sums under that name. */
  sums(name: string): Promise<Readonly<Record<string, number>>>
  /** @throws CacheUnavailable unless the server answers */
  ping(): Promise<void>
  close(): Promise<void>
}
