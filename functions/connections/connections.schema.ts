// Wire shapes of a tenant's own providers.
import * as z from 'zod'

const text = (most: number) => z.string().trim().min(1).max(most)
const address = z.string().min(1).max(2048).meta({ description: 'https, with a public host name.' })
/** A line of displayed text, without control and formatting characters that hide or reorder text. */
const line = (most: number) => text(most).regex(/^[^\p{Cc}\p{Cf}\p{Cs}]*$/u, 'has invisible characters')

export const ICONS = ['google', 'github', 'microsoft', 'key', 'building'] as const
/** A domain of e-mail addresses, in lower case. */
const MailDomain = z
  .string()
  .trim()
  .max(253)
  .overwrite((typed) => typed.toLowerCase())
  .regex(/^(?=.*\.)(?!-)[a-z0-9-]{1,63}(?:\.(?!-)[a-z0-9-]{1,63})+$/, 'must be a domain')
  .meta({ examples: ['sample.example'] })
const Scope = z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/, 'must be a scope (RFC 6749)')
const Parameters = z
  .record(z.string().regex(/^[\w.-]{1,64}$/), z.string().max(500))
  .refine((all) => Object.keys(all).length <= 20, 'has too many parameters')

const members = {
  display_name: line(100),
  client_id: text(500),
  client_secret: z.string().min(1).max(4096).meta({ description: 'Write-only.' }),
  scopes: z.array(Scope).min(1).max(30),
  parameters: Parameters.meta({ description: 'Further parameters for the authorization endpoint, such as `hd` or `domain_hint`.' }),
  icon: z.enum(ICONS).nullable(),
  button_text: line(60).nullable(),
  order: z.int().min(0).max(10_000),
  active: z.boolean(),
  allowed_email_domains: z
    .array(MailDomain)
    .max(100)
    .meta({ description: 'Only people with a verified address in one of these domains can sign in; all people when empty.' }),
  jit_provisioning: z.boolean().meta({ description: 'Whether a person without an account gets one. Needs allowed_email_domains.' }),
  trusts_factors: z.boolean().meta({ description: 'Whether multi-factor authentication at the provider counts as such here.' }),
}
const issuer = address.nullable()
const github_origin = address.nullable().meta({ description: 'The origin of a self-hosted GitHub server.' })

export const NewConnection = z
  .strictObject({
    name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'lower-case letters, digits and hyphens'),
    issuer: issuer.optional().meta({ description: 'Not needed for `google`, `microsoft` and `github`.' }),
    github_origin: github_origin.optional(),
    ...members,
    ...z.object(members).partial().omit({ display_name: true, client_id: true }).shape,
  })
  .meta({ id: 'NewConnection', examples: [{ name: 'okta', display_name: 'Okta', issuer: 'https://acme.okta.com', client_id: '0oa1' }] })

export const ConnectionChanges = z
  .strictObject({
    ...z.object(members).partial().shape,
    client_secret: members.client_secret.nullable().optional(),
    issuer: issuer.optional(),
    github_origin: github_origin.optional(),
  })
  .refine((changes) => Object.keys(changes).length > 0, 'nothing to change')
  .meta({ id: 'ConnectionChanges' })

export const ConnectionPath = z.strictObject({ connection_id: z.uuid() })

export const Connection = z
  .object({
    id: z.uuid(),
    name: z.string(),
    display_name: z.string(),
    kind: z.enum(['openid', 'github']),
    issuer: z.string(),
    client_id: z.string(),
    has_secret: z.boolean(),
    scopes: z.array(z.string()),
    parameters: z.record(z.string(), z.string()),
    icon: z.enum(ICONS).nullable(),
    button_text: z.string().nullable(),
    order: z.int(),
    active: z.boolean(),
    allowed_email_domains: z.array(z.string()),
    jit_provisioning: z.boolean(),
    trusts_factors: z.boolean(),
    /** Redirect URIs to register at the provider: of this platform, and of each verified domain of the tenant. */
    redirect_uris: z.array(z.string()),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: 'Connection' })
export const Connections = z.object({ connections: z.array(Connection) }).meta({ id: 'Connections' })

export const ConnectionOrder = z.strictObject({ ids: z.array(z.uuid()).min(1).max(50) }).meta({ id: 'ConnectionOrder' })

export const ConnectionTest = z
  .object({
    usable: z.boolean(),
    errors: z.array(z.string()),
    warnings: z.array(z.string()),
    /** Why the provider could not be reached. */
    reason: z.string().nullable(),
    tested_at: z.string(),
  })
  .meta({ id: 'ConnectionTest' })
