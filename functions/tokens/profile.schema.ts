// Wire shapes of the caller's session.
import * as z from 'zod'
import { Id } from '#shared/domains/administration/fields.schema'
import { Email } from '#shared/kernel/email'

const words = z.array(z.string())

export const TokenProfile = z
  .object({
    tenant_id: z.string(),
    client_id: z.string(),
    email_id: z.string(),
    scopes: words,
    roles: words,
    groups: words,
    resources: words,
    token_type: z.literal('default'),
  })
  .meta({ id: 'SessionProfile' })

export const AuthStatusQuery = z.object({ email: Email, tenant_id: Id.optional(), project_id: Id.optional() })
export const AuthStatus = z
  .object({
    tenant_id: z.string(),
    email: z.string(),
    client_id: z.string(),
    project_id: z.string(),
    roles: words,
    scopes: words,
    groups: words,
    resources: words,
    mfa_enabled: z.boolean(),
    webauthn_configured: z.boolean(),
    otp_required: z.boolean(),
  })
  .meta({ id: 'AuthStatus' })

export const TokenPermissions = z
  .object({ user_id: z.string(), tenant: z.string(), permissions: words, count: z.int() })
  .meta({ id: 'SessionPermissions' })
