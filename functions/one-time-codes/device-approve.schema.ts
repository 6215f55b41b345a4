// Wire shapes of approving a device with a code.
import * as z from 'zod'
import { UserCode } from '#shared/domains/device-authorization/grants.schema'
import { Email } from '#shared/kernel/email'

export const ApproveDevice = z
  .object({
    user_code: UserCode,
    email: Email,
    totp_code: z.string().regex(/^\d{6}$/, 'must be six digits'),
    client_id: z.string().max(256).optional(),
    login_ticket: z.string().max(256).optional(),
  })
  .meta({ id: 'ApproveDeviceWithCode' })
export const DeviceApproved = z
  .object({
    success: z.literal(true),
    message: z.string(),
    token: z.literal('').meta({ description: 'Always empty, for old clients. The device gets the token when it polls.' }),
  })
  .meta({ id: 'DeviceApprovedWithCode' })
