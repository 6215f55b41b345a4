// Wire shapes of federated trust domains.
import * as z from 'zod'

export const FederationPath = z.strictObject({ domain: z.string().min(1).max(255).meta({ description: 'The name of the trust domain.' }) })
export const FederationRequest = z
  .strictObject({
    endpoint: z
      .string()
      .min(1)
      .max(2048)
      .meta({ description: 'URL of the bundle. Public https; it is fetched without redirects.', examples: ['https://spire.partner.example/bundle'] }),
    profile: z.literal('https_web').default('https_web').meta({ description: 'How the endpoint is authenticated: by Web PKI.' }),
  })
  .meta({ id: 'FederationRequest' })
export const Federation = z
  .object({
    trust_domain: z.string(),
    endpoint: z.string(),
    profile: z.enum(['https_web', 'https_spiffe']),
    sequence: z.int().nullable(),
    refresh_hint: z.int(),
    keys: z.int().meta({ description: 'Number of keys in the bundle.' }),
    fetched_at: z.iso.datetime().nullable(),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .meta({ id: 'Federation' })
export const FederationList = z.object({ federations: z.array(Federation) }).meta({ id: 'FederationList' })
