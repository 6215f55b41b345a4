// Wire shapes of the token endpoints.
import * as z from 'zod'
import { MAX_TOKEN_LENGTH } from '#shared/platform/tokens/strict-jws'

const words = z.array(z.string())
export const AuthHealth = z
  .object({ status: z.literal('healthy'), service: z.literal('auth-manager'), version: z.string() })
  .meta({ id: 'AuthManagerHealth' })

export const VerifyToken = z.object({ token: z.string().min(1).max(MAX_TOKEN_LENGTH) }).meta({ id: 'VerifyToken' })
export const VerifiedToken = z
  .object({
    valid: z.literal(true),
    tenant_id: z.string(),
    project_id: z.string(),
    client_id: z.string(),
    email_id: z.string(),
    user_id: z.string(),
    scopes: words,
    roles: words,
    groups: words,
    resources: words,
    token_type: z.literal('default'),
    issued_at: z.string(),
    expires_at: z.string(),
    issuer: z.string(),
  })
  .meta({ id: 'VerifiedToken' })

export const ExchangeOidcToken = z.object({ oidc_token: z.string().min(1).max(MAX_TOKEN_LENGTH) }).meta({ id: 'ExchangeOidcToken' })

const text = z.string().max(500).optional()
/** Members that other clients send (`user_id`, `roles`, `permissions`, `scopes`) are ignored: permissions are never taken from a body. */
export const GenerateToken = z
  .object({ tenant_id: text, project_id: text, client_id: text, email_id: text, secret_id: text })
  .meta({ id: 'GenerateToken' })
export const GeneratedToken = z
  .object({ access_token: z.string(), token_type: z.literal('Bearer'), expires_in: z.int() })
  .meta({ id: 'GeneratedToken' })
