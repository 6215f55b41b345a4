// Wire shapes of the start of a SAML sign-in and of the assertion consumer service.
import * as z from 'zod'
import { Id } from '#shared/domains/administration/fields.schema'
import { signInContextFields } from '#shared/domains/sign-in/sign-in-context.schema'

export const InitiatePath = z.object({ provider: z.string().trim().toLowerCase().min(1).max(64) })
export const InitiateSaml = z
  .object({ login_challenge: z.string().min(1).max(256), application_id: z.string().max(256).optional() })
  .meta({ id: 'SamlInitiate' })
export const SamlInitiated = z
  .object({
    success: z.literal(true),
    /** Includes the SAMLRequest and RelayState parameters. */
    sso_url: z.string(),
    saml_request: z.string(),
    relay_state: z.string(),
    provider: z.string(),
  })
  .meta({ id: 'SamlInitiated' })
export const SamlPageQuery = z.strictObject({ ...signInContextFields, provider: z.string().min(1).max(64) })

export const ServicePath = z.object({ tenant_id: Id, client_id: Id })
export const AcsForm = z
  .object({ SAMLResponse: z.string().max(400_000).optional(), RelayState: z.string().max(2000).optional() })
  .meta({ id: 'SamlResponseForm' })
