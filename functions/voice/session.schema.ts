// Wire shapes of a voice session.
import * as z from 'zod'
import { ClientId, DeviceInfoInput, Scopes } from '#shared/domains/device-authorization/grants.schema'
import { Email } from '#shared/kernel/email'

export const VoicePlatform = z.string().min(1).max(64)
export const Speaker = z.string().min(1).max(512)
const SessionToken = z.string().min(1).max(256)

export const InitiateVoice = z
  .object({
    client_id: ClientId,
    voice_platform: VoicePlatform.optional(),
    voice_user_id: Speaker.optional(),
    device_info: DeviceInfoInput.optional(),
    scopes: Scopes.optional(),
  })
  .meta({ id: 'VoiceInitiate' })
export const VoiceInitiated = z
  .object({ session_token: z.string(), voice_otp: z.string(), expires_in: z.int(), message: z.string() })
  .meta({ id: 'VoiceInitiated' })

export const VerifyVoice = z
  .object({ session_token: SessionToken, voice_otp: z.string().min(1).max(16), voice_confirmation: z.boolean().optional() })
  .meta({ id: 'VoiceVerify' })
export const VoiceVerified = z
  .object({
    success: z.boolean(),
    status: z.enum(['verified', 'failed', 'expired', 'initiated']),
    message: z.string(),
    access_token: z.string().optional(),
    token_type: z.literal('Bearer').optional(),
    expires_in: z.int().optional(),
    device_code: z.string().optional(),
    user_code: z.string().optional(),
    verification_uri: z.string().optional(),
  })
  .meta({ id: 'VoiceVerified' })

export const VoiceTokenRequest = z
  .object({ session_token: SessionToken, email: Email, password: z.string().min(1).max(1024), tenant_domain: z.string().max(253).optional() })
  .meta({ id: 'VoiceTokenRequest' })
export const VoiceTokenMinted = z
  .object({ access_token: z.string(), token_type: z.literal('Bearer'), expires_in: z.int() })
  .meta({ id: 'VoiceToken' })
