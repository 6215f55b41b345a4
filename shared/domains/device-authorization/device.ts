// Device grants (RFC 8628): begun on a device without a keyboard, decided on another, redeemed by a poll. Four rules, shared by all groups that offer the grant:
// begin, look up by user code, decide, poll.

import { atomically, directory, forTenant, inOtherTenant, SYSTEM_TENANT, type TenantId, type TenantTx } from '#db/engine/tenant'
import {
  adoptDeviceGrant,
  type CodeEntry,
  type DeviceGrant,
  decideDeviceGrant as decide,
  findCodeEntry,
  findDeviceGrant,
  insertDeviceGrant,
  isLapsedDeviceGrant,
  pollDeviceGrant as poll,
  refuseDeviceGrant,
} from '#db/store/device-grants'
import type { DeviceInfo, GrantDecision, Poller } from '#db/store/polled-grants'
import type { BaseCtx, RequestCtx } from '#shared/domains/context'
import { APPROVAL_SECONDS } from '#shared/domains/factors/step-up-age'
import { auditedDetails } from '#shared/domains/oauth/details'
import { secondsAfter } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import { byAnonymous, byClient, bySystem, byUser, recordEvent } from '#shared/platform/audit/audit-log'
import { requireStepUp } from '#shared/platform/http/step-up'
import type { User } from '#shared/platform/principals/principal'
import { countWrongCode, requireFewWrongCodes } from './code-guesses.ts'
import { decidedGrant, type PollResult, pollState, type RedeemGrant, type ResourceBinding } from './poll.ts'
import { newUserCode, userCodeOf } from './user-code.ts'

export const INTERVAL_SECONDS = 5
const MAX_ATTEMPTS = 5

const deviceCodeHash = (ctx: Pick<BaseCtx, 'hash'>, code: string): Uint8Array => ctx.hash('device-code', code)
const userCodeHash = (ctx: Pick<BaseCtx, 'hash'>, code: string): Uint8Array => ctx.hash('user-code', code)
const sealedIn = (id: string): string => `device_grants:${id}`

export type DeviceGrantRequest = {
  /** The requesting client, if any; its tenant becomes the grant's. */
  readonly clientId: string | undefined
  readonly scopes: readonly string[]
  readonly deviceInfo?: DeviceInfo | undefined
  readonly channel?: 'device' | 'voice'
  /** The person asked to decide; the grant appears in their list. */
  readonly requestedFor?: string
  /** Set for a request of the authorization server. */
  readonly oauth?: ResourceBinding
}
export type StartedDeviceGrant = {
  readonly id: string
  readonly deviceCode: string
  readonly userCode: string
  readonly verificationUri: string
  readonly verificationUriComplete: string
  readonly expiresInSeconds: number
  readonly intervalSeconds: number
}

export const verificationUri = ({ DEVICE_VERIFICATION_URI: own, BASE_URL }: BaseCtx['config']): string => own ?? `${BASE_URL}/authsec/uflow/activate`

/** Saves a grant under unused codes. @throws AppError unavailable when five codes in a row are in use */
const saveGrant = async (t: TenantTx, ctx: RequestCtx, given: DeviceGrantRequest, id: string, deviceCode: string): Promise<string> => {
  const [createdAt, expiresAt] = [ctx.clock.now(), secondsAfter(ctx.clock.now(), ctx.config.DEVICE_CODE_SECONDS)]
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const userCode = newUserCode(ctx.random)
    const { requestedFor } = given
    const row = {
      id,
      clientId: given.clientId ?? null,
      scopes: [...given.scopes],
      ...(given.oauth === undefined ? {} : { ...given.oauth, forOauth: true }),
      intervalSeconds: INTERVAL_SECONDS,
      channel: given.channel ?? ('device' as const),
      deviceInfo: given.deviceInfo ?? null,
      requestedFor: requestedFor ?? null,
      sealedUserCode: requestedFor === undefined ? null : await ctx.keyring.seal(t, requestedFor, userCode, sealedIn(id)),
      createdAt,
      expiresAt,
    }
    const codes = { deviceCodeHash: deviceCodeHash(ctx, deviceCode), userCodeHash: userCodeHash(ctx, userCode) }
    if (await insertDeviceGrant(t, row, codes)) return userCode
  }
  throw new AppError('unavailable')
}

/**
 * Begins a grant, in the client's tenant or, without a client, in the system tenant. Both codes are stored as digests only.
 * Routes that call this emit `device_grant.requested`.
 * @throws AppError unavailable
 */
export const beginDeviceGrant = async (t: TenantTx, ctx: RequestCtx, given: DeviceGrantRequest): Promise<StartedDeviceGrant> => {
  const id = ctx.random.id()
  const deviceCode = Buffer.from(ctx.random.bytes(32)).toString('hex')
  const userCode = await saveGrant(t, ctx, given, id, deviceCode)
  const { clientId, channel = 'device', scopes } = given
  const actor = clientId === undefined ? byAnonymous : byClient(clientId)
  const after = { channel, scopes, ...auditedDetails(given.oauth?.details) }
  await recordEvent(t, ctx, { event: 'device_grant.requested', actor, target: { type: 'device_grant', id }, after })
  const uri = verificationUri(ctx.config)
  return {
    id,
    deviceCode,
    userCode,
    verificationUri: uri,
    verificationUriComplete: `${uri}${uri.includes('?') ? '&' : '?'}user_code=${userCode}`,
    expiresInSeconds: ctx.config.DEVICE_CODE_SECONDS,
    intervalSeconds: INTERVAL_SECONDS,
  }
}

/** The user code of a grant that names a person, for that person's list. */
export const userCodeOfGrant = async (ctx: Pick<BaseCtx, 'keyring' | 'db'>, grant: DeviceGrant): Promise<string | undefined> =>
  grant.sealedUserCode === null || grant.requestedFor === null
    ? undefined
    : ctx.keyring.open(forTenant(ctx.db, grant.tenantId as TenantId), grant.requestedFor, grant.sealedUserCode, sealedIn(grant.id))

/** `decided`: a valid code of a grant that is decided or expired. */
export type UserCodeLookup =
  | { readonly state: 'pending'; readonly grant: DeviceGrant; readonly entry: CodeEntry; readonly userCode: string }
  | { readonly state: 'decided' }
  | { readonly state: 'unknown' }

/** Grants without a client lie in the system tenant and belong to the tenant of the person who approves them. */
const isUnbound = (entry: CodeEntry, grant: DeviceGrant): boolean => entry.tenantId === SYSTEM_TENANT && grant.clientId === null

/**
 * Finds the grant of a typed code. A code of another tenant, or of a request for another person, counts as unknown. Unknown codes count against the address.
 * @throws AppError rate_limited
 */
export const lookUpUserCode = async (ctx: RequestCtx, typed: string, caller?: Pick<User, 'tenantId' | 'userId'>): Promise<UserCodeLookup> => {
  await requireFewWrongCodes(ctx)
  const [userCode, now] = [userCodeOf(typed), ctx.clock.now()]
  const entry = userCode === undefined ? undefined : await findCodeEntry(directory(ctx.db), { userCodeHash: userCodeHash(ctx, userCode) }, now)
  const grant = entry === undefined ? undefined : await findDeviceGrant(forTenant(ctx.db, entry.tenantId), entry.grantId)
  const mayDecide = (found: DeviceGrant, at: CodeEntry): boolean =>
    caller === undefined ||
    isUnbound(at, found) ||
    (at.tenantId === caller.tenantId && (found.requestedFor === null || found.requestedFor === caller.userId))
  if (userCode === undefined || entry === undefined || grant === undefined || !mayDecide(grant, entry)) {
    await countWrongCode(ctx)
    return { state: 'unknown' }
  }
  return grant.status === 'pending' && grant.expiresAt > now ? { state: 'pending', grant, entry, userCode } : { state: 'decided' }
}

const createDecision = (ctx: RequestCtx, caller: User, approve: boolean): GrantDecision => ({
  status: approve ? 'approved' : 'denied',
  userId: caller.userId,
  sessionId: caller.sessionId,
  amr: caller.amr,
  authTime: caller.authTime,
  decidedAt: ctx.clock.now(),
})

/**
 * A signed-in person approves or denies the grant of a code. An unbound grant moves to their tenant; a grant of another tenant counts as unknown. Of concurrent
 * decisions one counts. Mints nothing: the token goes to the polling device.
 * Approval needs a sign-in of the last five minutes: a token that was stolen meanwhile does not become a session of its own.
 * Routes that call this emit `device_grant.approved`, `device_grant.denied`.
 * @throws AppError rate_limited, insufficient_user_authentication
 */
export const decideDeviceGrant = async (
  ctx: RequestCtx,
  caller: User,
  typed: string,
  approve: boolean,
): Promise<'approved' | 'denied' | 'decided' | 'unknown'> => {
  const found = await lookUpUserCode(ctx, typed, caller)
  if (found.state !== 'pending') return found.state
  if (approve) requireStepUp(ctx, caller, { withinSeconds: APPROVAL_SECONDS })
  const { entry, grant } = found
  const decision = createDecision(ctx, caller, approve)
  const isAdopted = entry.tenantId !== caller.tenantId
  const isRecorded = await atomically(forTenant(ctx.db, entry.tenantId), async (t) => {
    const decided = isAdopted ? await adoptDeviceGrant(t, grant.id, caller.tenantId, decision) : await decide(t, grant.id, decision)
    if (decided === undefined) return false
    const change = { event: `device_grant.${decision.status}`, actor: byUser(caller), target: { type: 'device_grant', id: grant.id } } as const
    const after = { client_id: grant.clientId, scopes: grant.scopes, ...auditedDetails(grant.details) }
    await (isAdopted
      ? inOtherTenant(t, caller.tenantId, (own) => recordEvent(own, ctx, { ...change, after }))
      : recordEvent(t, ctx, { ...change, after }))
    return true
  })
  return isRecorded ? decision.status : 'decided'
}

type PollBy = {
  readonly deviceCode: string
  readonly clientId: string | undefined
  /** At the token endpoint of the authorization server. */
  readonly forOauth?: boolean
  readonly jkt?: string | undefined
}
const pollerOf = ({ clientId, forOauth = false, jkt }: PollBy): Poller => ({ clientId, forOauth, jkt })

const redeemGrant = async <T>(ctx: RequestCtx, { tenantId, grantId }: CodeEntry, by: PollBy, redeem: RedeemGrant<T>): Promise<PollResult<T>> =>
  atomically(forTenant(ctx.db, tenantId), async (t): Promise<PollResult<T>> => {
    const row = await poll(t, grantId, pollerOf(by), ctx.clock.now())
    const decided = row && decidedGrant(row)
    if (decided === undefined) return pollState(row)
    const target = { type: 'device_grant', id: grantId }
    const value = await redeem(t, decided)
    if (value !== undefined) {
      const actor = decided.clientId === null ? byAnonymous : byClient(decided.clientId, decided.userId)
      await recordEvent(t, ctx, { event: 'device_grant.redeemed', actor, target, subjectId: decided.userId })
      return { state: 'redeemed', value }
    }
    await refuseDeviceGrant(t, grantId)
    await recordEvent(t, ctx, { event: 'device_grant.denied', actor: bySystem, target, subjectId: decided.userId, reason: 'no_longer_allowed' })
    return { state: 'denied' }
  })

/**
 * One poll. Exactly one poll consumes and redeems an approved grant, in one transaction. Another client's code counts as unknown, and polling it changes nothing.
 * Routes that call this emit `device_grant.redeemed`, `device_grant.denied` and what `redeem` writes.
 */
export const pollDeviceGrant = async <T>(ctx: RequestCtx, by: PollBy, redeem: RedeemGrant<T>): Promise<PollResult<T>> => {
  const findEntry = () => findCodeEntry(directory(ctx.db), { deviceCodeHash: deviceCodeHash(ctx, by.deviceCode) }, ctx.clock.now())
  const entry = await findEntry()
  if (entry === undefined) return { state: 'expired' }
  const polled = await redeemGrant(ctx, entry, by, redeem)
  if (polled.state !== 'expired' || entry.tenantId !== SYSTEM_TENANT) return polled
  // An approval moves an unbound grant to the tenant of the person.
  const moved = await findEntry()
  return moved === undefined || moved.tenantId === entry.tenantId ? polled : redeemGrant(ctx, moved, by, redeem)
}

/** Whether a code without a result is this client's and expired, rather than unknown, used or another client's. */
export const isExpiredDeviceCode = async (ctx: RequestCtx, by: PollBy): Promise<boolean> => {
  const entry = await findCodeEntry(directory(ctx.db), { deviceCodeHash: deviceCodeHash(ctx, by.deviceCode) }, undefined)
  return entry !== undefined && isLapsedDeviceGrant(forTenant(ctx.db, entry.tenantId), entry.grantId, pollerOf(by), ctx.clock.now())
}
