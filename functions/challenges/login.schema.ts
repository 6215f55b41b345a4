// Wire shapes of sign-in on a tenant's own front end.
import * as z from 'zod'

export const challenge = z.string().min(1).max(256)

export const Health = z
  .object({ status: z.literal('healthy'), service: z.literal('oauth-login-service-api'), timestamp: z.string() })
  .meta({ id: 'LoginServiceHealth' })

export const LoginQuery = z.object({ login_challenge: challenge })
export const LoginBody = z.object({ login_challenge: challenge }).meta({ id: 'CompleteLocalLogin' })

export const ChallengeClient = z
  .object({ client_id: z.string(), client: z.object({ client_id: z.string(), client_name: z.string(), redirect_uris: z.array(z.string()) }) })
  .meta({ id: 'LoginChallengeClient' })

const Provider = z.object({
  provider_name: z.string(),
  display_name: z.string(),
  is_active: z.boolean(),
  sort_order: z.int(),
  callback_url: z.string(),
  config: z.object({
    type: z.enum(['oidc', 'saml']),
    entity_id: z.string().optional(),
    sso_url: z.string().optional(),
    slo_url: z.string().optional(),
    name_id_format: z.string().optional(),
  }),
})
export const LoginPageData = z
  .object({
    success: z.literal(true),
    login_challenge: z.string(),
    client_id: z.string(),
    tenant_name: z.string(),
    client_name: z.string(),
    client_type: z.enum(['tenant_client', 'mcp_dynamic_client']),
    redirect_uris: z.array(z.string()),
    base_url: z.string(),
    local_login_enabled: z.literal(true),
    providers: z.array(Provider),
    /** Parameters of the authorization request for the sign-in page (OpenID Connect Core section 3.1.2.1). An extension of this project. */
    prompt: z.string().optional(),
    max_age: z.string().optional(),
    acr_values: z.string().optional(),
    login_hint: z.string().optional(),
    ui_locales: z.string().optional(),
  })
  .meta({ id: 'LoginPageData' })

export const LoginCompleted = z
  .object({
    success: z.literal(true),
    login_challenge: z.string(),
    redirect_to: z.string(),
    client_id: z.string(),
    tenant_id: z.string(),
    email: z.string(),
  })
  .meta({ id: 'LoginCompleted' })

export const RejectLogin = z.strictObject({ login_challenge: challenge }).meta({ id: 'RejectLogin' })
export const Redirected = z.object({ redirect_to: z.string() }).meta({ id: 'ChallengeAnswered' })

export const ErrorQuery = z.object({ error: z.string().max(100).optional(), error_description: z.string().max(2000).optional() })
