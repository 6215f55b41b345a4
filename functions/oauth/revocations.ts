// The revocation feed, for resource servers that verify tokens by their signature alone and poll each second. It is derived from the audit log: every
// revocation writes its event in the same transaction, so none can be missing.
import { createHash } from 'node:crypto'
import { SignJWT } from 'jose'
import type { TenantDb } from '#db/engine/tenant'
import type { IntrospectionCaller } from '#db/store/oauth-introspection'
import { findAffected, findEventsSince } from '#db/store/oauth-revocations'
import { DISTRUSTING, type Distrusted, distrustDigest, distrustOf } from '#shared/domains/oauth/distrust'
import { authenticateResourceServer } from '#shared/domains/oauth/resource-server-authentication'
import { secondsAfter, unixSeconds } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import { HttpResult } from '#shared/platform/http/route'
import type { Ctx } from './group.ts'

export const FEED_TYP = 'revocations+jwt'
/** Access tokens live as long as their resource server configures, an hour at most. */
const WINDOW_SECONDS = 3660
/** An event may be committed later than it was created: requests end after 29 seconds. */
const OVERLAP_SECONDS = 30
/** How long a response may be used. */
const TTL_SECONDS = 10
const MAX_EVENTS = 5000
const EVENTS = Object.keys(DISTRUSTING)

type Entry = readonly [digest: string, until: number]

const idsOf = (all: readonly Distrusted[], kind: Distrusted['kind']): string[] => [
  ...new Set(all.filter((one) => one.kind === kind).map(({ id }) => id)),
]

/** All affected ids, each with the latest time of an event. */
const distrustedSince = async (ctx: Ctx, t: TenantDb, caller: IntrospectionCaller, since: Date): Promise<readonly Distrusted[]> => {
  const now = ctx.clock.now()
  const events = await findEventsSince(t, EVENTS, since, MAX_EVENTS)
  if (events.length === 0) return []
  // Too many events to list: distrust the whole tenant.
  if (events.length === MAX_EVENTS) return [{ kind: 'tenant', id: t.tenantId, at: now }]
  const direct = events.map((event) => distrustOf(t.tenantId, event))
  const latest = new Date(Math.max(...direct.map(({ at }) => at.getTime())))
  const ids = {
    users: idsOf(direct, 'user'),
    clients: idsOf(direct, 'client'),
    sessions: idsOf(direct, 'session'),
    tokens: idsOf(direct, 'token'),
  }
  const affected = await findAffected(t, ids, caller.resourceServerId, now)
  return [...direct, ...affected.map((one) => ({ ...one, at: latest }))]
}

const entriesOf = (all: readonly Distrusted[]): readonly Entry[] => {
  const until = new Map<string, number>()
  for (const { kind, id, at } of all) {
    const digest = distrustDigest(kind, id)
    until.set(digest, Math.max(until.get(digest) ?? 0, unixSeconds(at)))
  }
  return [...until].toSorted(([a], [b]) => (a < b ? -1 : 1))
}

/** @throws AppError invalid_request */
const sinceOf = (ctx: Ctx, after: string | undefined): Date => {
  const earliest = secondsAfter(ctx.clock.now(), -WINDOW_SECONDS)
  if (after === undefined) return earliest
  if (!/^\d{1,15}$/.test(after)) throw new AppError('invalid_request', 'after is the cursor of an answer.', { field: 'query.after' })
  const from = secondsAfter(new Date(Number(after)), -OVERLAP_SECONDS)
  return new Date(Math.max(from.getTime(), earliest.getTime()))
}

/**
 * The signed feed for the calling resource server. With the ETag of the last response, an unchanged feed gets 304.
 * @throws AppError client_authentication_failed, invalid_request, rate_limited
 */
export const revocationFeed = async (ctx: Ctx, query: { readonly after?: string | undefined }): Promise<HttpResult<string>> => {
  const { t, caller } = await authenticateResourceServer(ctx)
  const since = sinceOf(ctx, query.after)
  const now = ctx.clock.now()
  const revoked = entriesOf(await distrustedSince(ctx, t, caller, since))
  const iat = unixSeconds(now)
  const { kid, key } = await ctx.signingKeys.signer('ES256')
  const claims = {
    iss: ctx.config.BASE_URL,
    aud: caller.resource,
    iat,
    exp: iat + TTL_SECONDS,
    since: unixSeconds(since),
    cursor: String(now.getTime()),
    revoked,
  }
  const body = await new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid, typ: FEED_TYP }).sign(key)
  const tag = createHash('sha256')
    .update(JSON.stringify([kid, revoked]))
    .digest('base64url')
    .slice(0, 22)
  return new HttpResult(body, { headers: { ETag: `"${tag}"` } })
}
