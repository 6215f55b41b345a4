// Keys of issuers that a tenant trusts: those that were registered, or those that the issuer publishes, fetched the guarded way and kept for a while.
import type { JWK } from 'jose'
import type { TrustedIssuer } from '#db/store/oauth-issuers'
import { ageMs, type ClockReading, readClock } from '#shared/kernel/clock'
import type { Outbound } from '#shared/platform/fetch/guarded'
import type { Ctx } from '../group.ts'

type Stored = { readonly keys: readonly JWK[]; readonly since: ClockReading }
const FRESH_MS = 300_000
/** How soon a key that is not known may have the set fetched again. */
const AGAIN_MS = 30_000
const MOST_KEPT = 1000
const MOST_KEYS = 50
const kept = new WeakMap<Outbound, Map<string, Stored>>()

const keysIn = (body: Uint8Array): readonly JWK[] | undefined => {
  try {
    const { keys } = JSON.parse(new TextDecoder().decode(body)) as { keys?: unknown }
    return Array.isArray(keys) ? (keys as JWK[]).slice(0, MOST_KEYS) : undefined
  } catch {
    return undefined
  }
}

/** Undefined when there is no answer, or none that is a key set: nothing is verified then. */
const fetched = async (ctx: Ctx, url: string): Promise<readonly JWK[] | undefined> => {
  try {
    const answer = await ctx.outbound.send({ url, method: 'GET', headers: { accept: 'application/json', 'user-agent': 'authsec' } })
    return answer.status === 200 ? keysIn(answer.body) : undefined
  } catch {
    return undefined
  }
}

const published = async (ctx: Ctx, url: string, kid: unknown): Promise<readonly JWK[]> => {
  const memory = kept.get(ctx.outbound) ?? new Map<string, Stored>()
  kept.set(ctx.outbound, memory)
  const known = memory.get(url)
  const age = known === undefined ? Number.POSITIVE_INFINITY : ageMs(ctx.clock, known.since)
  const isKnown = known?.keys.some((key) => key.kid === kid) === true
  if (known !== undefined && age < (isKnown ? FRESH_MS : AGAIN_MS)) return known.keys
  const keys = await fetched(ctx, url)
  // What is not there any more is not trusted any longer than it was fresh.
  if (keys === undefined) return known !== undefined && age < FRESH_MS ? known.keys : []
  if (memory.size >= MOST_KEPT) memory.clear()
  memory.set(url, { keys, since: readClock(ctx.clock) })
  return keys
}

export const keysOfIssuer = async (ctx: Ctx, issuer: TrustedIssuer, kid: unknown): Promise<readonly JWK[]> =>
  issuer.jwksUri === null ? ((issuer.jwks?.keys ?? []) as readonly JWK[]) : published(ctx, issuer.jwksUri, kid)
