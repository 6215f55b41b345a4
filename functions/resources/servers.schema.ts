// Wire shapes of resource servers.
import * as z from 'zod'
import { Id } from '#shared/domains/administration/fields.schema'
import { GRANT_TYPES } from '#shared/domains/oauth/supported'
import { PRESET_IDS } from './presets.ts'

/** A scope token (RFC 6749 section 3.3). */
export const ScopeName = z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,120}$/, 'must be a scope of RFC 6749')
const Scope = z.object({
  name: ScopeName,
  description: z.string().max(300).default(''),
  /** `resource:action`, a permission that the person needs to get the scope. */
  permission: z
    .string()
    .regex(/^[^:\s]{1,100}:[^:\s]{1,100}$/, 'must be resource:action')
    .optional(),
})
/** A plain name is a scope that needs no permission. */
const Scopes = z.array(z.union([ScopeName.transform((name) => ({ name, description: '', permission: undefined })), Scope])).max(200)
/** Which clients may request tokens. `dcr`: registered by themselves; `cimd`: identified by a metadata document; `prereg`: registered by an administrator. */
const Modes = z
  .array(z.enum(['dcr', 'cimd', 'prereg']))
  .min(1)
  .max(3)
const TokenSeconds = z.int().min(60).max(3600)

export const ServerPath = z.object({ id: Id })
export const ServerClientPath = z.object({ id: Id, client_id: Id })

export const NewServer = z
  .object({
    name: z.string().trim().min(1).max(200),
    /** https, or http on the loopback interface. */
    public_base_url: z.string().max(1000),
    protected_base_path: z.string().max(300).default('/mcp'),
    scopes_supported: Scopes.default([]),
    /** Preset scopes, used if no scopes are given. */
    scope_preset_id: z.enum(PRESET_IDS).optional(),
    registration_modes: Modes.default(['prereg']),
    application_type: z.enum(['mcp_server', 'ai_agent', 'clawbot', 'api_service']).default('mcp_server'),
    /** Type of the agent; default `mcp-agent` for an `ai_agent`. */
    agent_type: z
      .string()
      .regex(/^[A-Za-z0-9._-]{1,64}$/, 'letters, digits, dots, hyphens and underscores, at most 64')
      .optional(),
    /** Any client of the tenant may request tokens. */
    open_to_clients: z.boolean().default(false),
    token_seconds: TokenSeconds.default(300),
  })
  .meta({ id: 'NewResourceServer' })

export const ServerChange = z
  .object({
    name: z.string().trim().min(1).max(200).optional(),
    scopes_supported: Scopes.optional(),
    registration_modes: Modes.optional(),
    open_to_clients: z.boolean().optional(),
    token_seconds: TokenSeconds.optional(),
    active: z.boolean().optional(),
  })
  .meta({ id: 'ResourceServerChange' })

const ScopeOut = z.object({ name: z.string(), description: z.string(), permission: z.string().nullable() })
const members = {
  id: Id,
  tenant_id: Id,
  /** The same as `resource_url`, as the administration UI names it. */
  resource_uri: z.string(),
  client_count: z.int(),
  access_policy_role_name: z.string().optional(),
  state: z
    .enum(['pending_scan', 'needs_setup', 'ready', 'scan_failed'])
    .meta({ description: 'How far its tools are set up, for servers with an SDK.' }),
  scan_generation: z.int(),
  last_successful_generation: z.int(),
  last_scan_status: z.string().optional(),
  last_scan_completed_at: z.string().optional(),
  last_validated_at: z.string().optional(),
  last_validation_status: z.string().optional(),
  name: z.string(),
  public_base_url: z.string(),
  protected_base_path: z.string(),
  application_type: z.string(),
  agent_type: z.string().optional(),
  resource_url: z.string(),
  issuer_url: z.string(),
  jwks_uri: z.string(),
  introspection_endpoint: z.string(),
  manifest_url: z.string(),
  validation_mode: z.literal('auto'),
  scopes_supported: z.array(z.string()),
  scopes: z.array(ScopeOut),
  open_to_clients: z.boolean(),
  registration_modes: z.array(z.string()),
  access_policy_enabled: z.boolean(),
  token_seconds: z.int(),
  active: z.boolean(),
  status: z.enum(['ready', 'inactive']),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
}
export const ServerOut = z.object(members).meta({ id: 'ResourceServer' })
export const CreatedServer = z.object({ ...members, introspection_secret: z.string() }).meta({ id: 'CreatedResourceServer' })
export const ServerList = z.array(ServerOut)
export const NewSecret = z.object({ introspection_secret: z.string() }).meta({ id: 'IntrospectionSecret' })

/** A client of the tenant by its id, or a new one by its name and redirect URIs. */
export const ClientRegistration = z
  .object({
    client_id: Id.optional(),
    client_name: z.string().trim().min(1).max(256).optional(),
    redirect_uris: z.array(z.string().max(2000)).max(50).optional(),
    grant_types: z.array(z.enum(GRANT_TYPES)).min(1).optional(),
    response_types: z.array(z.string().max(50)).max(10).optional(),
    /** `none` makes a public client, without a secret. */
    token_endpoint_auth_method: z.enum(['none', 'client_secret_basic', 'client_secret_post']).default('none'),
  })
  .refine((body) => (body.client_id === undefined) !== (body.client_name === undefined), 'exactly one of client_id and client_name is required')
  .meta({ id: 'ResourceClientRegistration', examples: [{ client_name: 'Inspector', redirect_uris: ['http://localhost:6274/oauth/callback'] }] })
const registered = {
  client_id: Id,
  client_name: z.string(),
  /** How the client was registered: by an administrator (`prereg`), by itself (`dcr`), or by its metadata document (`cimd`). */
  registration_type: z.enum(['prereg', 'dcr', 'cimd']),
  status: z.literal('approved'),
  created_at: z.iso.datetime(),
}
export const ResourceClient = z
  .object({ ...registered, client_secret: z.string().optional().meta({ description: 'Of a new client; disclosed once.' }) })
  .meta({ id: 'ResourceClient' })
export const ResourceClients = z.array(z.object(registered).meta({ id: 'ListedResourceClient' }))
export const RemovedResourceClient = z.object({ status: z.literal('revoked') }).meta({ id: 'ResourceClientRemoved' })

/** RFC 9728 section 2 */
export const Manifest = z
  .object({
    resource: z.string(),
    authorization_servers: z.array(z.string()),
    scopes_supported: z.array(z.string()),
    bearer_methods_supported: z.array(z.string()),
    resource_name: z.string(),
    dpop_signing_alg_values_supported: z.array(z.string()),
    authorization_details_types_supported: z.array(z.string()).optional(),
    application_type: z.string(),
    agent_type: z.string().optional(),
  })
  .meta({ id: 'ProtectedResource' })
