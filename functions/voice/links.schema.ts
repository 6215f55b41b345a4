// Wire shapes of links between voice accounts and people.
import * as z from 'zod'
import { Speaker, VoicePlatform } from './session.schema.ts'

export const LinkVoice = z
  .object({
    voice_platform: VoicePlatform,
    voice_user_id: Speaker,
    voice_user_name: z.string().max(200).optional(),
    link_method: z.enum(['browser_verification', 'voice_otp', 'admin_linked']).optional(),
  })
  .meta({ id: 'VoiceLinkRequest' })
export const VoiceLinked = z.object({ success: z.boolean(), message: z.string(), link_id: z.string().optional() }).meta({ id: 'VoiceLinked' })
export const UnlinkVoice = z.object({ voice_platform: VoicePlatform, voice_user_id: Speaker.optional() }).meta({ id: 'VoiceUnlink' })
export const VoiceUnlinked = z.object({ success: z.boolean(), message: z.string() }).meta({ id: 'VoiceUnlinked' })
export const VoiceLinks = z
  .object({
    links: z.array(
      z.object({
        id: z.string(),
        voice_platform: z.string(),
        voice_user_name: z.string().optional(),
        is_active: z.boolean(),
        last_used_at: z.string().optional(),
        linked_at: z.string(),
      }),
    ),
  })
  .meta({ id: 'VoiceLinks' })
