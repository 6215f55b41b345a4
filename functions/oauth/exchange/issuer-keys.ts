// Keys of the issuers that a tenant trusts: registered, or published by the issuer, fetched through the outbound guard and cached.
import type { JWK } from 'jose'
import type { TrustedIssuer } from '#db/store/oauth-issuers'
import { ageMs, type ClockReading, readClock } from '#shared/kernel/clock'
import type { Outbound } from '#shared/platform/fetch/guarded'
import type { Ctx } from '../group.ts'

type Stored = { readonly keys: readonly JWK[]; readonly since: ClockReading }
const CACHE_MS = 300_000
/** How soon an unknown `kid` may cause another fetch. */
const REFETCH_MS = 30_000
const MAX_CACHED_SETS = 1000
const MAX_KEYS = 50
const caches = new WeakMap<Outbound, Map<string, Stored>>()

const keysIn = (body: Uint8Array): readonly JWK[] | undefined => {
  try {
    const { keys } = JSON.parse(new TextDecoder().decode(body)) as { keys?: unknown }
    return Array.isArray(keys) ? (keys as JWK[]).slice(0, MAX_KEYS) : undefined
  } catch {
    return undefined
  }
}

/** Returns undefined where the response is missing or not a key set; then no assertion is verified. */
const fetched = async (ctx: Ctx, url: string): Promise<readonly JWK[] | undefined> => {
  try {
    const answer = await ctx.outbound.send({ url, method: 'GET', headers: { accept: 'application/json', 'user-agent': 'authsec' } })
    return answer.status === 200 ? keysIn(answer.body) : undefined
  } catch {
    return undefined
  }
}

const published = async (ctx: Ctx, url: string, kid: unknown): Promise<readonly JWK[]> => {
  const cache = caches.get(ctx.outbound) ?? new Map<string, Stored>()
  caches.set(ctx.outbound, cache)
  const known = cache.get(url)
  const age = known === undefined ? Number.POSITIVE_INFINITY : ageMs(ctx.clock, known.since)
  const isKnown = known?.keys.some((key) => key.kid === kid) === true
  if (known !== undefined && age < (isKnown ? CACHE_MS : REFETCH_MS)) return known.keys
  const keys = await fetched(ctx, url)
  // A removed key is not trusted for longer than the cache time.
  if (keys === undefined) return known !== undefined && age < CACHE_MS ? known.keys : []
  if (cache.size >= MAX_CACHED_SETS) cache.clear()
  cache.set(url, { keys, since: readClock(ctx.clock) })
  return keys
}

export const keysOfIssuer = async (ctx: Ctx, issuer: TrustedIssuer, kid: unknown): Promise<readonly JWK[]> =>
  issuer.jwksUri === null ? ((issuer.jwks?.keys ?? []) as readonly JWK[]) : published(ctx, issuer.jwksUri, kid)
