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

/** A session that was started in the transaction; `mintToken` signs its token after the commit. */
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
  /** The tenant's requirements and the person's roles, if they were already read. */
  readonly requirements?: SessionRequirements
  /** The version of the snapshot that the decision used, if no transaction locks the person. */
  readonly version?: string
  /** The token's `scope`; none by default. */
  readonly scopes?: readonly string[]
  /** The session from which this one is derived, and when the person authenticated there. */
  readonly source?: { readonly sessionId: string; readonly authTime: Date } | undefined
  /** False if the browser is not the person's own: a device that is approved on another screen. */
  readonly remembersBrowser?: false
}

const DEVICE_SECONDS = 400 * 24 * 3600

/** Marks the browser as known for this person; its previous mark is consumed. */
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
  const absoluteSeconds = Math.min(settings.sessionAbsoluteSeconds ?? ctx.config.SESSION_ABSOLUTE_SECONDS, 24 * 3600)
  // A derived session never outlasts what its source could have lasted.
  const since = mint.source !== undefined && mint.source.authTime < now ? mint.source.authTime : now
  return {
    id,
    userId: mint.user.id,
    clientId: mint.clientId ?? null,
    sourceSessionId: mint.source?.sessionId ?? null,
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
    expiresAt: secondsAfter(since, absoluteSeconds),
  }
}

/** Audit events of the sign-in and of the session. */
const occurrencesOf = ({ id, userId, clientId, amr, acr }: ReturnType<typeof sessionRow>): readonly AuditEntry[] => {
  const actor = { type: 'user', id: userId, sessionId: id, ...(clientId === null ? {} : { clientId }) } as const
  return [
    { event: 'user.signed_in', actor, target: { type: 'user', id: userId }, after: { amr, acr } },
    { event: 'session.created', actor, target: { type: 'session', id } },
  ]
}

/** Everything that a session start writes, except the rows of its events. */
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
    // A verifier that sees only the token must not rate it higher than this server does.
    roles: session.temporaryPassword ? [] : roles,
    expiresAt: session.expiresAt,
  }
  const started: StartedSession = { grant, firstLogin: user.lastLoginAt === null, tenant, cookies: mark === undefined ? [] : [mark.cookie] }
  return { started, written, occurrences: occurrencesOf(session) }
}

/** The first session accepts an invitation as its link would, regardless of the sign-in method. @throws AppError invalid_credentials */
const requireStillInvited = async (t: TenantTx, ctx: RequestCtx, { id }: Account): Promise<void> => {
  const { isStillInvited } = await import('#shared/domains/authority/inviter')
  const user = await findUser(t, id)
  if (user !== undefined && (await isStillInvited(t, ctx, user))) return
  throw new AppError('invalid_credentials', undefined, { refusal: { tenantId: t.tenantId, userId: id, event: 'user.signed_in' } })
}

/**
 * Begins a session: in a transaction that locks the person, or in one statement if the snapshot of `mint.version` is still current. Routes that call this
 * emit `session.created`, `user.signed_in`.
 * @throws AppError invalid_credentials when the tenant is not active or the invitation is no longer valid, quota_exceeded
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

/** Signs the token of a committed session. */
export const mintToken = async (ctx: RequestCtx, startedSession: StartedSession): Promise<MintedSession> => {
  const { token, issuedAt, expiresAt } = await issueSessionToken(ctx, startedSession.grant)
  ctx.metrics.count('auth_requests_total', { auth_type: 'session', result: 'success', tenant_id: startedSession.tenant.tenantId })
  return { ...startedSession, token, expiresInSeconds: Math.floor((expiresAt.getTime() - issuedAt.getTime()) / 1000) }
}
