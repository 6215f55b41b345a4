// Wire shapes of the device's requests.
import * as z from 'zod'
import { ClientId, DeviceInfoInput, Pending, Scopes } from '#shared/domains/device-authorization/grants.schema'

export const DeviceCodeRequest = z
  .object({
    client_id: ClientId.optional(),
    tenant_domain: z.string().max(253).optional(),
    scopes: Scopes.optional(),
    device_info: DeviceInfoInput.optional(),
  })
  .meta({ id: 'DeviceCodeRequest' })
export const DeviceCode = z
  .object({
    device_code: z.string(),
    user_code: z.string(),
    verification_uri: z.string(),
    verification_uri_complete: z.string(),
    expires_in: z.int(),
    interval: z.int(),
  })
  .meta({ id: 'DeviceCode' })

export const DeviceTokenRequest = z
  .object({ device_code: z.string().min(1).max(256), grant_type: z.string().max(128).optional(), client_id: ClientId.optional() })
  .meta({ id: 'DeviceTokenRequest' })
export const DeviceToken = z
  .object({
    access_token: z.string(),
    token_type: z.literal('Bearer'),
    expires_in: z.int(),
    scope: z.string(),
    email: z.string().optional(),
    user_id: z.string().optional(),
    tenant_id: z.string().optional(),
    tenant_domain: z.string().optional(),
    client_id: z.string().optional(),
  })
  .meta({ id: 'DeviceToken' })
export const DevicePolled = z.union([DeviceToken, Pending])
