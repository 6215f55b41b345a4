// The keys at a client's `jwks_uri`: cached, and fetched again when the copy is old or lacks the requested key.
import type { Db } from '#db/engine/client'
import { forTenant } from '#db/engine/tenant'
import type { OauthClient } from '#db/store/oauth-clients'
import { saveFetchedJwks } from '#db/store/registered-clients'
import { PublishedJwks } from '#shared/domains/oauth/client-metadata.schema'
import { ageMs, type ClockReading, readClock } from '#shared/kernel/clock'
import { FetchFailure } from '#shared/platform/fetch/guarded'
import type { Ctx } from './group.ts'

const CACHE_SECONDS = 3600
/**
 * How long keys stay valid after they were last read. A client removes a compromised key at its `jwks_uri`; an attacker who blocks our reads must not keep that
 * key valid. A day bridges an outage, and is the maximum elsewhere (Keycloak's `max-cache-time`).
 */
const STALE_SECONDS = 24 * 3600
/** The shortest time between two fetches, also for unknown key ids. */
const PAUSE_SECONDS = 30
const MAX_BYTES = 64 * 1024

type Keys = readonly Readonly<Record<string, unknown>>[]
type Deps = Pick<Ctx, 'db' | 'clock' | 'outbound'>
/** `at`: the last attempt; `readAt`: the last success. */
type Read = { readonly keys: Keys; readonly at: Date | undefined; readonly readAt: Date | undefined }

/**
 * The last read of this instance, by tenant, client and URL. The cached client may be older than that read. Its row has the same values, so this cache only has
 * to last as long as the cache of clients. A commit of the tenant clears it, since the URL may have changed.
 */
type CachedRead = Read & { readonly tenantId: string; readonly since: ClockReading }
type ReadCache = Map<string, CachedRead>
const lastRead = new WeakMap<Db, ReadCache>()
const READ_CACHE_MS = 2000
const MAX_CACHED_READS = 10_000

const isOld = (ctx: Pick<Deps, 'clock'>, { since }: CachedRead): boolean => ageMs(ctx.clock, since) >= READ_CACHE_MS

const readCacheOf = (ctx: Pick<Deps, 'db' | 'clock'>): ReadCache => {
  const known = lastRead.get(ctx.db)
  if (known !== undefined) return known
  const created: ReadCache = new Map()
  ctx.db.onCommit((tenantId) => {
    for (const [key, read] of created) if (read.tenantId === tenantId || isOld(ctx, read)) created.delete(key)
  })
  lastRead.set(ctx.db, created)
  return created
}

const keyOf = ({ tenantId, clientId, jwksUri }: OauthClient): string => `${tenantId} ${clientId} ${jwksUri}`

const cacheRead = (ctx: Deps, client: OauthClient, read: Read): void => {
  const cache = readCacheOf(ctx)
  if (cache.size >= MAX_CACHED_READS) cache.clear()
  cache.set(keyOf(client), { ...read, tenantId: client.tenantId, since: readClock(ctx.clock) })
}

const knownOf = (ctx: Deps, client: OauthClient): Read => {
  const { jwks, jwksFetchedAt: at, jwksReadAt: readAt } = client
  const read = readCacheOf(ctx).get(keyOf(client))
  const isNewer = read?.at !== undefined && (at === undefined || read.at > at)
  return isNewer && !isOld(ctx, read) ? read : { keys: jwks?.keys ?? [], at, readAt }
}

const secondsSince = (then: Date | undefined, now: Date): number =>
  then === undefined ? Number.POSITIVE_INFINITY : (now.getTime() - then.getTime()) / 1000

const fetched = async ({ outbound }: Pick<Deps, 'outbound'>, url: string) => {
  try {
    const { status, body } = await outbound.send({ url, method: 'GET', headers: { accept: 'application/json, application/jwk-set+json' } })
    if (status !== 200 || body.byteLength > MAX_BYTES) return undefined
    return PublishedJwks.safeParse(JSON.parse(new TextDecoder().decode(body))).data
  } catch (error) {
    if (error instanceof FetchFailure || error instanceof SyntaxError) return undefined
    throw error
  }
}

/** The published keys; while the URL cannot be fetched, the last known ones for up to a day. */
export const publishedKeys = async (ctx: Deps, client: OauthClient, kid: unknown): Promise<Keys> => {
  const { jwksUri: url, clientId } = client
  const known = knownOf(ctx, client)
  const now = ctx.clock.now()
  const validKeys = secondsSince(known.readAt, now) < STALE_SECONDS ? known.keys : []
  const age = secondsSince(known.at, now)
  const hasKey = kid === undefined ? validKeys.length > 0 : validKeys.some((key) => key.kid === kid)
  if (url === undefined || age < PAUSE_SECONDS || (hasKey && age < CACHE_SECONDS)) return validKeys
  const found = await fetched(ctx, url)
  // The client no longer has this URL, so its keys are not used.
  if (!(await saveFetchedJwks(forTenant(ctx.db, client.tenantId), { clientId, url, jwks: found, at: now }))) return []
  const keys = found?.keys ?? validKeys
  cacheRead(ctx, client, { keys, at: now, readAt: found === undefined ? known.readAt : now })
  return keys
}
