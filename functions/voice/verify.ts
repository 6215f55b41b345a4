// Verifies the spoken digits. The claimed speaker counts only for an authenticated client; for other clients the result is a device grant.
import type * as z from 'zod'
import { atomically, forTenant, type TenantTx } from '#db/engine/tenant'
import { countWaitingFor } from '#db/store/device-grants'
import { type Account, lockAccountAndFindRequirements, type SessionRequirements } from '#db/store/sign-in'
import {
  findVoiceLink,
  findVoiceSession,
  moveVoiceSession,
  spendVoiceGuess,
  touchVoiceLink,
  type VoiceLink,
  type VoiceSession,
} from '#db/store/voice'
import { beginDeviceGrant, type StartedDeviceGrant } from '#shared/domains/device-authorization/device'
import { grantedScopes } from '#shared/domains/device-authorization/scopes'
import { hasAdminAccess } from '#shared/domains/sign-in/admin-access'
import { factorState } from '#shared/domains/sign-in/factors'
import { beginSession, mintToken, type StartedSession } from '#shared/domains/sign-in/session'
import { byClient, recordEvent } from '#shared/platform/audit/audit-log'
import { constantTimeEqual } from '#shared/platform/crypto/equal'
import type { Ctx } from './group.ts'
import type { VerifyVoice, VoiceVerified } from './session.schema.ts'
import { otpHash } from './session.ts'
import { tenantOfVoiceToken, voiceTokenHash } from './token.ts'

type Answer = z.input<typeof VoiceVerified>
type Outcome =
  | { readonly state: 'wrong'; readonly left: number }
  | { readonly state: 'ended'; readonly status: 'verified' | 'failed' | 'expired' }
  | { readonly state: 'session'; readonly begun: StartedSession }
  | { readonly state: 'grant'; readonly grant: StartedDeviceGrant }

const MOST_GUESSES = 5
const MOST_WAITING = 3
/** A linked account of another platform, asserted by the client: one factor, for which RFC 8176 has no name. */
const BY_LINK = ['ext']

const target = ({ id }: Pick<VoiceSession, 'id'>) => ({ type: 'voice_session', id })

const wrong = async (t: TenantTx, ctx: Ctx, session: VoiceSession): Promise<Outcome> => {
  const left = MOST_GUESSES - session.attempts
  const actor = byClient(session.clientId)
  await recordEvent(t, ctx, { event: 'request.refused', outcome: 'refused', reason: 'voice_code', actor, target: target(session) })
  if (left > 0) return { state: 'wrong', left }
  await moveVoiceSession(t, session.id, 'initiated', 'failed', ctx.clock.now())
  await recordEvent(t, ctx, { event: 'voice.failed', actor, target: target(session) })
  return { state: 'ended', status: 'failed' }
}

type Linked = { readonly user: Account; readonly requirements: SessionRequirements; readonly link: VoiceLink }
/** The person linked to the speaker that an authenticated client asserts, if that person may sign in. */
const linkedUser = async (t: TenantTx, ctx: Ctx, session: VoiceSession): Promise<Linked | undefined> => {
  const { clientAuthenticated, voicePlatform, voiceUserId } = session
  if (!clientAuthenticated || voicePlatform === null || voiceUserId === null) return undefined
  const link = await findVoiceLink(t, voicePlatform, voiceUserId)
  if (link === undefined) return undefined
  const [user, requirements] = await lockAccountAndFindRequirements(t, link.userId, ctx.clock.now())
  const isUsable = user?.active === true && user.deletedAt === null && !user.passwordResetRequired && requirements.tenant?.status === 'active'
  return isUsable && user.validFrom <= link.linkedAt ? { user, requirements, link } : undefined
}

/** Begins a device grant, for the linked person or for any person of the tenant. At most three requests wait for one person. */
const beginGrant = async (t: TenantTx, ctx: Ctx, session: VoiceSession, user: Account | undefined): Promise<Outcome> => {
  const mayAsk = user !== undefined && (await countWaitingFor(t, user.id, ctx.clock.now())) < MOST_WAITING
  const { clientId, scopes, deviceInfo } = session
  const grant = await beginDeviceGrant(t, ctx, {
    clientId,
    scopes,
    channel: 'voice',
    deviceInfo: deviceInfo ?? undefined,
    ...(mayAsk ? { requestedFor: user.id } : {}),
  })
  return { state: 'grant', grant }
}

/**
 * A linked speaker signs in where one factor is enough; otherwise the person approves on another screen, as administrators always do: the assertion is worth what the
 * client is.
 */
const proceed = async (t: TenantTx, ctx: Ctx, session: VoiceSession): Promise<Outcome> => {
  const [now, found] = [ctx.clock.now(), await linkedUser(t, ctx, session)]
  const needsScreen = found === undefined || factorState(found.requirements).required || (await hasAdminAccess(t, ctx, found.user.id))
  if (needsScreen) return beginGrant(t, ctx, session, found?.user)
  const { user, requirements, link } = found
  await moveVoiceSession(t, session.id, 'verified', 'consumed', now)
  await touchVoiceLink(t, link.id, now)
  const scopes = await grantedScopes(t, user.id, session.scopes, now)
  const begun = await beginSession(t, ctx, {
    user,
    clientId: session.clientId,
    amr: BY_LINK,
    authTime: now,
    scopes,
    remembersBrowser: false,
    requirements,
  })
  return { state: 'session', begun }
}

const ended = async (t: TenantTx, ctx: Ctx, hash: Uint8Array): Promise<Outcome> => {
  const session = await findVoiceSession(t, hash)
  if (session === undefined || session.status === 'failed') return { state: 'ended', status: 'failed' }
  if (session.status === 'verified' || session.status === 'consumed') return { state: 'ended', status: 'verified' }
  return { state: 'ended', status: session.expiresAt <= ctx.clock.now() ? 'expired' : 'failed' }
}

const verifyCode = async (t: TenantTx, ctx: Ctx, hash: Uint8Array, otp: string): Promise<Outcome> => {
  const now = ctx.clock.now()
  const session = await spendVoiceGuess(t, hash, MOST_GUESSES, now)
  if (session === undefined) return ended(t, ctx, hash)
  if (!constantTimeEqual(otpHash(ctx, session.id, otp), new Uint8Array(session.otpHash))) return wrong(t, ctx, session)
  if (!(await moveVoiceSession(t, session.id, 'initiated', 'verified', now))) return ended(t, ctx, hash)
  await recordEvent(t, ctx, { event: 'voice.verified', actor: byClient(session.clientId), target: target(session) })
  return proceed(t, ctx, session)
}

const ENDED: Readonly<Record<'verified' | 'failed' | 'expired', string>> = {
  verified: 'The voice session was already verified.',
  failed: 'The voice session has failed.',
  expired: 'The voice session has expired.',
}

const answerOf = async (ctx: Ctx, outcome: Outcome): Promise<Answer> => {
  switch (outcome.state) {
    case 'wrong':
      return { success: false, status: 'initiated', message: `Wrong code; ${outcome.left} attempts left.` }
    case 'ended':
      return { success: false, status: outcome.status, message: ENDED[outcome.status] }
    case 'session': {
      const { token, expiresInSeconds } = await mintToken(ctx, outcome.begun)
      return { success: true, status: 'verified', message: 'Signed in.', access_token: token, token_type: 'Bearer', expires_in: expiresInSeconds }
    }
    case 'grant': {
      const { deviceCode, userCode, verificationUri } = outcome.grant
      const message = 'Approve on another screen.'
      return { success: true, status: 'verified', message, device_code: deviceCode, user_code: userCode, verification_uri: verificationUri }
    }
  }
}

/** @throws AppError quota_exceeded */
export const verifyVoice = async (ctx: Ctx, body: z.output<typeof VerifyVoice>): Promise<Answer> => {
  const tenantId = tenantOfVoiceToken(body.session_token)
  const failed: Outcome = { state: 'ended', status: 'failed' }
  if (tenantId === undefined) return answerOf(ctx, failed)
  const hash = voiceTokenHash(ctx, body.session_token)
  return answerOf(ctx, await atomically(forTenant(ctx.db, tenantId), (t) => verifyCode(t, ctx, hash, body.voice_otp)))
}
