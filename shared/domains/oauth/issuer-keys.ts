// Keys of external issuers that a tenant trusts: registered, or published by the issuer, fetched through the outbound guard and cached.
import type { JWK } from 'jose'
import { ageMs, type Clock, type ClockReading, readClock } from '#shared/kernel/clock'
import type { Outbound } from '#shared/platform/fetch/guarded'

type Deps = { readonly clock: Clock; readonly outbound: Outbound }
type KeySource = { readonly jwksUri: string | null; readonly jwks: { readonly keys: readonly unknown[] } | null }

export type KeyFreshness = {
  /** How long published keys are used without another fetch. */
  readonly cacheMs: number
  /** The shortest time between two fetches, also for unknown key ids and after a failure. */
  readonly refetchMs: number
  /** How long keys stay valid after they were last read. A removed key is not trusted for longer. */
  readonly staleMs: number
}
/** For assertions of trusted issuers. */
export const ISSUER_FRESHNESS: KeyFreshness = { cacheMs: 300_000, refetchMs: 30_000, staleMs: 300_000 }

type Stored = { readonly keys: readonly JWK[]; readonly readAt: ClockReading | undefined; readonly triedAt: ClockReading }
type Documents = { readonly stored: Map<string, Stored>; readonly running: Map<string, Promise<Stored>> }
const MAX_CACHED_SETS = 1000
const MAX_KEYS = 50
const documents = new WeakMap<Outbound, Documents>()

const documentsOf = (outbound: Outbound): Documents => {
  const known = documents.get(outbound) ?? { stored: new Map(), running: new Map() }
  documents.set(outbound, known)
  return known
}

const isKey = (value: unknown): value is JWK => typeof value === 'object' && value !== null && !Array.isArray(value)

const keysIn = (body: Uint8Array): readonly JWK[] | undefined => {
  try {
    const { keys } = JSON.parse(new TextDecoder().decode(body)) as { keys?: unknown }
    return Array.isArray(keys) ? keys.filter(isKey).slice(0, MAX_KEYS) : undefined
  } catch {
    return undefined
  }
}

/** Returns undefined where the response is missing or not a key set; then no assertion is verified. */
const fetched = async ({ outbound }: Deps, url: string): Promise<readonly JWK[] | undefined> => {
  try {
    const answer = await outbound.send({ url, method: 'GET', headers: { accept: 'application/json', 'user-agent': 'authsec' } })
    return answer.status === 200 ? keysIn(answer.body) : undefined
  } catch {
    return undefined
  }
}

const read = async (ctx: Deps, url: string, known: Stored | undefined, { stored, running }: Documents): Promise<Stored> => {
  const found = await fetched(ctx, url)
  const now = readClock(ctx.clock)
  const next = found === undefined ? { keys: known?.keys ?? [], readAt: known?.readAt, triedAt: now } : { keys: found, readAt: now, triedAt: now }
  if (stored.size >= MAX_CACHED_SETS) stored.clear()
  stored.set(url, next)
  running.delete(url)
  return next
}

const published = async (ctx: Deps, url: string, kid: unknown, freshness: KeyFreshness): Promise<readonly JWK[]> => {
  const all = documentsOf(ctx.outbound)
  const since = (at: ClockReading | undefined): number => (at === undefined ? Number.POSITIVE_INFINITY : ageMs(ctx.clock, at))
  const validKeys = (one: Stored | undefined): readonly JWK[] => (one !== undefined && since(one.readAt) < freshness.staleMs ? one.keys : [])
  const known = all.stored.get(url)
  const isKnown = since(known?.readAt) < freshness.cacheMs && known?.keys.some((key) => key.kid === kid) === true
  if (isKnown || since(known?.triedAt) < freshness.refetchMs) return validKeys(known)
  const run = all.running.get(url) ?? read(ctx, url, known, all)
  all.running.set(url, run)
  return validKeys(await run)
}

/** The issuer's keys; fetched again when they are old or lack the requested key id. Empty when there are none to trust. */
export const keysOfIssuer = async (ctx: Deps, issuer: KeySource, kid: unknown, freshness = ISSUER_FRESHNESS): Promise<readonly JWK[]> =>
  issuer.jwksUri === null ? ((issuer.jwks?.keys ?? []) as readonly JWK[]) : published(ctx, issuer.jwksUri, kid, freshness)
