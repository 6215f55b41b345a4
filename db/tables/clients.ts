// Clients: applications, services and agents. `client_directory` has the data that authentication needs before the tenant is known.
import { sql } from 'drizzle-orm'
import { boolean, foreignKey, index, jsonb, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { groups, serviceAccounts } from './access.ts'
import { bytesColumn, schema, tenantId, timestampColumn } from './columns.ts'
import { tenants } from './tenants.ts'

export const clients = schema.table(
  'clients',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    projectId: uuid('project_id'),
    name: text('name').notNull(),
    email: text('email'),
    clientType: text('client_type').notNull().default('application'),
    status: text('status').notNull().default('Active'),
    active: boolean('active').notNull().default(true),
    isDefault: boolean('is_default').notNull().default(false),
    /** Cannot keep a secret: a browser or a phone (RFC 6749 section 2.1). */
    isPublic: boolean('is_public').notNull().default(false),
    description: text('description').notNull().default(''),
    tags: text('tags').array().notNull().default([]),
    ownerId: uuid('owner_id'),
    agentType: text('agent_type'),
    spiffeId: text('spiffe_id'),
    platform: text('platform'),
    selectors: jsonb('selectors').$type<Readonly<Record<string, string>>>(),
    redirectUris: text('redirect_uris').array().notNull().default([]),
    // Client metadata of RFC 7591 section 2, as the authorization server reads it.
    grantTypes: text('grant_types').array().notNull().default(['authorization_code', 'refresh_token', 'client_credentials']),
    /** Null means `none` for a public client, and either form of client secret otherwise. */
    tokenEndpointAuthMethod: text('token_endpoint_auth_method').$type<'none' | 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt'>(),
    jwks: jsonb('jwks').$type<{ readonly keys: readonly Readonly<Record<string, unknown>>[] }>(),
    clientUri: text('client_uri'),
    /** Tokens must be bound to a DPoP key (RFC 9449 section 5.2). */
    dpopBound: boolean('dpop_bound').notNull().default(false),
    /** Authorization requests must be pushed (RFC 9126 section 6). */
    requiresPar: boolean('requires_par').notNull().default(false),
    /** Response modes that it may ask for besides `query`. */
    responseModes: text('response_modes').array().notNull().default([]),
    postLogoutRedirectUris: text('post_logout_redirect_uris').array().notNull().default([]),
    /** Back-channel logout endpoint (OpenID Connect Back-Channel Logout 1.0). */
    backchannelLogoutUri: text('backchannel_logout_uri'),
    backchannelLogoutSessionRequired: boolean('backchannel_logout_session_required').notNull().default(false),
    /** URL of its JWK set, and the keys last read there (RFC 7591 section 2). */
    jwksUri: text('jwks_uri'),
    fetchedJwks: jsonb('fetched_jwks').$type<{ readonly keys: readonly Readonly<Record<string, unknown>>[]; readonly read_at?: string }>(),
    jwksFetchedAt: timestampColumn('jwks_fetched_at'),
    /** Source of its metadata: an administrator, the client itself (RFC 7591), or the metadata document at its client id. */
    registeredBy: text('registered_by').$type<'administrator' | 'dynamic' | 'metadata'>().notNull().default('administrator'),
    /** SHA-256 of its registration access token (RFC 7592). */
    registrationTokenHash: bytesColumn('registration_token_hash'),
    /** An unused registration is removed after this time; null once it has been used. */
    unusedUntil: timestampColumn('unused_until'),
    /** Its client id on the wire, when that is the URL of its metadata document. */
    metadataUrl: text('metadata_url'),
    metadataFetchedAt: timestampColumn('metadata_fetched_at'),
    softwareId: text('software_id'),
    softwareVersion: text('software_version'),
    /** Redirect URIs that wait for an administrator's approval. */
    reviewedRedirectUris: text('reviewed_redirect_uris').array(),
    /** Scopes that it may request; null allows all scopes of its resource servers. */
    allowedScopes: text('allowed_scopes').array(),
    oidcEnabled: boolean('oidc_enabled').notNull().default(false),
    /** Compatibility name: the id of the client in AuthSec's OAuth server. */
    hydraClientId: text('hydra_client_id'),
    /** The service account as which the client acts on its own behalf. */
    serviceAccountId: uuid('service_account_id'),
    lastLoginAt: timestampColumn('last_login_at'),
    validFrom: timestampColumn('valid_from').notNull(),
    createdAt: timestampColumn('created_at').notNull(),
    updatedAt: timestampColumn('updated_at').notNull(),
    deletedAt: timestampColumn('deleted_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    index('clients_created').on(t.tenantId, t.createdAt),
    uniqueIndex('clients_default').on(t.tenantId).where(sql`${t.isDefault}`),
    index('clients_by_service_account').on(t.tenantId, t.serviceAccountId),
    uniqueIndex('clients_hydra').on(t.tenantId, t.hydraClientId),
    uniqueIndex('clients_metadata_url').on(t.tenantId, t.metadataUrl),
    index('clients_unused').on(t.unusedUntil),
    foreignKey({
      name: 'clients_service_account',
      columns: [t.tenantId, t.serviceAccountId],
      foreignColumns: [serviceAccounts.tenantId, serviceAccounts.id],
    }),
    foreignKey({ name: 'clients_tenant', columns: [t.tenantId], foreignColumns: [tenants.tenantId] }).onDelete('cascade'),
  ],
)

export const clientDirectory = schema.table(
  'client_directory',
  {
    clientId: uuid('client_id').primaryKey(),
    tenantId: tenantId(),
    active: boolean('active').notNull().default(true),
    /** SHA-256 of the client secret. */
    secretHash: bytesColumn('secret_hash'),
    /** SHA-256 of the secret half of the SDK client id. */
    sdkSecretHash: bytesColumn('sdk_secret_hash'),
    /** The secrets from before the last rotation, valid until `previousValidUntil`. */
    previousSecretHash: bytesColumn('previous_secret_hash'),
    previousSdkSecretHash: bytesColumn('previous_sdk_secret_hash'),
    previousValidUntil: timestampColumn('previous_valid_until'),
    createdAt: timestampColumn('created_at').notNull(),
  },
  (t) => [index('client_directory_tenant').on(t.tenantId)],
)

/** Groups of a client. */
export const clientGroups = schema.table(
  'client_groups',
  {
    tenantId: tenantId(),
    clientId: uuid('client_id').notNull(),
    groupId: uuid('group_id').notNull(),
    createdAt: timestampColumn('created_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.clientId, t.groupId] }),
    index('client_groups_group').on(t.tenantId, t.groupId),
    foreignKey({ name: 'client_groups_client', columns: [t.tenantId, t.clientId], foreignColumns: [clients.tenantId, clients.id] }).onDelete(
      'cascade',
    ),
    foreignKey({ name: 'client_groups_group', columns: [t.tenantId, t.groupId], foreignColumns: [groups.tenantId, groups.id] }).onDelete('cascade'),
  ],
)
