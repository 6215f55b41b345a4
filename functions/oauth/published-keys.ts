// Keys that a client publishes at its `jwks_uri`: cached, and fetched again when the copy is old or lacks the requested key.
import type { Db } from '#db/engine/client'
import { forTenant } from '#db/engine/tenant'
import type { OauthClient } from '#db/store/oauth-clients'
import { saveFetchedJwks } from '#db/store/registered-clients'
import { PublishedJwks } from '#shared/domains/oauth/client-metadata.schema'
import { ageMs, type ClockReading, readClock } from '#shared/kernel/clock'
import { FetchFailure } from '#shared/platform/fetch/guarded'
import type { Ctx } from './group.ts'

const FRESH_SECONDS = 3600
/**
 * How long keys count after they were last read. A client removes a lost key at its `jwks_uri`; an attacker who blocks our reads must not keep that key
 * alive. A day bridges an outage, and is what others use at most (Keycloak's `max-cache-time`).
 */
const STALE_SECONDS = 24 * 3600
/** However often an unknown key id is presented. */
const PAUSE_SECONDS = 30
const MOST_BYTES = 64 * 1024

type Keys = readonly Readonly<Record<string, unknown>>[]
type Deps = Pick<Ctx, 'db' | 'clock' | 'outbound'>
/** When it was last tried, and when that last worked. */
type Read = { readonly keys: Keys; readonly at: Date | undefined; readonly readAt: Date | undefined }

/**
 * What this instance read last, by tenant, client and address: the client at hand is cached and may have been looked up before that. Its row has the same
 * values, so the memory lasts only as long as such a client is used. A commit of the tenant drops it: the address may be another one since.
 */
type Remembered = Read & { readonly tenantId: string; readonly since: ClockReading }
type Memory = Map<string, Remembered>
const lastRead = new WeakMap<Db, Memory>()
const REMEMBERED_MS = 2000
const MOST_REMEMBERED = 10_000

const isOld = (ctx: Pick<Deps, 'clock'>, { since }: Remembered): boolean => ageMs(ctx.clock, since) >= REMEMBERED_MS

const memoryOf = (ctx: Pick<Deps, 'db' | 'clock'>): Memory => {
  const known = lastRead.get(ctx.db)
  if (known !== undefined) return known
  const made: Memory = new Map()
  ctx.db.onCommit((tenantId) => {
    for (const [key, read] of made) if (read.tenantId === tenantId || isOld(ctx, read)) made.delete(key)
  })
  lastRead.set(ctx.db, made)
  return made
}

const keyOf = ({ tenantId, clientId, jwksUri }: OauthClient): string => `${tenantId} ${clientId} ${jwksUri}`

const remember = (ctx: Deps, client: OauthClient, read: Read): void => {
  const memory = memoryOf(ctx)
  if (memory.size >= MOST_REMEMBERED) memory.clear()
  memory.set(keyOf(client), { ...read, tenantId: client.tenantId, since: readClock(ctx.clock) })
}

const knownOf = (ctx: Deps, client: OauthClient): Read => {
  const { jwks, jwksFetchedAt: at, jwksReadAt: readAt } = client
  const read = memoryOf(ctx).get(keyOf(client))
  const isNewer = read?.at !== undefined && (at === undefined || read.at > at)
  return isNewer && !isOld(ctx, read) ? read : { keys: jwks?.keys ?? [], at, readAt }
}

const secondsSince = (then: Date | undefined, now: Date): number =>
  then === undefined ? Number.POSITIVE_INFINITY : (now.getTime() - then.getTime()) / 1000

const fetched = async ({ outbound }: Pick<Deps, 'outbound'>, url: string) => {
  try {
    const { status, body } = await outbound.send({ url, method: 'GET', headers: { accept: 'application/json, application/jwk-set+json' } })
    if (status !== 200 || body.byteLength > MOST_BYTES) return undefined
    return PublishedJwks.safeParse(JSON.parse(new TextDecoder().decode(body))).data
  } catch (error) {
    if (error instanceof FetchFailure || error instanceof SyntaxError) return undefined
    throw error
  }
}

/** What the client publishes; while its address does not answer what was known of it, for a day. */
export const publishedKeys = async (ctx: Deps, client: OauthClient, kid: unknown): Promise<Keys> => {
  const { jwksUri: url, clientId } = client
  const known = knownOf(ctx, client)
  const now = ctx.clock.now()
  const stillCount = secondsSince(known.readAt, now) < STALE_SECONDS ? known.keys : []
  const age = secondsSince(known.at, now)
  const isThere = kid === undefined ? stillCount.length > 0 : stillCount.some((key) => key.kid === kid)
  if (url === undefined || age < PAUSE_SECONDS || (isThere && age < FRESH_SECONDS)) return stillCount
  const found = await fetched(ctx, url)
  // Keys of an address that the client no longer has prove nothing.
  if (!(await saveFetchedJwks(forTenant(ctx.db, client.tenantId), { clientId, url, jwks: found, at: now }))) return []
  const keys = found?.keys ?? stillCount
  remember(ctx, client, { keys, at: now, readAt: found === undefined ? known.readAt : now })
  return keys
}
