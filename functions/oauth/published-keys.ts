// Keys that a client publishes at an address of its own (`jwks_uri`): a copy is kept, and looked at anew when it is old or does not have the key that is meant.
import type { Engine } from '#db/client'
import type { OauthClient } from '#db/store/oauth-clients'
import { saveFetchedJwks } from '#db/store/registered-clients'
import { forTenant } from '#db/tenant'
import { FetchFailure } from '#shared/fetch/guarded'
import { PublishedJwks } from '#shared/oauth/client-metadata.schema'
import type { Ctx } from './group.ts'

const FRESH_SECONDS = 3600
/** However often somebody shows a key that is not there. */
const PAUSE_SECONDS = 30
const MOST_BYTES = 64 * 1024

type Keys = readonly Readonly<Record<string, unknown>>[]
type Deps = Pick<Ctx, 'db' | 'clock' | 'outbound'>
type Read = { readonly keys: Keys; readonly at: Date | undefined }

/** What this process read last: the client at hand may have been looked up before that. */
const lastRead = new WeakMap<Engine, Map<string, Read>>()
const MOST_REMEMBERED = 10_000

const remember = ({ db }: Deps, clientId: string, read: Read): void => {
  const all = lastRead.get(db.engine) ?? new Map<string, Read>()
  if (all.size >= MOST_REMEMBERED) all.clear()
  lastRead.set(db.engine, all.set(clientId, read))
}

const knownOf = ({ db }: Deps, { clientId, jwks, jwksFetchedAt: at }: OauthClient): Read => {
  const read = lastRead.get(db.engine)?.get(clientId)
  return read?.at !== undefined && (at === undefined || read.at > at) ? read : { keys: jwks?.keys ?? [], at }
}

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

/** What the client publishes; what was known of it while its address does not answer. */
export const publishedKeys = async (ctx: Deps, client: OauthClient, kid: unknown): Promise<Keys> => {
  const { jwksUri: url, clientId } = client
  const { keys: known, at } = knownOf(ctx, client)
  const now = ctx.clock.now()
  const age = at === undefined ? Number.POSITIVE_INFINITY : (now.getTime() - at.getTime()) / 1000
  const isThere = kid === undefined ? known.length > 0 : known.some((key) => key.kid === kid)
  if (url === undefined || age < PAUSE_SECONDS || (isThere && age < FRESH_SECONDS)) return known
  const found = await fetched(ctx, url)
  await saveFetchedJwks(forTenant(ctx.db, client.tenantId), clientId, found, now)
  const keys = found?.keys ?? known
  remember(ctx, clientId, { keys, at: now })
  return keys
}
