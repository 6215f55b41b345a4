// Wire shapes to start a sign-in through a provider.
import * as z from 'zod'

const provider = z.string().min(1).max(64)
const domain = z.string().min(1).max(253)
const redirect_after = z.string().max(2048).optional()

export const ProvidersQuery = z.object({ tenant_domain: domain.optional() })
export const EnabledProviders = z
  .object({ providers: z.array(z.object({ provider_name: z.string(), display_name: z.string(), icon_url: z.string().optional() })) })
  .meta({ id: 'EnabledProviders' })

export const InitiateFederation = z.object({ provider, tenant_domain: domain.optional(), redirect_after }).meta({ id: 'FederationInitiate' })
export const InitiateFor = z.object({ provider, tenant_domain: domain, redirect_after }).meta({ id: 'FederationInitiateFor' })
export const FederationInitiated = z.object({ redirect_url: z.string(), state: z.string() }).meta({ id: 'FederationInitiated' })
export const InitiatedAction = z
  .object({ redirect_url: z.string(), state: z.string(), action: z.enum(['login', 'register', 'discover']) })
  .meta({ id: 'FederationInitiatedAction' })

export const CheckTenantQuery = z.object({ domain })
export const CheckedTenant = z
  .object({ domain: z.string(), exists: z.boolean(), action: z.enum(['login', 'register']) })
  .meta({ id: 'CheckedTenant' })

export const AuthUrlRequest = z.object({ client_id: z.string().min(1).max(200) }).meta({ id: 'AuthUrlRequest' })
export const AuthUrl = z
  .object({
    auth_url: z.string(),
    state: z.string(),
    /** RFC 7636: the caller keeps it and sends it to the token endpoint with the code. An extension of this project. */
    code_verifier: z.string(),
  })
  .meta({ id: 'AuthUrl' })

export const LinkIdentity = z.object({ provider }).meta({ id: 'FederationLink' })
export const LinkStarted = z.object({ redirect_url: z.string(), message: z.string(), state: z.string() }).meta({ id: 'FederationLinkStarted' })
