// Wire shapes of device grants that wait for a person's approval.
import * as z from 'zod'
import { ClientId, UserCode } from '#shared/domains/device-authorization/grants.schema'

export const PendingQuery = z.object({ client_id: ClientId.optional() }).meta({ id: 'VoicePendingQuery' })
export const PendingRequests = z
  .object({
    requests: z.array(
      z.object({
        id: z.string(),
        user_code: z.string(),
        device_code: z.literal('').meta({ description: 'Always empty, because the device code is a credential of the device.' }),
        verification_uri: z.string(),
        device_info: z.record(z.string(), z.string()),
        scopes: z.array(z.string()),
        status: z.string(),
        expires_at: z.string(),
        created_at: z.string(),
        client_id: z.string().optional(),
      }),
    ),
    count: z.int(),
  })
  .meta({ id: 'VoicePending' })
export const ApprovePendingRequest = z.object({ user_code: UserCode, approve: z.boolean().default(false) }).meta({ id: 'VoiceApprove' })
export const PendingRequestApproved = z
  .object({ success: z.literal(true), message: z.string(), status: z.enum(['authorized', 'denied']) })
  .meta({ id: 'VoiceApproved' })
