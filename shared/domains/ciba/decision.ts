// Backchannel requests (OpenID CIBA Core 1.0): the person's decision and the client's poll.

import { atomically, forTenant, type TenantDb, type TenantTx } from '#db/engine/tenant'
import {
  type CibaRequest,
  decideCibaRequest,
  findCibaRequestFor,
  findCibaRequestsFor,
  isLapsedCibaRequest,
  pollCibaRequest,
  refuseCibaRequest,
} from '#db/store/ciba'
import { findFactors } from '#db/store/factors'
import type { Poller } from '#db/store/polled-grants'
import { findPushDeviceOfSession } from '#db/store/push-devices'
import type { RequestCtx } from '#shared/domains/context'
import { decidedGrant, type PollResult, pollState, type RedeemGrant } from '#shared/domains/device-authorization/poll'
import { APPROVAL_SECONDS } from '#shared/domains/factors/step-up-age'
import { auditedDetails } from '#shared/domains/oauth/details'
import { parseUuid } from '#shared/kernel/ids'
import { byClient, bySystem, byUser, recordEvent } from '#shared/platform/audit/audit-log'
import { constantTimeEqual } from '#shared/platform/crypto/equal'
import type { StepUp } from '#shared/platform/http/access'
import { requireStepUp } from '#shared/platform/http/step-up'
import type { User } from '#shared/platform/principals/principal'
import { authReqIdHash, tenantOfAuthReqId } from './auth-req-id.ts'
import { numberHash } from './number-match.ts'

export type CibaDecision = {
  /** The request's id, as the push and the list name it, or its `auth_req_id`. */
  readonly authReqId: string
  readonly approved: boolean
  readonly biometricVerified: boolean
  readonly number: string | undefined
  /** Answered on our own page, by a person who has just signed in, without a notified device. */
  readonly onPage?: true
}

/** The caller's pending requests. */
export const listCibaRequests = (ctx: RequestCtx, caller: User): Promise<CibaRequest[]> =>
  findCibaRequestsFor(forTenant(ctx.db, caller.tenantId), caller.userId, ctx.clock.now())

const hasNumber = (ctx: RequestCtx, request: CibaRequest, number: string | undefined): boolean =>
  request.numberHash === null || (number !== undefined && constantTimeEqual(numberHash(ctx, request.id, number), new Uint8Array(request.numberHash)))

const target = (id: string) => ({ type: 'ciba_request', id })

const findRequest = (t: TenantDb, ctx: RequestCtx, caller: User, authReqId: string): Promise<CibaRequest | undefined> => {
  const id = parseUuid(authReqId)
  return findCibaRequestFor(t, caller.userId, id === undefined ? { handleHash: authReqIdHash(ctx, authReqId) } : { id }, ctx.clock.now())
}

/** The notified device that this session is registered for. */
const findNotifiedDevice = async (t: TenantDb, caller: User, request: CibaRequest): Promise<string | undefined> => {
  const device = await findPushDeviceOfSession(t, caller.userId, caller.sessionId)
  return device !== undefined && request.deviceIds.includes(device.id) ? device.id : undefined
}

/** The request, when it is pending for the caller and they answer on a notified device or on our own page. */
const findAnswerable = async (t: TenantTx, ctx: RequestCtx, caller: User, answer: CibaDecision) => {
  const request = await findRequest(t, ctx, caller, answer.authReqId)
  const deviceId = request === undefined ? undefined : await findNotifiedDevice(t, caller, request)
  if (request === undefined || (deviceId === undefined && answer.onPage === undefined)) return undefined
  // Denying needs nothing more. Approving needs a recent sign-in, and without the device also the strength of the client's own sign-in.
  if (answer.approved) requireStepUp(ctx, caller, deviceId === undefined ? await pageStepUp(t, caller) : { withinSeconds: APPROVAL_SECONDS })
  return { request, deviceId: deviceId ?? null }
}

const pageStepUp = async (t: TenantDb, { userId }: User): Promise<StepUp> =>
  (await findFactors(t, userId)).length > 0 ? { withinSeconds: APPROVAL_SECONDS, acr: 'aal2' } : { withinSeconds: APPROVAL_SECONDS }

/**
 * Records the person's answer. A wrong number denies the request, because two digits are soon guessed. Unknown, expired and decided requests, those of another
 * person, and those that were not sent to this device are all `refused`.
 * Routes that call this emit `ciba.approved`, `ciba.denied`.
 * @throws AppError insufficient_user_authentication when the sign-in is too old or, on our own page, too weak to approve
 */
export const decideCiba = async (ctx: RequestCtx, caller: User, answer: CibaDecision): Promise<'approved' | 'denied' | 'wrong_number' | 'refused'> =>
  atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    const found = await findAnswerable(t, ctx, caller, answer)
    const refuse = async () => {
      const named = found === undefined ? {} : { target: target(found.request.id) }
      await recordEvent(t, ctx, { event: 'request.refused', outcome: 'refused', reason: 'ciba_not_answered', actor: byUser(caller), ...named })
      return 'refused' as const
    }
    if (found === undefined) return refuse()
    const { request, deviceId } = found
    const isWrong = answer.approved && !hasNumber(ctx, request, answer.number)
    const status = answer.approved && !isWrong ? 'approved' : 'denied'
    const decided = await decideCibaRequest(t, request.id, {
      status,
      userId: caller.userId,
      sessionId: caller.sessionId,
      amr: caller.amr,
      authTime: caller.authTime,
      decidedAt: ctx.clock.now(),
      deviceId,
      biometricVerified: answer.biometricVerified,
    })
    if (!decided) return refuse()
    const why = isWrong ? { reason: 'wrong_number' } : {}
    await recordEvent(t, ctx, {
      event: `ciba.${status}`,
      actor: byUser(caller),
      target: target(request.id),
      after: { device_id: deviceId, binding_message: request.bindingMessage, ...auditedDetails(request.details) },
      ...why,
    })
    return isWrong ? 'wrong_number' : status
  })

/** Adds `mca` (RFC 8176: more than one channel), except for an answer on our own page. */
const withChannel = (row: CibaRequest) => {
  const decided = decidedGrant(row)
  return decided === undefined || row.deviceId === null ? decided : { ...decided, amr: [...decided.amr, 'mca'] }
}

type PollBy = {
  readonly authReqId: string
  readonly clientId: string | undefined
  /** At the token endpoint of the authorization server. */
  readonly forOauth?: boolean
  readonly jkt?: string | undefined
}
const pollerOf = ({ clientId, forOauth = false, jkt }: PollBy): Poller => ({ clientId, forOauth, jkt })

/**
 * One poll by the requesting client. Exactly one poll consumes and redeems an approved request, in one transaction. Another client's request counts as unknown,
 * and polling it changes nothing.
 * Routes that call this emit `ciba.redeemed`, `ciba.denied` and what `redeem` writes.
 */
export const pollCiba = async <T>(ctx: RequestCtx, by: PollBy, redeem: RedeemGrant<T>): Promise<PollResult<T>> => {
  const tenantId = tenantOfAuthReqId(by.authReqId)
  const { clientId } = by
  if (tenantId === undefined || clientId === undefined) return { state: 'expired' }
  return atomically(forTenant(ctx.db, tenantId), async (t): Promise<PollResult<T>> => {
    const row = await pollCibaRequest(t, authReqIdHash(ctx, by.authReqId), pollerOf(by), ctx.clock.now())
    const decided = row && withChannel(row)
    if (decided === undefined) return pollState(row)
    const value = await redeem(t, decided)
    if (value !== undefined) {
      const actor = byClient(clientId, decided.userId)
      await recordEvent(t, ctx, { event: 'ciba.redeemed', actor, target: target(decided.id), subjectId: decided.userId })
      return { state: 'redeemed', value }
    }
    await refuseCibaRequest(t, decided.id)
    await recordEvent(t, ctx, {
      event: 'ciba.denied',
      actor: bySystem,
      target: target(decided.id),
      subjectId: decided.userId,
      reason: 'no_longer_allowed',
    })
    return { state: 'denied' }
  })
}

/** Whether a handle without a result is this client's and expired, rather than unknown, used or another client's. */
export const isExpiredCiba = async (ctx: RequestCtx, by: PollBy): Promise<boolean> => {
  const tenantId = tenantOfAuthReqId(by.authReqId)
  return tenantId !== undefined && isLapsedCibaRequest(forTenant(ctx.db, tenantId), authReqIdHash(ctx, by.authReqId), pollerOf(by), ctx.clock.now())
}
