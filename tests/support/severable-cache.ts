// A cache for tests that can be made unavailable.
import { type Cache, CacheUnavailable } from '#shared/platform/cache/cache'
import type { Switch } from './counted.ts'

export const severableCache = (cache: Cache): Switch & { readonly cache: Cache } => {
  let isCut = false
  const through =
    <Given extends readonly unknown[], T>(call: (...given: Given) => Promise<T>) =>
    async (...given: Given): Promise<T> => {
      if (isCut) throw new CacheUnavailable(new Error('cut by the test'))
      return call(...given)
    }
  return {
    cache: {
      get: through(cache.get),
      put: through(cache.put),
      putIfAbsent: through(cache.putIfAbsent),
      take: through(cache.take),
      drop: through(cache.drop),
      count: through(cache.count),
      peek: through(cache.peek),
      add: through(cache.add),
      sums: through(cache.sums),
      ping: through(cache.ping),
      close: cache.close,
    },
    cut: () => {
      isCut = true
    },
    mend: () => {
      isCut = false
    },
  }
}
