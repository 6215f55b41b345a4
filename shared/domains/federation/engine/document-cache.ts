// Caches the metadata and keys of providers for minutes, so that most sign-ins only exchange the code.
import type { ExportedJWKSCache } from 'openid-client'
import { ageMs, type Clock, type ClockReading, readClock } from '#shared/kernel/clock'
import type { Outbound } from '#shared/platform/fetch/guarded'

const MAX_AGE_MS = 10 * 60_000
const MAX_PROVIDERS = 500

type Cached<T> = { readonly value: T; readonly since: ClockReading }

export type DocumentCache = {
  readonly documents: Map<string, Cached<{ readonly body: Uint8Array; readonly type: string }>>
  readonly keys: Map<string, Cached<ExportedJWKSCache['jwks']>>
}

const memories = new WeakMap<Outbound, DocumentCache>()

export const documentCacheOf = (outbound: Outbound): DocumentCache => {
  const memory = memories.get(outbound) ?? { documents: new Map(), keys: new Map() }
  memories.set(outbound, memory)
  return memory
}

export const readCached = <T>(cache: Map<string, Cached<T>>, key: string, clock: Clock): T | undefined => {
  const entry = cache.get(key)
  return entry !== undefined && ageMs(clock, entry.since) < MAX_AGE_MS ? entry.value : undefined
}

export const storeCached = <T>(cache: Map<string, Cached<T>>, key: string, value: T, clock: Clock): void => {
  if (cache.size >= MAX_PROVIDERS) cache.clear()
  cache.set(key, { value, since: readClock(clock) })
}
