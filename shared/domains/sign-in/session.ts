// The only place that starts sessions and mints their tokens.

import { atomically, type TenantDb, type TenantTx } from '#db/engine/tenant'
import { type Account, findSessionRequirements, insertSessionStart, type SessionRequirements, type SignInTenant } from '#db/store/sign-in'
import { findUser, isInvitationPending } from '#db/store/users'
import type { RequestCtx } from '#shared/domains/context'
import { signInQuota, signInQuotaExceeded } from '#shared/domains/tenancy/quotas'
import { secondsAfter } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import { randomToken } from '#shared/kernel/random'
import { SnapshotChanged } from '#shared/kernel/snapshot'
import { type AuditEntry, prepareAuditEvents } from '#shared/platform/audit/audit-log'
import { emailHash } from '#shared/platform/crypto/email-hash'
import { deviceCookie, deviceCookieValue, knownDevice } from '#shared/platform/http/guard'
import type { Cookie } from '#shared/platform/http/route'
import { acrOf } from '#shared/platform/tokens/acr'
import { issueSessionToken, type SessionGrant } from '#shared/platform/tokens/session-token'

/** A session that has begun, inside the transaction; `mintToken` signs its token once that has committed. */
export type StartedSession = {
  readonly grant: SessionGrant
  readonly firstLogin: boolean
  readonly tenant: SignInTenant
  readonly cookies: readonly Cookie[]
}
export type MintedSession = StartedSession & { readonly token: string; readonly expiresInSeconds: number }

export type SessionRequest = {
  readonly user: Account
  readonly clientId: string | undefined
  /** RFC 8176 names of the factors that this server verified. */
  readonly amr: readonly string[]
  readonly authTime: Date
  /** What the tenant requires and the person has, where that was read. */
  readonly requirements?: SessionRequirements
  /** Of the snapshot that this was decided by, where no transaction holds the person. */
  readonly version?: string
  /** The token's `scope`; none by default. */
  readonly scopes?: readonly string[]
  /** False where the browser is not the person's own: a device that is signed in from another screen. */
  readonly remembersBrowser?: false
}

const DEVICE_SECONDS = 400 * 24 * 3600

/** Marks the browser as one that this person signs in from; the mark it had before is spent. */
const newMark = (ctx: RequestCtx, { email }: Account) => {
  const random = randomToken(ctx.random)
  const earlier = knownDevice(ctx, ctx.request, email)
  const cookie: Cookie = {
    name: deviceCookie(ctx.request.secure),
    value: deviceCookieValue(ctx, email, random),
    maxAgeSeconds: DEVICE_SECONDS,
    sameSite: ctx.request.secure ? 'None' : 'Lax',
  }
  const spentDeviceHash = earlier === undefined ? undefined : ctx.hash('device-row', earlier)
  return { cookie, deviceHash: ctx.hash('device-row', random), spentDeviceHash }
}

const sessionRow = (ctx: RequestCtx, mint: SessionRequest, tenant: SignInTenant, id: string, now: Date) => {
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

/** Audit events: who signed in and how, and the session. */
const occurrencesOf = ({ id, userId, clientId, amr, acr }: ReturnType<typeof sessionRow>): readonly AuditEntry[] => {
  const actor = { type: 'user', id: userId, sessionId: id, ...(clientId === null ? {} : { clientId }) } as const
  return [
    { event: 'user.signed_in', actor, target: { type: 'user', id: userId }, after: { amr, acr } },
    { event: 'session.created', actor, target: { type: 'session', id } },
  ]
}

/** All that a session begins with, but for the rows of its events. */
const beginningOf = (t: TenantDb, ctx: RequestCtx, mint: SessionRequest, { tenant, defaultClientId, roles }: SessionRequirements) => {
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
  const started: StartedSession = { grant, firstLogin: user.lastLoginAt === null, tenant, cookies: mark === undefined ? [] : [mark.cookie] }
  return { started, written, occurrences: occurrencesOf(session) }
}

/** The first session accepts an invitation as well as its link does, whatever way led to it. @throws AppError invalid_credentials */
const requireStillInvited = async (t: TenantTx, ctx: RequestCtx, { id }: Account): Promise<void> => {
  const { isStillInvited } = await import('#shared/domains/authority/inviter')
  const user = await findUser(t, id)
  if (user !== undefined && (await isStillInvited(t, ctx, user))) return
  throw new AppError('invalid_credentials', undefined, { refusal: { tenantId: t.tenantId, userId: id, event: 'user.signed_in' } })
}

/**
 * Begins a session: in a transaction that holds the person, or alone on the condition that the snapshot of `mint.version` is still true. Routes that call this
 * emit `session.created`, `user.signed_in`.
 * @throws AppError invalid_credentials when the tenant is not active or the invitation does not hold any more, quota_exceeded
 * @throws SnapshotChanged
 */
export const beginSession = async (t: TenantDb, ctx: RequestCtx, mint: SessionRequest): Promise<StartedSession> => {
  if (isInvitationPending(mint.user)) await atomically(t, (tx) => requireStillInvited(tx, ctx, mint.user))
  const requirements = mint.requirements ?? (await findSessionRequirements(t, mint.user.id, ctx.clock.now()))
  const { started, written, occurrences } = beginningOf(t, ctx, mint, requirements)
  const events = await prepareAuditEvents(t, ctx, ...occurrences)
  const outcome = await insertSessionStart(t, mint.user.id, { ...written, version: mint.version }, events)
  if (outcome === 'changed') throw new SnapshotChanged()
  if (outcome === 'used up') throw signInQuotaExceeded(ctx, t.tenantId)
  return started
}

/** Signs the token of a session that was committed. */
export const mintToken = async (ctx: RequestCtx, startedSession: StartedSession): Promise<MintedSession> => {
  const { token, issuedAt, expiresAt } = await issueSessionToken(ctx, startedSession.grant)
  ctx.metrics.count('auth_requests_total', { auth_type: 'session', result: 'success', tenant_id: startedSession.tenant.tenantId })
  return { ...startedSession, token, expiresInSeconds: Math.floor((expiresAt.getTime() - issuedAt.getTime()) / 1000) }
}
