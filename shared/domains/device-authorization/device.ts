// Device grants (RFC 8628): begun on a screen without a keyboard, decided on another, redeemed by a poll. Four rules, each of use to whoever offers the grant:
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
import { auditedDetails } from '#shared/domains/oauth/details'
import { secondsAfter } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import { byAnonymous, byClient, bySystem, byUser, recordEvent } from '#shared/platform/audit/audit-log'
import type { User } from '#shared/platform/principals/principal'
import { countWrongCode, requireFewWrongCodes } from './code-guesses.ts'
import { decidedGrant, type PollResult, pollState, type RedeemGrant, type ResourceBinding } from './poll.ts'
import { newUserCode, userCodeOf } from './user-code.ts'

export const INTERVAL_SECONDS = 5
const TRIES = 5

const deviceCodeHash = (ctx: Pick<BaseCtx, 'hash'>, code: string): Uint8Array => ctx.hash('device-code', code)
const userCodeHash = (ctx: Pick<BaseCtx, 'hash'>, code: string): Uint8Array => ctx.hash('user-code', code)
const sealedIn = (id: string): string => `device_grants:${id}`

export type DeviceGrantRequest = {
  /** The client that begins it, where one does; it binds the tenant. */
  readonly clientId: string | undefined
  readonly scopes: readonly string[]
  readonly deviceInfo?: DeviceInfo | undefined
  readonly channel?: 'device' | 'voice'
  /** The person whom it is for, in whose list it stands. */
  readonly requestedFor?: string
  /** Begun at the authorization server. */
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

/** Keeps a grant under codes that nothing else has. @throws AppError unavailable when chance fails five times */
const keepGrant = async (t: TenantTx, ctx: RequestCtx, given: DeviceGrantRequest, id: string, deviceCode: string): Promise<string> => {
  const [createdAt, expiresAt] = [ctx.clock.now(), secondsAfter(ctx.clock.now(), ctx.config.DEVICE_CODE_SECONDS)]
  for (let tries = 0; tries < TRIES; tries++) {
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
 * Begins a grant, in the client's tenant, or in the system's where none is bound yet. Of both codes digests alone are kept.
 * Routes that call this emit `device_grant.requested`.
 * @throws AppError unavailable
 */
export const beginDeviceGrant = async (t: TenantTx, ctx: RequestCtx, given: DeviceGrantRequest): Promise<StartedDeviceGrant> => {
  const id = ctx.random.id()
  const deviceCode = Buffer.from(ctx.random.bytes(32)).toString('hex')
  const userCode = await keepGrant(t, ctx, given, id, deviceCode)
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

/** The code of a grant that names a person, for that person's list. */
export const userCodeOfGrant = async (ctx: Pick<BaseCtx, 'keyring' | 'db'>, grant: DeviceGrant): Promise<string | undefined> =>
  grant.sealedUserCode === null || grant.requestedFor === null
    ? undefined
    : ctx.keyring.open(forTenant(ctx.db, grant.tenantId as TenantId), grant.requestedFor, grant.sealedUserCode, sealedIn(grant.id))

/** `decided`: a live code of a grant on which somebody has decided already. */
export type UserCodeLookup =
  | { readonly state: 'pending'; readonly grant: DeviceGrant; readonly entry: CodeEntry; readonly userCode: string }
  | { readonly state: 'decided' }
  | { readonly state: 'unknown' }

/** Grants that no client began lie in the system tenant, for whoever approves them. */
const isForAnybody = (entry: CodeEntry, grant: DeviceGrant): boolean => entry.tenantId === SYSTEM_TENANT && grant.clientId === null

/**
 * The grant of a code that somebody typed. A code of another tenant than the caller's, or of a request for somebody else, is as unknown as none; what is
 * unknown is counted against the address.
 * @throws AppError rate_limited
 */
export const lookUpUserCode = async (ctx: RequestCtx, typed: string, caller?: Pick<User, 'tenantId' | 'userId'>): Promise<UserCodeLookup> => {
  await requireFewWrongCodes(ctx)
  const [userCode, now] = [userCodeOf(typed), ctx.clock.now()]
  const entry = userCode === undefined ? undefined : await findCodeEntry(directory(ctx.db), { userCodeHash: userCodeHash(ctx, userCode) }, now)
  const grant = entry === undefined ? undefined : await findDeviceGrant(forTenant(ctx.db, entry.tenantId), entry.grantId)
  const isTheirs = (found: DeviceGrant, at: CodeEntry): boolean =>
    caller === undefined ||
    isForAnybody(at, found) ||
    (at.tenantId === caller.tenantId && (found.requestedFor === null || found.requestedFor === caller.userId))
  if (userCode === undefined || entry === undefined || grant === undefined || !isTheirs(grant, entry)) {
    await countWrongCode(ctx)
    return { state: 'unknown' }
  }
  return grant.status === 'pending' && grant.expiresAt > now ? { state: 'pending', grant, entry, userCode } : { state: 'decided' }
}

const decisionBy = (ctx: RequestCtx, caller: User, approve: boolean): GrantDecision => ({
  status: approve ? 'approved' : 'denied',
  userId: caller.userId,
  sessionId: caller.sessionId,
  amr: caller.amr,
  authTime: caller.authTime,
  decidedAt: ctx.clock.now(),
})

/**
 * A signed-in person approves or denies the grant of a code. It becomes the person's and the person's tenant's; only the person's own tenant can be it.
 * Of many decisions at once one counts. Nothing is minted: the token goes to the device that polls.
 * Routes that call this emit `device_grant.approved`, `device_grant.denied`.
 * @throws AppError rate_limited
 */
export const decideDeviceGrant = async (
  ctx: RequestCtx,
  caller: User,
  typed: string,
  approve: boolean,
): Promise<'approved' | 'denied' | 'decided' | 'unknown'> => {
  const found = await lookUpUserCode(ctx, typed, caller)
  if (found.state !== 'pending') return found.state
  const { entry, grant } = found
  const decision = decisionBy(ctx, caller, approve)
  const isAdopted = entry.tenantId !== caller.tenantId
  const done = await atomically(forTenant(ctx.db, entry.tenantId), async (t) => {
    const decided = isAdopted ? await adoptDeviceGrant(t, grant.id, caller.tenantId, decision) : await decide(t, grant.id, decision)
    if (decided === undefined) return false
    const noted = { event: `device_grant.${decision.status}`, actor: byUser(caller), target: { type: 'device_grant', id: grant.id } } as const
    const after = { client_id: grant.clientId, scopes: grant.scopes, ...auditedDetails(grant.details) }
    await (isAdopted
      ? inOtherTenant(t, caller.tenantId, (own) => recordEvent(own, ctx, { ...noted, after }))
      : recordEvent(t, ctx, { ...noted, after }))
    return true
  })
  return done ? decision.status : 'decided'
}

type PollBy = {
  readonly deviceCode: string
  readonly clientId: string | undefined
  /** At the token endpoint of the authorization server. */
  readonly forOauth?: boolean
  readonly jkt?: string | undefined
}
const pollerOf = ({ clientId, forOauth = false, jkt }: PollBy): Poller => ({ clientId, forOauth, jkt })

const redeemIn = async <T>(ctx: RequestCtx, { tenantId, grantId }: CodeEntry, by: PollBy, redeem: RedeemGrant<T>): Promise<PollResult<T>> =>
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
 * One poll. An approved grant is consumed and redeemed in one transaction, by one poll of however many. Another client's code is as unknown as none, and
 * polling it changes nothing.
 * Routes that call this emit `device_grant.redeemed`, `device_grant.denied` and what `redeem` writes.
 */
export const pollDeviceGrant = async <T>(ctx: RequestCtx, by: PollBy, redeem: RedeemGrant<T>): Promise<PollResult<T>> => {
  const look = () => findCodeEntry(directory(ctx.db), { deviceCodeHash: deviceCodeHash(ctx, by.deviceCode) }, ctx.clock.now())
  const entry = await look()
  if (entry === undefined) return { state: 'expired' }
  const polled = await redeemIn(ctx, entry, by, redeem)
  if (polled.state !== 'expired' || entry.tenantId !== SYSTEM_TENANT) return polled
  // Whoever approved it meanwhile took it along.
  const moved = await look()
  return moved === undefined || moved.tenantId === entry.tenantId ? polled : redeemIn(ctx, moved, by, redeem)
}

/** Of a code that earned nothing: whether it is this client's and came too late, and not unknown, used, or somebody else's. */
export const isExpiredDeviceCode = async (ctx: RequestCtx, by: PollBy): Promise<boolean> => {
  const entry = await findCodeEntry(directory(ctx.db), { deviceCodeHash: deviceCodeHash(ctx, by.deviceCode) }, undefined)
  return entry !== undefined && isLapsedDeviceGrant(forTenant(ctx.db, entry.tenantId), entry.grantId, pollerOf(by), ctx.clock.now())
}
