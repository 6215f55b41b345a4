// The shared cache, in our words. What it holds may be lost at any moment: whatever unlocks something has its record in Postgres or is lost on the safe side.

/** The cache cannot be reached. Callers close the door or fall back to Postgres; they never let through. */
export class CacheUnavailable extends Error {
  constructor(cause: unknown) {
    super('The cache cannot be reached.', { cause })
    this.name = 'CacheAway'
  }
}

/** One sliding window: how many times `key` was counted within the last `windowSeconds`. */
export type Window = { readonly key: string; readonly windowSeconds: number }

/** All throw CacheAway when the server cannot be reached within a second. Keys are ours and hold no personal data in clear. */
export type Cache = {
  get(key: string): Promise<string | undefined>
  put(key: string, value: string, ttlSeconds: number): Promise<void>
  /** Puts unless the key is there; of many at once exactly one is told true. */
  putIfAbsent(key: string, value: string, ttlSeconds: number): Promise<boolean>
  /** Reads and deletes in one step; of many at once exactly one gets the value. */
  take(key: string): Promise<string | undefined>
  drop(key: string): Promise<void>
  /**
   * Counts each window once and answers the counts, this one included, in one round trip. The window slides by two buckets: the count is right for
   * evenly spread calls, and after a burst never lower than what the running bucket holds.
   */
  count(windows: readonly Window[]): Promise<number[]>
  /** As `count`, counting nothing. */
  peek(windows: readonly Window[]): Promise<number[]>
  /** Adds to named sums under one name (the metrics of a fleet), in one round trip. */
  add(name: string, sums: Readonly<Record<string, number>>): Promise<void>
  /** The sums under that name. */
  sums(name: string): Promise<Readonly<Record<string, number>>>
  /** Throws CacheAway unless the server answers. */
  ping(): Promise<void>
  close(): Promise<void>
}
