// The one place where a session and its token come from, whatever door a person came through.

import type { TenantDb, TenantTx } from '#db/engine/tenant'
import type { NewAuditRow } from '#db/store/audit-events'
import { type Account, type Door, findOwed, insertBeginning, insertBeginningAsJudged, type Owed } from '#db/store/sign-in'
import { findUser, isPending } from '#db/store/users'
import type { RequestCtx } from '#shared/domains/context'
import { signInQuota, signInsUsedUp } from '#shared/domains/tenancy/quotas'
import { secondsAfter } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import { opaque } from '#shared/kernel/random'
import { eventRow, eventsAtHand, type Occurrence } from '#shared/platform/audit/record'
import { emailHash } from '#shared/platform/crypto/email-hash'
import { deviceCookie, deviceMark, knownDevice } from '#shared/platform/http/guard'
import type { Cookie } from '#shared/platform/http/route'
import { acrOf } from '#shared/platform/tokens/acr'
import { issueSessionToken, type SessionGrant } from '#shared/platform/tokens/session-token'

/** A session that has begun, inside the transaction; `tokenOf` signs its token once that has committed. */
export type Begun = {
  readonly grant: SessionGrant
  readonly firstLogin: boolean
  readonly tenant: Door
  readonly cookies: readonly Cookie[]
}
export type Minted = Begun & { readonly token: string; readonly expiresInSeconds: number }

export type Mint = {
  readonly user: Account
  readonly clientId: string | undefined
  /** RFC 8176 names of the factors that this server verified. */
  readonly amr: readonly string[]
  readonly authTime: Date
  /** What the tenant asks and the person has, where that was read in this transaction. */
  readonly owed?: Owed
  /** What the token's `scope` says; nothing unless told. */
  readonly scopes?: readonly string[]
  /** Whether the browser at hand is the person's own; it is unless told, and never where a device signs in on the word of another screen. */
  readonly remembersBrowser?: false
}

const DEVICE_SECONDS = 400 * 24 * 3600

/** Marks the browser as one that this person signs in from; the mark it had before is spent. */
const newMark = (ctx: RequestCtx, { email }: Account) => {
  const random = opaque(ctx.random)
  const earlier = knownDevice(ctx, ctx.request, email)
  const cookie: Cookie = {
    name: deviceCookie(ctx.request.secure),
    value: deviceMark(ctx, email, random),
    maxAgeSeconds: DEVICE_SECONDS,
    sameSite: ctx.request.secure ? 'None' : 'Lax',
  }
  const spentDeviceHash = earlier === undefined ? undefined : ctx.hash('device-row', earlier)
  return { cookie, deviceHash: ctx.hash('device-row', random), spentDeviceHash }
}

const sessionRow = (ctx: RequestCtx, mint: Mint, tenant: Door, id: string, now: Date) => {
  const { settings } = tenant
  return {
    id,
    userId: mint.user.id,
    clientId: mint.clientId ?? null,
    tokenId: ctx.random.id(),
    amr: [...mint.amr],
    acr: acrOf(mint.amr),
    temporaryPassword: mint.user.temporaryPassword && mint.amr.includes('pwd'),
    authTime: mint.authTime,
    userAgent: ctx.request.userAgent,
    address: ctx.request.address,
    place: ctx.request.place,
    createdAt: now,
    lastSeenAt: now,
    idleSeconds: settings.sessionIdleSeconds ?? ctx.config.SESSION_IDLE_SECONDS,
    expiresAt: secondsAfter(now, Math.min(settings.sessionAbsoluteSeconds ?? ctx.config.SESSION_ABSOLUTE_SECONDS, 24 * 3600)),
  }
}

/** For the record: who came in and how, and the session. */
const occurrencesOf = ({ id, userId, clientId, amr, acr }: ReturnType<typeof sessionRow>): readonly Occurrence[] => {
  const actor = { type: 'user', id: userId, sessionId: id, ...(clientId === null ? {} : { clientId }) } as const
  return [
    { event: 'user.signed_in', actor, target: { type: 'user', id: userId }, after: { amr, acr } },
    { event: 'session.created', actor, target: { type: 'session', id } },
  ]
}

/** All that a session begins with, but for the rows of its events. */
const beginningOf = (t: TenantDb, ctx: RequestCtx, mint: Mint, { tenant, defaultClientId, roles }: Owed) => {
  const { user } = mint
  const now = ctx.clock.now()
  if (tenant === undefined || tenant.status !== 'active') throw new AppError('invalid_credentials')
  const clientId = mint.clientId ?? user.clientId ?? defaultClientId
  const session = sessionRow(ctx, { ...mint, clientId }, tenant, ctx.random.id(), now)
  const mark = mint.remembersBrowser === false ? undefined : newMark(ctx, user)
  const marks = { deviceHash: mark?.deviceHash, spentDeviceHash: mark?.spentDeviceHash }
  const written = { session, quota: signInQuota(ctx, tenant), ...marks, emailHash: emailHash(ctx, user.email), at: now }
  const grant: SessionGrant = {
    tenantId: t.tenantId,
    userId: user.id,
    email: user.email,
    projectId: user.projectId ?? '',
    clientId,
    tenantDomain: tenant.domain,
    sessionId: session.id,
    tokenId: session.tokenId,
    authTime: mint.authTime,
    amr: session.amr,
    acr: session.acr,
    scopes: mint.scopes ?? [],
    // Who looks at the token alone must not take it for more than this server does.
    roles: session.temporaryPassword ? [] : roles,
    expiresAt: session.expiresAt,
  }
  const begun: Begun = { grant, firstLogin: user.lastLoginAt === null, tenant, cookies: mark === undefined ? [] : [mark.cookie] }
  return { begun, written, occurrences: occurrencesOf(session) }
}

/** The first session accepts an invitation as well as its link does, whatever way led to it. @throws AppError invalid_credentials */
const requireStillInvited = async (t: TenantTx, ctx: RequestCtx, { id }: Account): Promise<void> => {
  const { isStillInvited } = await import('#shared/domains/authority/inviter')
  const user = await findUser(t, id)
  if (user !== undefined && (await isStillInvited(t, ctx, user))) return
  throw new AppError('invalid_credentials', undefined, { refusal: { tenantId: t.tenantId, userId: id, event: 'user.signed_in' } })
}

/**
 * Begins a session. Routes that call this emit `session.created`, `user.signed_in`.
 * @throws AppError invalid_credentials when the tenant is not active or the invitation does not hold any more, quota_exceeded
 */
export const beginSession = async (t: TenantTx, ctx: RequestCtx, mint: Mint): Promise<Begun> => {
  if (isPending(mint.user)) await requireStillInvited(t, ctx, mint.user)
  const owed = mint.owed ?? (await findOwed(t, mint.user.id, ctx.clock.now()))
  const { begun, written, occurrences } = beginningOf(t, ctx, mint, owed)
  const events: NewAuditRow[] = []
  for (const occurrence of occurrences) events.push(await eventRow(t, ctx, occurrence))
  if (!(await insertBeginning(t, mint.user.id, written, events))) throw signInsUsedUp(ctx, t.tenantId)
  return begun
}

/**
 * As `beginSession`, in one statement, of somebody whose first factor was judged by what was read before it. Undefined, and nothing is written, where that is
 * no longer so, the quota is used up, or the record cannot be sealed yet or came too late: `beginSession` says which.
 */
export const beginAsJudged = async (
  t: TenantDb,
  ctx: RequestCtx,
  mint: Mint & { readonly owed: Owed },
  judged: string,
): Promise<Begun | undefined> => {
  const { begun, written, occurrences } = beginningOf(t, ctx, mint, mint.owed)
  const events = await eventsAtHand(t, ctx, ...occurrences)
  return events !== undefined && (await insertBeginningAsJudged(t, mint.user.id, judged, written, events)) ? begun : undefined
}

/** Signs the token of a session that was committed. */
export const tokenOf = async (ctx: RequestCtx, begun: Begun): Promise<Minted> => {
  const { token, issuedAt, expiresAt } = await issueSessionToken(ctx, begun.grant)
  ctx.metrics.count('auth_requests_total', { auth_type: 'session', result: 'success', tenant_id: begun.tenant.tenantId })
  return { ...begun, token, expiresInSeconds: Math.floor((expiresAt.getTime() - issuedAt.getTime()) / 1000) }
}
