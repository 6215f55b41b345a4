// The cache at Upstash over its REST API, without a connection that a frozen function could lose. Any failure to answer within a second is CacheUnavailable.
import { type Pipeline, Redis } from '@upstash/redis'
import type { Clock } from '#shared/kernel/clock'
import { type Cache, CacheUnavailable, type Window } from './cache.ts'
import { bucketAt, slidingCount } from './sliding.ts'

const TIMEOUT_MS = 1000

/** Redis accepts only positive integers; the rest of a lifetime may be neither. */
const lifeMs = (seconds: number): number => Math.max(1, Math.ceil(seconds * 1000))

/** The server reports a wrong command: our error, not unavailability. */
const isOurMistake = (error: unknown): boolean =>
  error instanceof Error && error.name === 'UpstashError' && /WRONGTYPE|ERR (?!max)/.test(error.message)

const answer = async <T>(ask: () => Promise<T>): Promise<T> => {
  try {
    return await ask()
  } catch (error) {
    throw isOurMistake(error) ? error : new CacheUnavailable(error)
  }
}

const countWindows = async (redis: Redis, prefix: string, windows: readonly Window[], now: Date): Promise<number[]> => {
  const commands: Pipeline = redis.multi()
  const buckets = windows.map(({ key, windowSeconds }) => {
    const bucket = bucketAt(now, windowSeconds)
    const name = `${prefix}window:${windowSeconds}:${key}`
    const current = `${name}:${bucket.number}`
    commands
      .incr(current)
      .pexpire(current, lifeMs(2 * windowSeconds))
      .get(`${name}:${bucket.number - 1}`)
    return bucket
  })
  const replies = await commands.exec<unknown[]>()
  return buckets.map((bucket, at) => slidingCount(Number(replies[3 * at + 2] ?? 0), Number(replies[3 * at]), bucket))
}

const peekWindows = async (redis: Redis, prefix: string, windows: readonly Window[], now: Date): Promise<number[]> => {
  const buckets = windows.map(({ windowSeconds }) => bucketAt(now, windowSeconds))
  const names = windows.flatMap(({ key, windowSeconds }, at) => {
    const number = buckets[at]?.number ?? 0
    return [`${prefix}window:${windowSeconds}:${key}:${number}`, `${prefix}window:${windowSeconds}:${key}:${number - 1}`]
  })
  const counts = await redis.mget<(string | null)[]>(...names)
  return buckets.map((bucket, at) => slidingCount(Number(counts[2 * at + 1] ?? 0), Number(counts[2 * at] ?? 0), bucket))
}

const SUMS_AT_ONCE = 1000
/** Reads in chunks, each of which is answered within the time limit: all instances together have many series. */
const readSums = async (redis: Redis, key: string): Promise<Readonly<Record<string, number>>> => {
  const sums = new Map<string, number>()
  let cursor = '0'
  do {
    const [next, pairs] = await redis.hscan(key, cursor, { count: SUMS_AT_ONCE })
    for (let at = 0; at < pairs.length; at += 2) sums.set(String(pairs[at]), Number(pairs[at + 1]))
    cursor = next
  } while (cursor !== '0')
  return Object.fromEntries(sums)
}

export type Upstash = { readonly url: string; readonly token: string }

/** `clock` determines the windows; entries expire by the server's clock. */
export const upstashCache = ({ url, token }: Upstash, clock: Clock, prefix = 'authsec:'): Cache => {
  const redis = new Redis({
    url,
    token,
    // Otherwise the text `true` would be returned as a boolean.
    automaticDeserialization: false,
    enableTelemetry: false,
    retry: false,
    enableAutoPipelining: false,
    signal: () => AbortSignal.timeout(TIMEOUT_MS),
  })
  const named = (key: string): string => `${prefix}${key}`
  return {
    get: (key) => answer(async () => (await redis.get<string>(named(key))) ?? undefined),
    put: (key, value, ttlSeconds) => answer(async () => void (await redis.set(named(key), value, { px: lifeMs(ttlSeconds) }))),
    putIfAbsent: (key, value, ttlSeconds) => answer(async () => (await redis.set(named(key), value, { px: lifeMs(ttlSeconds), nx: true })) === 'OK'),
    take: (key) => answer(async () => (await redis.getdel<string>(named(key))) ?? undefined),
    drop: (key) => answer(async () => void (await redis.del(named(key)))),
    count: async (windows) => (windows.length === 0 ? [] : answer(() => countWindows(redis, prefix, windows, clock.now()))),
    peek: async (windows) => (windows.length === 0 ? [] : answer(() => peekWindows(redis, prefix, windows, clock.now()))),
    add: async (name, sums) => {
      if (Object.keys(sums).length === 0) return
      const commands: Pipeline = redis.multi()
      for (const [field, by] of Object.entries(sums)) commands.hincrbyfloat(`${prefix}sums:${name}`, field, by)
      await answer(() => commands.exec())
    },
    sums: (name) => answer(() => readSums(redis, `${prefix}sums:${name}`)),
    ping: () => answer(async () => void (await redis.ping())),
    close: async () => undefined,
  }
}
