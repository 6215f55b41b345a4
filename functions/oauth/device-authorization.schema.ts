// Wire shapes of device authorization (RFC 8628 section 3) and backchannel authentication (OpenID CIBA Core section 7).
import * as z from 'zod'
import { canonicalResource } from './scopes.ts'
import { clientMembers, given, RESOURCES } from './token.schema.ts'

export const DeviceAuthorizationForm = z
  .object({ ...clientMembers, scope: given(4096), resource: given(RESOURCES, canonicalResource), authorization_details: given(16_384) })
  .meta({ id: 'OauthDeviceAuthorizationRequest' })
export const DeviceAuthorization = z
  .object({
    device_code: z.string(),
    user_code: z.string(),
    verification_uri: z.string(),
    verification_uri_complete: z.string(),
    expires_in: z.int(),
    interval: z.int(),
  })
  .meta({ id: 'OauthDeviceAuthorization' })

export const BackchannelForm = z
  .object({
    ...clientMembers,
    scope: given(4096),
    resource: given(RESOURCES, canonicalResource),
    authorization_details: given(16_384),
    acr_values: given(256),
    login_hint: given(320),
    login_hint_token: given(8192),
    id_token_hint: given(8192),
    binding_message: given(4096),
    user_code: given(256),
    requested_expiry: given(32),
    client_notification_token: given(1024),
    request: given(8192),
  })
  .meta({ id: 'BackchannelAuthenticationRequest' })
export const BackchannelAuthentication = z
  .object({ auth_req_id: z.string(), expires_in: z.int(), interval: z.int(), match_number: z.string().optional() })
  .meta({ id: 'BackchannelAuthentication' })
