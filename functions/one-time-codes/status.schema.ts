// Wire shapes of which factors a person has, without secrets, hashes or full phone numbers.
import * as z from 'zod'
import { Email } from '#shared/kernel/email'

const proof = { login_ticket: z.string().max(256).optional() }
export const AdminMfaStatus = z.object({ email: Email, ...proof }).meta({ id: 'MfaStatusOfAdministrator' })
export const EndUserMfaStatus = z
  .object({ email: Email, tenant_id: z.uuid(), client_id: z.string().max(200).optional(), ...proof })
  .meta({ id: 'MfaStatusOfEndUser' })
export const AdminStatusQuery = z.object({ email: Email })
export const EndUserStatusQuery = z.object({ email: Email, tenant_id: z.uuid() })

export const MfaMethod = z
  .object({
    id: z.string(),
    /** Contains the user id; the name is kept for compatibility. */
    client_id: z.string(),
    user_id: z.string(),
    method_type: z.enum(['webauthn', 'totp', 'sms']),
    display_name: z.string(),
    description: z.string(),
    recommended: z.boolean(),
    method_data: z.object({ phone_display: z.string().optional() }),
    enabled: z.literal(true),
    is_primary: z.boolean(),
    verified: z.literal(true),
    enrolled_at: z.string(),
    last_used_at: z.string().optional(),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: 'MfaMethod' })
export const MfaState = z
  .object({
    mfa_required: z.boolean(),
    methods: z.array(MfaMethod).optional(),
    custom_domain: z.string().optional(),
    requires_registration: z.boolean().optional(),
    message: z.string().optional(),
  })
  .meta({ id: 'MfaState' })
export const FlatStatus = z
  .object({ user_id: z.string(), email: z.string(), mfa_enabled: z.boolean(), methods: z.array(MfaMethod) })
  .meta({ id: 'MfaStatus' })
export const FlatLoginStatus = z
  .object({ mfa_required: z.boolean(), methods: z.array(MfaMethod), webauthn_status: z.enum(['register', 'authenticate', 'unavailable']) })
  .meta({ id: 'MfaLoginStatus' })
