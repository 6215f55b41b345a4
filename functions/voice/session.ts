// Starts a voice session. The code is returned to the client, so repeating it shows only that a person is listening.
import type * as z from 'zod'
import { atomically, forTenant } from '#db/engine/tenant'
import { insertVoiceSession } from '#db/store/voice'
import { type Application, findApplication, parseSdkSecret } from '#shared/domains/clients/application'
import { authenticatedClient } from '#shared/domains/clients/authenticate'
import { plainDeviceInfo } from '#shared/domains/device-authorization/plain-text'
import { requestedScopes } from '#shared/domains/device-authorization/scopes'
import { secondsAfter } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import { randomDigits } from '#shared/kernel/random'
import { byClient, recordEvent } from '#shared/platform/audit/audit-log'
import { usesBasicAuth } from '#shared/platform/http/basic-auth'
import type { Ctx } from './group.ts'
import type { InitiateVoice, VoiceInitiated } from './session.schema.ts'
import { newVoiceToken, voiceTokenHash } from './token.ts'

export const VOICE_SESSION_SECONDS = 180

export const otpHash = (ctx: Pick<Ctx, 'hash'>, sessionId: string, otp: string): Uint8Array => ctx.hash('voice-otp', sessionId, otp)

/** The client, and whether it authenticated; presented credentials must be valid. @throws AppError invalid_client */
const doorAndProof = async (ctx: Ctx, named: string): Promise<Application & { readonly authenticated: boolean }> => {
  const client = await authenticatedClient(ctx, named)
  if (client !== undefined) return { tenantId: client.tenantId, clientId: client.clientId, authenticated: true }
  const tried =
    usesBasicAuth(ctx.request) || parseSdkSecret(named) !== undefined || parseSdkSecret(ctx.request.header('x-client-id') ?? '') !== undefined
  if (tried) throw new AppError('invalid_client', undefined, { field: 'body.client_id', refusal: { event: 'voice.initiated' } })
  return { ...(await findApplication(ctx, named)), authenticated: false }
}

/** @throws AppError invalid_client */
export const initiateVoice = async (ctx: Ctx, body: z.output<typeof InitiateVoice>): Promise<z.input<typeof VoiceInitiated>> => {
  const application = await doorAndProof(ctx, body.client_id)
  const [id, token, otp, now] = [ctx.random.id(), newVoiceToken(ctx, application.tenantId), randomDigits(ctx.random, 4), ctx.clock.now()]
  await atomically(forTenant(ctx.db, application.tenantId), async (t) => {
    await insertVoiceSession(t, {
      id,
      tokenHash: voiceTokenHash(ctx, token),
      clientId: application.clientId,
      clientAuthenticated: application.authenticated,
      otpHash: otpHash(ctx, id, otp),
      voicePlatform: body.voice_platform ?? null,
      voiceUserId: body.voice_user_id ?? null,
      deviceInfo: plainDeviceInfo(body.device_info) ?? null,
      scopes: requestedScopes(body.scopes),
      createdAt: now,
      expiresAt: secondsAfter(now, VOICE_SESSION_SECONDS),
    })
    const target = { type: 'voice_session', id }
    await recordEvent(t, ctx, {
      event: 'voice.initiated',
      actor: byClient(application.clientId),
      target,
      after: { client_authenticated: application.authenticated },
    })
  })
  return { session_token: token, voice_otp: otp, expires_in: VOICE_SESSION_SECONDS, message: 'Ask the person to say the code.' }
}
