// The cache on a Redis server over TCP. Connects at the first use and again by itself; whatever keeps it from answering within a second is CacheAway.
import type { Clock } from '../clock.ts'
import { type Cache, CacheAway, type Window } from './cache.ts'
import { addressOf, type Command, type Connection, ConnectionLost, openConnection, type Reply, ReplyError } from './resp.ts'
import { bucketAt, slidingCount } from './sliding.ts'

const TIMEOUT_MS = 1000
const RETRY_STEP_MS = 50
const RETRY_MAX_MS = 500

/** The server's word that the command itself was wrong: a mistake of ours, not an absence. */
const isOurMistake = (error: unknown): boolean => error instanceof ReplyError && /^(WRONGTYPE|ERR (?!max number of clients))/.test(error.message)

/** Redis takes whole, positive times alone; what is left of a lifetime may be neither. */
const lifeMs = (seconds: number): number => Math.max(1, Math.ceil(seconds * 1000))

const TIMED_OUT = Symbol('no answer in time')
const within = async <T>(work: Promise<T>, ms: number): Promise<T | typeof TIMED_OUT> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<typeof TIMED_OUT>((resolve) => {
    timer = setTimeout(() => resolve(TIMED_OUT), ms)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

type Line = {
  /** In one write. @throws CacheAway, or ReplyError on a mistake of ours */
  ask(...commands: readonly Command[]): Promise<readonly Reply[]>
  close(): Promise<void>
}

const lineTo = (url: string): Line => {
  const address = addressOf(url)
  let connection: Connection | undefined
  let failedConnects = 0
  let isClosed = false

  const open = (): Connection => {
    const opened = openConnection(address, TIMEOUT_MS, {
      opened: () => {
        failedConnects = 0
      },
      closed: (wasOpen) => {
        if (connection === opened) connection = undefined
        if (wasOpen || isClosed) return
        failedConnects += 1
        setTimeout(() => isClosed || connection || open(), Math.min(failedConnects * RETRY_STEP_MS, RETRY_MAX_MS)).unref()
      },
    })
    connection = opened
    return opened
  }

  /** A connection that died while idle is replaced and the commands sent again. Sent twice, `take` and `putIfAbsent` can lose, never win twice. */
  const sent = async (commands: readonly Command[], tries: number): Promise<readonly Reply[]> => {
    const used = connection ?? open()
    const replies = await within(used.send(commands), TIMEOUT_MS).catch((error: unknown) => {
      if (tries > 1 && error instanceof ConnectionLost && !isClosed) return sent(commands, tries - 1)
      throw error
    })
    if (replies !== TIMED_OUT) return replies
    // A peer that vanished without a word leaves the connection open, and every call would wait its second until the kernel gives up.
    used.destroy()
    throw new Error('The cache does not answer.')
  }

  return {
    ask: async (...commands) => {
      // Known to be away: nobody waits for the next attempt, which runs by itself.
      if (failedConnects > 1) throw new CacheAway('reconnecting')
      let refused: Reply | undefined
      try {
        const replies = await sent(commands, 2)
        refused = replies.flat().find((reply) => reply instanceof ReplyError)
        if (refused === undefined) return replies
      } catch (error) {
        throw new CacheAway(error)
      }
      if (isOurMistake(refused)) throw refused
      // It cannot serve now: it loads its data, or others took its place.
      connection?.destroy()
      throw new CacheAway(refused)
    },
    close: async () => {
      isClosed = true
      if (connection !== undefined && failedConnects === 0) await within(connection.send([['QUIT']]), TIMEOUT_MS).catch(() => undefined)
      connection?.destroy()
    },
  }
}

/** As one transaction in one write; the replies of the commands in order. */
const executed = async (line: Line, commands: readonly Command[]): Promise<readonly Reply[]> => {
  const replies = (await line.ask(['MULTI'], ...commands, ['EXEC'])).at(-1)
  if (!Array.isArray(replies)) throw new Error('The transaction was not run.')
  return replies
}

const countWindows = async (line: Line, prefix: string, windows: readonly Window[], now: Date): Promise<number[]> => {
  const buckets = windows.map(({ windowSeconds }) => bucketAt(now, windowSeconds))
  const commands = windows.flatMap(({ key, windowSeconds }, at): Command[] => {
    const [name, number] = [`${prefix}window:${windowSeconds}:${key}`, buckets[at]?.number ?? 0]
    return [
      ['INCR', `${name}:${number}`],
      ['PEXPIRE', `${name}:${number}`, lifeMs(2 * windowSeconds)],
      ['GET', `${name}:${number - 1}`],
    ]
  })
  const replies = await executed(line, commands)
  return buckets.map((bucket, at) => slidingCount(Number(replies[3 * at + 2] ?? 0), Number(replies[3 * at]), bucket))
}

const peekWindows = async (line: Line, prefix: string, windows: readonly Window[], now: Date): Promise<number[]> => {
  const buckets = windows.map(({ windowSeconds }) => bucketAt(now, windowSeconds))
  const names = windows.flatMap(({ key, windowSeconds }, at) => {
    const number = buckets[at]?.number ?? 0
    return [`${prefix}window:${windowSeconds}:${key}:${number}`, `${prefix}window:${windowSeconds}:${key}:${number - 1}`]
  })
  const counts = listOf((await line.ask(['MGET', ...names]))[0])
  return buckets.map((bucket, at) => slidingCount(Number(counts[2 * at + 1] ?? 0), Number(counts[2 * at] ?? 0), bucket))
}

const listOf = (reply: Reply | undefined): readonly Reply[] => (Array.isArray(reply) ? reply : [])
const textOf = (reply: Reply | undefined): string | undefined => (typeof reply === 'string' ? reply : undefined)

/** Windows are cut by `clock`; entries expire by the server's own. Opens no connection until it is used. */
export const redisCache = (url: string, clock: Clock, prefix = 'authsec:'): Cache => {
  const line = lineTo(url)
  const one = async (...command: Command): Promise<Reply | undefined> => (await line.ask(command))[0]
  return {
    get: async (key) => textOf(await one('GET', prefix + key)),
    put: async (key, value, ttlSeconds) => void (await one('SET', prefix + key, value, 'PX', lifeMs(ttlSeconds))),
    putIfAbsent: async (key, value, ttlSeconds) => (await one('SET', prefix + key, value, 'PX', lifeMs(ttlSeconds), 'NX')) === 'OK',
    take: async (key) => textOf(await one('GETDEL', prefix + key)),
    drop: async (key) => void (await one('DEL', prefix + key)),
    count: async (windows) => (windows.length === 0 ? [] : countWindows(line, prefix, windows, clock.now())),
    peek: async (windows) => (windows.length === 0 ? [] : peekWindows(line, prefix, windows, clock.now())),
    add: async (name, sums) => {
      const commands = Object.entries(sums).map(([field, by]): Command => ['HINCRBYFLOAT', `${prefix}sums:${name}`, field, by])
      if (commands.length > 0) await executed(line, commands)
    },
    sums: async (name) => {
      const flat = listOf(await one('HGETALL', `${prefix}sums:${name}`))
      return Object.fromEntries(flat.flatMap((field, at) => (at % 2 === 0 ? [[String(field), Number(flat[at + 1])] as const] : [])))
    },
    ping: async () => void (await one('PING')),
    close: line.close,
  }
}
