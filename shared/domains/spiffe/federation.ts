// Federation: bundles of trust domains that an administrator named, with their endpoints (SPIFFE Federation, profile https_web). Nothing of it follows from
// a token that is being verified, and no bundle is merged with another.
import { atomically, forTenant, type TenantId } from '#db/engine/tenant'
import { type FederatedBundle, type FetchedBundle, findFederatedBundle, storeFetchedBundle } from '#db/store/federated-bundles'
import type { BaseCtx } from '#shared/domains/context'
import { ageMs, type Clock, type ClockReading, readClock, secondsAfter } from '#shared/kernel/clock'
import { AppError, type ErrorCode } from '#shared/kernel/errors'
import { bySystem, recordEvent } from '#shared/platform/audit/audit-log'
import { FetchFailure, type Outbound } from '#shared/platform/fetch/guarded'

type Jwk = Readonly<Record<string, unknown>>
export type ParsedBundle = { readonly keys: readonly Jwk[]; readonly sequence: number | null; readonly hintSeconds: number }

const DEFAULT_HINT_SECONDS = 300
const [MIN_HINT_SECONDS, MAX_HINT_SECONDS] = [60, 24 * 3600]
const MAX_KEYS = 100
const USES: readonly unknown[] = ['x509-svid', 'jwt-svid', 'wit-svid']

/** A public key of the bundle: with one certificate for X.509-SVIDs, with an id for others. Unknown uses are left out, as the standard demands. */
const isUsable = (key: unknown): key is Jwk => {
  if (typeof key !== 'object' || key === null || Array.isArray(key)) return false
  const { use, kty, kid, x5c, d, k } = key as Jwk
  if (!USES.includes(use) || (kty !== 'EC' && kty !== 'RSA' && kty !== 'OKP') || d !== undefined || k !== undefined) return false
  if (use === 'x509-svid') return Array.isArray(x5c) && x5c.length === 1 && typeof x5c[0] === 'string'
  return typeof kid === 'string' && kid !== '' && kid.length <= 256
}

const wholeNumber = (value: unknown): number | null => (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null)

/** SPIFFE Trust Domain and Bundle, section 4. Undefined for anything that is no bundle. */
export const parseBundle = (body: Uint8Array): ParsedBundle | undefined => {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
    const { keys, spiffe_sequence: sequence, spiffe_refresh_hint: hint } = (value ?? {}) as Jwk
    if (!Array.isArray(keys) || keys.length > MAX_KEYS) return undefined
    if (sequence !== undefined && wholeNumber(sequence) === null) return undefined
    const seconds = wholeNumber(hint) ?? DEFAULT_HINT_SECONDS
    return {
      keys: keys.filter(isUsable),
      sequence: wholeNumber(sequence),
      hintSeconds: Math.min(MAX_HINT_SECONDS, Math.max(MIN_HINT_SECONDS, seconds)),
    }
  } catch {
    return undefined
  }
}

/** Whether a bundle is older than the known one. A bundle that stops carrying a sequence counts as older. */
export const isOlderBundle = (known: number | null, sequence: number | null): boolean => known !== null && (sequence === null || sequence < known)

type FetchCtx = { readonly outbound: Outbound; readonly clock: Clock }

export const storable = ({ keys, sequence, hintSeconds }: ParsedBundle, now: Date): FetchedBundle => ({
  bundle: { keys: [...keys] },
  sequence,
  hintSeconds,
  fetchedAt: now,
})

/** Fetches a bundle through the outbound guard, without redirects. @throws AppError bundle_url_refused, bundle_unavailable */
export const fetchBundle = async (ctx: FetchCtx, endpoint: string): Promise<ParsedBundle> => {
  const fails = (code: ErrorCode, cause?: unknown): AppError => new AppError(code, undefined, {}, cause)
  const response = await ctx.outbound
    .send({ url: endpoint, method: 'GET', headers: { accept: 'application/json', 'user-agent': 'authsec' } })
    .catch((error: unknown) => {
      if (error instanceof FetchFailure) throw fails(error.reason === 'url_refused' ? 'bundle_url_refused' : 'bundle_unavailable', error)
      throw error
    })
  const bundle = response.status === 200 ? parseBundle(response.body) : undefined
  if (bundle === undefined) throw fails('bundle_unavailable')
  return bundle
}

type Deps = Pick<BaseCtx, 'db' | 'clock' | 'random' | 'keyring' | 'hash' | 'log'> & FetchCtx

const target = (trustDomain: string) => ({ type: 'federated_bundle', id: trustDomain })

/** After this time beyond its hint, a bundle that cannot be refreshed verifies nothing any more. */
const STALE_SECONDS = 24 * 3600

const isDue = ({ fetchedAt, hintSeconds }: FederatedBundle, now: Date, more = 0): boolean =>
  fetchedAt === null || secondsAfter(fetchedAt, hintSeconds + more) <= now

/** A bundle that went back is refused, recorded and reported: an attacker may replay an old one to revive a revoked key. */
const refuse = async (ctx: Deps, tenantId: TenantId, row: FederatedBundle, sequence: number | null): Promise<void> => {
  ctx.log.warn('federation.sequence_regressed', { tenant_id: tenantId, trust_domain: row.trustDomain })
  const { clock, random, keyring, hash } = ctx
  const after = { known: row.sequence, received: sequence }
  await atomically(forTenant(ctx.db, tenantId), (t) =>
    recordEvent(t, { clock, random, keyring, hash }, { event: 'federation.bundle_refused', actor: bySystem, target: target(row.trustDomain), after }),
  )
}

/** When a refresh was last attempted: an endpoint that is away is not asked by every request. */
const attempts = new WeakMap<Outbound, Map<string, ClockReading>>()
const ATTEMPT_MS = 60_000
const MAX_ATTEMPTS = 1000

const mayAttempt = (ctx: FetchCtx, key: string): boolean => {
  const known = attempts.get(ctx.outbound) ?? new Map<string, ClockReading>()
  attempts.set(ctx.outbound, known)
  const last = known.get(key)
  if (last !== undefined && ageMs(ctx.clock, last) < ATTEMPT_MS) return false
  if (known.size >= MAX_ATTEMPTS) known.clear()
  known.set(key, readClock(ctx.clock))
  return true
}

const refresh = async (ctx: Deps, tenantId: TenantId, row: FederatedBundle): Promise<FederatedBundle> => {
  const fetched = await fetchBundle(ctx, row.endpoint).catch((error: unknown) => {
    if (error instanceof AppError) return undefined
    throw error
  })
  if (fetched === undefined) return row
  if (isOlderBundle(row.sequence, fetched.sequence)) {
    await refuse(ctx, tenantId, row, fetched.sequence)
    return row
  }
  const set = storable(fetched, ctx.clock.now())
  const { clock, random, keyring, hash } = ctx
  await atomically(forTenant(ctx.db, tenantId), async (t) => {
    const stored = await storeFetchedBundle(t, row.trustDomain, row.endpoint, set)
    if (stored && fetched.sequence !== row.sequence) {
      const after = { sequence: fetched.sequence, keys: fetched.keys.length }
      await recordEvent(
        t,
        { clock, random, keyring, hash },
        { event: 'federation.bundle_refreshed', actor: bySystem, target: target(row.trustDomain), after },
      )
    }
  })
  // Another request may have stored a newer one.
  return (await findFederatedBundle(forTenant(ctx.db, tenantId), row.trustDomain)) ?? row
}

/**
 * The keys of a federated trust domain for one use; none for a domain that the tenant does not federate with. The bundle is fetched again when its hint has
 * passed, at most once a minute, and counts for a day longer while the endpoint does not respond. Call it outside a transaction.
 */
export const federatedKeys = async (
  ctx: Deps,
  tenantId: TenantId,
  trustDomain: string,
  use: 'x509-svid' | 'jwt-svid' | 'wit-svid',
): Promise<readonly Jwk[]> => {
  const known = await findFederatedBundle(forTenant(ctx.db, tenantId), trustDomain)
  if (known === undefined) return []
  const isAttempted = isDue(known, ctx.clock.now()) && mayAttempt(ctx, `${tenantId} ${trustDomain} ${known.endpoint}`)
  const row = isAttempted ? await refresh(ctx, tenantId, known) : known
  if (isDue(row, ctx.clock.now(), STALE_SECONDS)) return []
  const keys = row.bundle?.keys
  return Array.isArray(keys) ? (keys as readonly Jwk[]).filter((key) => key.use === use) : []
}
