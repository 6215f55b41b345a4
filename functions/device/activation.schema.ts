// Wire shapes to inspect and decide a user code.
import * as z from 'zod'
import { resourceRequestMembers, UserCode } from '#shared/domains/device-authorization/grants.schema'

export const ActivationQuery = z.object({ user_code: UserCode }).meta({ id: 'ActivationQuery' })
export const ActivationInfo = z
  .object({
    success: z.boolean(),
    user_code: z.string(),
    tenant_domain: z.string(),
    client_name: z.string().optional(),
    device_info: z.record(z.string(), z.string()).optional(),
    scopes: z.array(z.string()).optional(),
    ...resourceRequestMembers,
    expires_at: z.string(),
    message: z.string().optional(),
  })
  .meta({ id: 'ActivationInfo' })

export const UserCodeVerification = z.object({ user_code: UserCode, approve: z.boolean().default(false) }).meta({ id: 'DeviceVerification' })
export const VerifiedUserCode = z.object({ success: z.literal(true), message: z.string() }).meta({ id: 'DeviceVerified' })
export const DeviceDecision = z.object({ user_code: UserCode, approved: z.boolean().default(false) }).meta({ id: 'DeviceAuthorization' })
export const DeviceDecided = z.object({ status: z.enum(['authorized', 'denied']) }).meta({ id: 'DeviceAuthorized' })
