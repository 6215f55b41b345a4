// Wire shapes of backchannel requests, for the platform and the tenant endpoints.
import * as z from 'zod'
import { ClientId, Pending, resourceRequestMembers, Scopes } from '#shared/domains/device-authorization/grants.schema'
import { Email } from '#shared/kernel/email'

const Message = z.string().max(255)

export const PlatformCibaRequest = z
  .object({ login_hint: Email, binding_message: Message.optional(), client_id: ClientId.optional(), scopes: Scopes.optional() })
  .meta({ id: 'CibaRequestByHint' })
export const TenantCibaRequest = z
  .object({
    client_id: ClientId,
    email: Email,
    tenant_domain: z.string().max(253).optional(),
    binding_message: Message.optional(),
    scopes: Scopes.optional(),
  })
  .meta({ id: 'CibaRequestByAddress' })
export const CibaInitiated = z
  .object({
    auth_req_id: z.string(),
    expires_in: z.int(),
    interval: z.int(),
    message: z.string(),
    match_number: z.string().optional().meta({ description: 'Two digits to display to the person, who enters them to approve.' }),
    error: z.literal('no_device_registered').optional(),
    error_description: z.string().optional(),
  })
  .meta({ id: 'CibaInitiated' })

const AuthReqId = z.string().min(1).max(128)
export const PlatformPoll = z.object({ auth_req_id: AuthReqId, client_id: ClientId.optional() }).meta({ id: 'CibaPoll' })
export const TenantPoll = z.object({ auth_req_id: AuthReqId, client_id: ClientId }).meta({ id: 'CibaTenantPoll' })
export const CibaToken = z
  .object({ access_token: z.string(), token_type: z.literal('Bearer'), expires_in: z.int(), scope: z.string() })
  .meta({ id: 'CibaToken' })
export const PlatformPolled = z.union([CibaToken, Pending])

export const CibaAnswer = z
  .object({
    auth_req_id: AuthReqId,
    approved: z.boolean().default(false),
    biometric_verified: z.boolean().default(false),
    match_number: z
      .string()
      .regex(/^\d{2}$/, 'must be two digits')
      .optional(),
  })
  .meta({ id: 'CibaAnswer' })
export const CibaAnswered = z.object({ success: z.boolean(), message: z.string() }).meta({ id: 'CibaAnswered' })

const Text = z.string().max(200).optional()
export const NewDevice = z
  .object({
    device_token: z.string().min(1).max(2048),
    platform: z.string().max(16),
    device_name: Text,
    device_model: Text,
    app_version: Text,
    os_version: Text,
  })
  .meta({ id: 'NewPushDevice' })
export const DeviceAdded = z.object({ success: z.literal(true), device_id: z.string(), message: z.string() }).meta({ id: 'PushDeviceAdded' })
export const PushDevice = z
  .object({
    id: z.string(),
    device_name: z.string().optional(),
    platform: z.string(),
    device_model: z.string().optional(),
    app_version: z.string().optional(),
    os_version: z.string().optional(),
    is_active: z.boolean(),
    last_used: z.string().optional(),
    created_at: z.string(),
  })
  .meta({ id: 'PushDevice' })
export const CibaDevices = z.object({ success: z.literal(true), devices: z.array(PushDevice), message: z.string() }).meta({ id: 'PushDevices' })
export const DeviceId = z.object({ device_id: z.string().min(1).max(64) })

export const CibaRequest = z
  .object({
    id: z.string(),
    auth_req_id: z.string().meta({ description: 'The id to decide the request. It cannot poll.' }),
    user_id: z.string(),
    tenant_id: z.string(),
    user_email: z.string(),
    client_id: z.string().optional(),
    client_name: z.string().optional(),
    device_token_id: z.string(),
    binding_message: z.string().optional().meta({ description: 'Text of the client; display it as a quotation.' }),
    number_required: z.boolean(),
    scopes: z.array(z.string()),
    ...resourceRequestMembers,
    status: z.string(),
    biometric_verified: z.boolean(),
    created_at: z.string(),
    expires_at: z.string(),
  })
  .meta({ id: 'CibaRequest' })
export const Requests = z.object({ success: z.literal(true), requests: z.array(CibaRequest) }).meta({ id: 'CibaRequests' })
