// A cache whose driver is loaded with its first use, so that a function starts without it.
import type { Cache } from './cache.ts'

export const lazyCache = (open: () => Promise<Cache>): Cache => {
  let opened: Promise<Cache> | undefined
  const cache = (): Promise<Cache> => {
    opened ??= open()
    return opened
  }
  return {
    get: async (key) => (await cache()).get(key),
    put: async (key, value, ttlSeconds) => (await cache()).put(key, value, ttlSeconds),
    putIfAbsent: async (key, value, ttlSeconds) => (await cache()).putIfAbsent(key, value, ttlSeconds),
    take: async (key) => (await cache()).take(key),
    drop: async (key) => (await cache()).drop(key),
    count: async (windows) => (await cache()).count(windows),
    peek: async (windows) => (await cache()).peek(windows),
    add: async (name, sums) => (await cache()).add(name, sums),
    sums: async (name) => (await cache()).sums(name),
    ping: async () => (await cache()).ping(),
    close: async () => {
      if (opened !== undefined) await (await opened).close()
    },
  }
}
