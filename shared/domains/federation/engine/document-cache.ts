// What was learned of providers through one way out: metadata and keys, for minutes, so that most sign-ins ask the provider for nothing but the exchange.
import type { ExportedJWKSCache } from 'openid-client'
import { ageMs, type Clock, type ClockReading, readClock } from '#shared/kernel/clock'
import type { Outbound } from '#shared/platform/fetch/guarded'

const FRESH_MS = 10 * 60_000
const MOST_PROVIDERS = 500

type Kept<T> = { readonly value: T; readonly since: ClockReading }

export type DocumentCache = {
  readonly documents: Map<string, Kept<{ readonly body: Uint8Array; readonly type: string }>>
  readonly keys: Map<string, Kept<ExportedJWKSCache['jwks']>>
}

const memories = new WeakMap<Outbound, DocumentCache>()

export const documentCacheOf = (outbound: Outbound): DocumentCache => {
  const memory = memories.get(outbound) ?? { documents: new Map(), keys: new Map() }
  memories.set(outbound, memory)
  return memory
}

export const readCached = <T>(kept: Map<string, Kept<T>>, key: string, clock: Clock): T | undefined => {
  const entry = kept.get(key)
  return entry !== undefined && ageMs(clock, entry.since) < FRESH_MS ? entry.value : undefined
}

export const storeCached = <T>(kept: Map<string, Kept<T>>, key: string, value: T, clock: Clock): void => {
  if (kept.size >= MOST_PROVIDERS) kept.clear()
  kept.set(key, { value, since: readClock(clock) })
}
