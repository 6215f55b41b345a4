// Wire shapes of clients.
import * as z from 'zod'
import { parseClientId } from '#shared/domains/clients/application'
import { isRedirectUri } from '#shared/domains/clients/redirect-uri'
import { Email } from '#shared/kernel/email'
import { Id } from './fields.schema.ts'

export const ClientOut = z
  .object({
    id: z.string(),
    client_id: z.string(),
    tenant_id: z.string(),
    project_id: z.string(),
    owner_id: z.string(),
    org_id: z.string(),
    name: z.string(),
    email: z.string().optional(),
    status: z.string(),
    tags: z.array(z.string()),
    active: z.boolean(),
    last_login: z.string().optional(),
    mfa_enabled: z.boolean(),
    mfa_method: z.array(z.string()),
    mfa_verified: z.boolean(),
    roles: z.array(z.object({ id: z.string(), name: z.string() })),
    /** The service account that roles are bound to. Absent for a client without one. */
    service_account_id: z.string().optional(),
    /** Compatibility name: the client's id at AuthSec's OAuth server. */
    hydra_client_id: z.string().optional(),
    oidc_enabled: z.boolean(),
    client_type: z.string(),
    agent_type: z.string().optional(),
    spiffe_id: z.string().optional(),
    created_at: z.string(),
    updated_at: z.string(),
    deleted_at: z.string().optional(),
    description: z.string().optional(),
  })
  .meta({ id: 'Client' })

/** A client id in a body, in any spelling that clients send, or as the first half of an SDK client id. */
export const ClientIdText = z
  .string()
  .max(200)
  .refine((text) => parseClientId(text) !== undefined, 'must be a client id')
  .overwrite((text) => parseClientId(text) ?? text)
  .meta({ examples: ['0190aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee'] })

/** A redirect base: https, or http on the loopback interface (RFC 8252 section 7.3). */
const isAppUrl = (text: string): boolean => {
  if (!URL.canParse(text)) return false
  const { protocol, hostname, username, password, hash, search } = new URL(text)
  const local = protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(hostname)
  return (protocol === 'https:' || local) && username === '' && password === '' && hash === '' && search === ''
}

const AppUrl = z
  .string()
  .max(2048)
  .refine(isAppUrl, 'must be an https address, or http on localhost, without query and fragment')
  .meta({ examples: ['https://shop.example'] })
const Name = z.string().trim().min(1).max(256)
export const CLIENT_TYPES = ['application', 'ai_agent', 'm2m_service', 'claw_auth'] as const

export const NewClient = z
  .object({
    name: Name,
    email: Email,
    tenant_id: Id.optional(),
    project_id: Id.optional(),
    react_app_url: AppUrl.optional(),
    /** The redirect URI of a `claw_auth` client, which needs one. */
    redirect_url: z
      .string()
      .max(2000)
      .refine(isRedirectUri, 'must be https, http on the loopback interface, or a scheme with a dot')
      .meta({ examples: ['https://claw.example/callback'] })
      .optional(),
    client_type: z.enum(CLIENT_TYPES).default('application'),
    agent_type: z.string().max(64).optional(),
    platform: z.string().max(64).optional(),
    selectors: z.record(z.string().max(100), z.string().max(256)).optional(),
    /** `none` makes a public application, without secret and service account (RFC 7591 section 2). */
    token_endpoint_auth_method: z.enum(['none', 'client_secret_basic', 'client_secret_post']).optional(),
  })
  .meta({ id: 'NewClient' })

export const RegisterClient = z.object({ tenant_id: Id, project_id: Id, name: Name, email: Email }).meta({ id: 'RegisterClient' })

const registered = {
  id: z.string(),
  client_id: z.string(),
  tenant_id: z.string(),
  project_id: z.string(),
  name: z.string(),
  email: z.string(),
  active: z.boolean(),
  created_at: z.string(),
  message: z.string(),
}
export const CreatedClient = z
  .object({
    ...registered,
    /** The client secret, disclosed once. */
    secret_id: z.string().optional(),
    /** A secret for SDKs that send only a client id; disclosed once. */
    sdk_client_id: z.string().optional(),
    spiffe_id: z.string().optional(),
    /** The service account that roles are bound to. */
    service_account_id: z.string().optional(),
    warnings: z.array(z.string()),
  })
  .meta({ id: 'CreatedClient' })

const flag = z.stringbool({ truthy: ['true', '1', 't'], falsy: ['false', '0', 'f'] })
const substring = z.string().max(200).optional()
const page = z.coerce.number().int().min(1).max(100_000).default(1)
const cursor = z.string().max(1000).optional()
/** As in AuthSec, an invalid limit counts as absent. */
const limit = z.coerce
  .number()
  .int()
  .default(10)
  .transform((requested) => (requested < 1 || requested > 100 ? 10 : requested))

export const ClientsQuery = z.object({
  tenant_id: Id.optional(),
  status: z.enum(['Active', 'Development', 'Deleted']).optional(),
  name: substring,
  email: substring,
  tags: z
    .string()
    .max(1000)
    .transform((text) => text.split(',').flatMap((tag) => (tag.trim() === '' ? [] : [tag.trim()])))
    .optional(),
  active_only: flag.optional(),
  active: flag.optional(),
  deleted: flag.optional(),
  page,
  limit,
  cursor,
})

export const ListedClient = ClientOut.extend({ authentication_methods: z.array(z.string()), user_count: z.int(), deleted: z.boolean() }).meta({
  id: 'ListedClient',
})
export const ClientsPage = z
  .object({
    clients: z.array(ListedClient),
    pagination: z.object({ page: z.int(), limit: z.int(), total: z.int(), total_pages: z.int() }),
    /** Compatibility name: the public address of the authorization server. */
    hydra_public_url: z.string(),
  })
  .meta({ id: 'ClientsPage' })

const ownPage = { page, limit: z.coerce.number().int().min(1).max(100).default(10), client_id: ClientIdText.optional(), cursor }
export const UserClientsQuery = z.object({ ...ownPage, active: flag.optional(), tenant_id: Id.optional() })
export const UserClientsBody = z
  .object({
    tenant_id: Id,
    page: z.int().min(1).max(100_000).default(1),
    limit: z.int().min(1).max(100).default(10),
    active: z.boolean().optional(),
    client_id: ClientIdText.optional(),
  })
  .meta({ id: 'UserClientsBody' })
export const UserClients = z
  .object({ clients: z.array(z.object(registered)), total: z.int(), page: z.int(), limit: z.int(), totalPages: z.int() })
  .meta({ id: 'UserClients' })
