// The cache on a Redis server over TCP. Connects at first use and reconnects by itself; any failure to answer within a second is CacheUnavailable.
import { type ChainableCommander, Redis } from 'ioredis'
import type { Clock } from '#shared/kernel/clock'
import { type Cache, CacheUnavailable, type Window } from './cache.ts'
import { bucketAt, slidingCount } from './sliding.ts'

const TIMEOUT_MS = 1000
const HANG_UP_MS = 100
const RETRY_STEP_MS = 50
const RETRY_MAX_MS = 500

/** The server reports a wrong command: our error, not unavailability. */
const isOurMistake = (error: unknown): boolean =>
  error instanceof Error && error.name === 'ReplyError' && /^(WRONGTYPE|ERR (?!max number of clients))/.test(error.message)

const isTimeout = (error: unknown): boolean => error instanceof Error && error.message === 'Command timed out'

/** Redis accepts only positive integers; the rest of a lifetime may be neither. */
const lifeMs = (seconds: number): number => Math.max(1, Math.ceil(seconds * 1000))

type Line = { readonly redis: Redis; answer<T>(ask: (redis: Redis) => Promise<T>): Promise<T> }

const lineTo = (url: string, keyPrefix: string): Line => {
  let failedConnects = 0
  const redis = new Redis(url, {
    keyPrefix,
    lazyConnect: true,
    connectTimeout: TIMEOUT_MS,
    commandTimeout: TIMEOUT_MS,
    disconnectTimeout: HANG_UP_MS,
    // A connection that dropped while idle is replaced and the command is sent again. Sent twice, `take` and `putIfAbsent` can lose, but never win
    // twice.
    maxRetriesPerRequest: 1,
    retryStrategy: (attempt) => {
      failedConnects = attempt
      return Math.min(attempt * RETRY_STEP_MS, RETRY_MAX_MS)
    },
  })
  redis.on('ready', () => {
    failedConnects = 0
  })
  // Every call reports its own error; without a listener ioredis would print it.
  redis.on('error', () => undefined)

  const answer = async <T>(ask: (redis: Redis) => Promise<T>): Promise<T> => {
    // While the server is known to be unavailable, callers do not wait for the next attempt, which runs by itself.
    if (failedConnects > 1) throw new CacheUnavailable('reconnecting')
    try {
      return await ask(redis)
    } catch (error) {
      if (isOurMistake(error)) throw error
      // A peer that vanished silently leaves the connection open, and every call would wait for its timeout until the kernel gives up. (The driver's
      // `socketTimeout` does not help: its timer outlives the connection and kills the next one, redis/ioredis#2147.)
      if (isTimeout(error) && redis.status === 'ready') redis.disconnect(true)
      throw new CacheUnavailable(error)
    }
  }
  return { redis, answer }
}

/** Runs the queued commands as one transaction in one write, and returns the replies in order. */
const executed = async (commands: ChainableCommander): Promise<unknown[]> => {
  const replies = await commands.exec()
  if (replies === null) throw new Error('The transaction was not run.')
  return replies.map(([error, reply]) => {
    if (error !== null) throw error
    return reply
  })
}

const countWindows = async (redis: Redis, windows: readonly Window[], now: Date): Promise<number[]> => {
  const commands = redis.multi()
  const buckets = windows.map(({ key, windowSeconds }) => {
    const bucket = bucketAt(now, windowSeconds)
    const name = `window:${windowSeconds}:${key}`
    const current = `${name}:${bucket.number}`
    commands
      .incr(current)
      .pexpire(current, lifeMs(2 * windowSeconds))
      .get(`${name}:${bucket.number - 1}`)
    return bucket
  })
  const replies = await executed(commands)
  return buckets.map((bucket, at) => slidingCount(Number(replies[3 * at + 2] ?? 0), Number(replies[3 * at]), bucket))
}

const peekWindows = async (redis: Redis, windows: readonly Window[], now: Date): Promise<number[]> => {
  const buckets = windows.map(({ windowSeconds }) => bucketAt(now, windowSeconds))
  const names = windows.flatMap(({ key, windowSeconds }, at) => {
    const number = buckets[at]?.number ?? 0
    return [`window:${windowSeconds}:${key}:${number}`, `window:${windowSeconds}:${key}:${number - 1}`]
  })
  const counts = await redis.mget(names)
  return buckets.map((bucket, at) => slidingCount(Number(counts[2 * at + 1] ?? 0), Number(counts[2 * at] ?? 0), bucket))
}

const SUMS_AT_ONCE = 1000
/** Reads in chunks, each of which is answered within the time limit: all instances together have many series. */
const readSums = async (redis: Redis, name: string): Promise<Readonly<Record<string, number>>> => {
  const sums = new Map<string, number>()
  let cursor = '0'
  do {
    const [next, pairs] = await redis.hscan(`sums:${name}`, cursor, 'COUNT', SUMS_AT_ONCE)
    for (let at = 0; at < pairs.length; at += 2) sums.set(String(pairs[at]), Number(pairs[at + 1]))
    cursor = next
  } while (cursor !== '0')
  return Object.fromEntries(sums)
}

const addSums = (redis: Redis, name: string, sums: Readonly<Record<string, number>>): Promise<unknown> => {
  const commands = redis.multi()
  for (const [field, by] of Object.entries(sums)) commands.hincrbyfloat(`sums:${name}`, field, by)
  return executed(commands)
}

/** `clock` determines the windows; entries expire by the server's clock. Opens no connection until it is used. */
export const redisCache = (url: string, clock: Clock, keyPrefix = 'authsec:'): Cache => {
  const { redis, answer } = lineTo(url, keyPrefix)
  return {
    get: (key) => answer(async (r) => (await r.get(key)) ?? undefined),
    put: (key, value, ttlSeconds) => answer(async (r) => void (await r.set(key, value, 'PX', lifeMs(ttlSeconds)))),
    putIfAbsent: (key, value, ttlSeconds) => answer(async (r) => (await r.set(key, value, 'PX', lifeMs(ttlSeconds), 'NX')) === 'OK'),
    take: (key) => answer(async (r) => (await r.getdel(key)) ?? undefined),
    drop: (key) => answer(async (r) => void (await r.del(key))),
    count: async (windows) => (windows.length === 0 ? [] : answer((r) => countWindows(r, windows, clock.now()))),
    peek: async (windows) => (windows.length === 0 ? [] : answer((r) => peekWindows(r, windows, clock.now()))),
    add: async (name, sums) => {
      if (Object.keys(sums).length > 0) await answer((r) => addSums(r, name, sums))
    },
    sums: (name) => answer((r) => readSums(r, name)),
    ping: () => answer(async (r) => void (await r.ping())),
    close: async () => {
      if (redis.status === 'ready') await redis.quit().catch(() => undefined)
      redis.disconnect()
    },
  }
}
