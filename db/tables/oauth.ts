// The authorization server: resource servers and their clients, consents, and the authorizations below them.
import { boolean, foreignKey, index, integer, jsonb, primaryKey, text, unique, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { clients } from './clients.ts'
import { bytesColumn, schema, tenantId, timestampColumn } from './columns.ts'
import { tenants } from './tenants.ts'
import { users } from './users.ts'

/** An API that accepts our access tokens. Its resource identifier (RFC 8707) is their audience. */
export const resourceServers = schema.table(
  'resource_servers',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    name: text('name').notNull(),
    publicBaseUrl: text('public_base_url').notNull(),
    protectedBasePath: text('protected_base_path').notNull(),
    resource: text('resource').notNull(),
    applicationType: text('application_type').notNull().default('mcp_server'),
    /** Type of the agent at this server, if any, as in delegation policies. */
    agentType: text('agent_type'),
    active: boolean('active').notNull().default(true),
    /** SHA-256 of the secret for token introspection. */
    introspectionHash: bytesColumn('introspection_hash').notNull(),
    /** Lifetime of its access tokens. Verifiers that only check signatures do not see revocations, hence five minutes. */
    tokenSeconds: integer('token_seconds').notNull().default(300),
    /** Open to all clients of the tenant without registration. */
    openToClients: boolean('open_to_clients').notNull().default(false),
    /** Clients that may use it without prior registration: self-registered ones (`dcr`), ones with a metadata document (`cimd`), or none. */
    registrationModes: text('registration_modes').array().notNull().default(['prereg']),
    /** The role that people get with their first authorization for it, when its access policy is on. */
    accessPolicyEnabled: boolean('access_policy_enabled').notNull().default(false),
    accessPolicyRoleId: uuid('access_policy_role_id'),
    createdAt: timestampColumn('created_at').notNull(),
    updatedAt: timestampColumn('updated_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    uniqueIndex('resource_servers_resource').on(t.tenantId, t.resource),
    foreignKey({ name: 'resource_servers_tenant', columns: [t.tenantId], foreignColumns: [tenants.tenantId] }).onDelete('cascade'),
  ],
)

/** A scope of a resource server. With a permission, only holders of it get the scope. */
export const resourceScopes = schema.table(
  'resource_scopes',
  {
    tenantId: tenantId(),
    resourceServerId: uuid('resource_server_id').notNull(),
    name: text('name').notNull(),
    description: text('description').notNull().default(''),
    /** `resource:action` that the person or service account must hold, live and tenant-wide. */
    permission: text('permission'),
    /** By which the administration UI names it. */
    id: uuid('id').notNull().defaultRandom(),
    /** For people; empty means the name. */
    displayName: text('display_name').notNull().default(''),
    /** An administrator's estimate, shown only. */
    riskLevel: text('risk_level').$type<'low' | 'medium' | 'high' | 'critical'>().notNull().default('low'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.resourceServerId, t.name] }),
    uniqueIndex('resource_scopes_id').on(t.tenantId, t.id),
    foreignKey({
      name: 'resource_scopes_server',
      columns: [t.tenantId, t.resourceServerId],
      foreignColumns: [resourceServers.tenantId, resourceServers.id],
    }).onDelete('cascade'),
  ],
)

/** Registrations of clients at resource servers. */
export const resourceClients = schema.table(
  'resource_clients',
  {
    tenantId: tenantId(),
    resourceServerId: uuid('resource_server_id').notNull(),
    clientId: uuid('client_id').notNull(),
    /** The client's tokens for this server from before this time are invalid. */
    validFrom: timestampColumn('valid_from').notNull(),
    createdAt: timestampColumn('created_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.resourceServerId, t.clientId] }),
    index('resource_clients_client').on(t.tenantId, t.clientId),
    foreignKey({
      name: 'resource_clients_server',
      columns: [t.tenantId, t.resourceServerId],
      foreignColumns: [resourceServers.tenantId, resourceServers.id],
    }).onDelete('cascade'),
    foreignKey({ name: 'resource_clients_client', columns: [t.tenantId, t.clientId], foreignColumns: [clients.tenantId, clients.id] }).onDelete(
      'cascade',
    ),
  ],
)

/** The tenant of a resource identifier: a shared audience would make one tenant's tokens valid for another. */
export const resourceDirectory = schema.table(
  'resource_directory',
  {
    /** SHA-256 of the identifier, or of tenant and identifier on the loopback interface, where several tenants may use the same one. */
    resourceHash: bytesColumn('resource_hash').primaryKey(),
    /** SHA-256 of only the identifier: finds its tenant when there is only one. */
    identifierHash: bytesColumn('identifier_hash').notNull(),
    /** SHA-256 of the one spelling of everything that looks like the identifier. Null where that is the identifier itself, and on the loopback interface. */
    keyHash: bytesColumn('key_hash'),
    resourceServerId: uuid('resource_server_id').notNull(),
    tenantId: tenantId(),
    /** Host of the identifier: the owner of its domain takes it over. Null in rows from before this column. */
    host: text('host'),
    createdAt: timestampColumn('created_at').notNull(),
  },
  (t) => [
    uniqueIndex('resource_directory_server').on(t.resourceServerId),
    index('resource_directory_tenant').on(t.tenantId),
    index('resource_directory_identifier').on(t.identifierHash),
    index('resource_directory_key').on(t.keyHash),
  ],
)

/** A person's consent for a client. All of the client's authorizations of that person are below it. */
export const oauthConsents = schema.table(
  'oauth_grants',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    userId: uuid('user_id').notNull(),
    clientId: uuid('client_id').notNull(),
    /** Null means the person's identity (OpenID Connect). */
    resourceServerId: uuid('resource_server_id'),
    scopes: text('scopes').array().notNull(),
    /** Scopes that need no further consent, when the person did not remember all. */
    rememberedScopes: text('remembered_scopes').array(),
    createdAt: timestampColumn('created_at').notNull(),
    updatedAt: timestampColumn('updated_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    unique('oauth_grants_what').on(t.tenantId, t.userId, t.clientId, t.resourceServerId).nullsNotDistinct(),
    index('oauth_grants_client').on(t.tenantId, t.clientId),
    foreignKey({ name: 'oauth_grants_user', columns: [t.tenantId, t.userId], foreignColumns: [users.tenantId, users.id] }).onDelete('cascade'),
    foreignKey({ name: 'oauth_grants_client', columns: [t.tenantId, t.clientId], foreignColumns: [clients.tenantId, clients.id] }).onDelete(
      'cascade',
    ),
    foreignKey({
      name: 'oauth_grants_server',
      columns: [t.tenantId, t.resourceServerId],
      foreignColumns: [resourceServers.tenantId, resourceServers.id],
    }).onDelete('cascade'),
  ],
)

/** An authorization: its code and its family of refresh tokens. Revoking the consent deletes it; reusing its code or a refresh token revokes it. */
export const oauthAuthorizations = schema.table(
  'oauth_authorizations',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    grantId: uuid('grant_id').notNull(),
    clientId: uuid('client_id').notNull(),
    userId: uuid('user_id').notNull(),
    /** The browser's session with which it ends, unless the client was granted `offline_access`. */
    sessionId: uuid('session_id').notNull(),
    offline: boolean('offline').notNull().default(false),
    resourceServerId: uuid('resource_server_id'),
    scopes: text('scopes').array().notNull(),
    authTime: timestampColumn('auth_time').notNull(),
    amr: text('amr').array().notNull(),
    acr: text('acr').notNull(),
    nonce: text('nonce'),
    /** SHA-256 of the code. */
    codeHash: bytesColumn('code_hash').notNull(),
    codeExpiresAt: timestampColumn('code_expires_at').notNull(),
    codeUsedAt: timestampColumn('code_used_at'),
    redirectUri: text('redirect_uri').notNull(),
    codeChallenge: text('code_challenge').notNull(),
    /** Thumbprint of the key to which its tokens are bound (RFC 9449 section 6). */
    jkt: text('jkt'),
    /** Granted authorization details (RFC 9396). */
    details: jsonb('details').$type<readonly ({ readonly type: string } & Readonly<Record<string, unknown>>)[]>().notNull().default([]),
    /** SHA-256 of the part that all refresh tokens of the family share. */
    familyHash: bytesColumn('family_hash'),
    /** The current refresh token generation, and its start. */
    generation: integer('generation').notNull().default(0),
    rotatedAt: timestampColumn('rotated_at'),
    refreshExpiresAt: timestampColumn('refresh_expires_at'),
    revokedAt: timestampColumn('revoked_at'),
    revokedReason: text('revoked_reason'),
    createdAt: timestampColumn('created_at').notNull(),
    /** When every token from it has expired. */
    expiresAt: timestampColumn('expires_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    uniqueIndex('oauth_authorizations_code').on(t.tenantId, t.codeHash),
    index('oauth_authorizations_grant').on(t.tenantId, t.grantId),
    index('oauth_authorizations_session').on(t.tenantId, t.sessionId),
    index('oauth_authorizations_expires').on(t.expiresAt),
    foreignKey({
      name: 'oauth_authorizations_grant',
      columns: [t.tenantId, t.grantId],
      foreignColumns: [oauthConsents.tenantId, oauthConsents.id],
    }).onDelete('cascade'),
  ],
)

export type AuthorizationParameters = Readonly<Record<string, string>>

/** The consent request shown by a company's own front end; in an answer, the part that the person allows. */
export type ConsentPrompt = {
  readonly clientName: string
  readonly redirectHost: string
  /** The owner of the client, if it is an agent. */
  readonly owner: string | null
  readonly resource: { readonly resource: string; readonly name: string } | null
  readonly scopes: readonly { readonly name: string; readonly description: string }[]
  readonly details: readonly ({ readonly type: string } & Readonly<Record<string, unknown>>)[]
  /** Titles of the detail types. */
  readonly types: Readonly<Record<string, string>>
  readonly remember: boolean
}

/**
 * A stored authorization request: pushed by the client (RFC 9126), waiting for sign-in or consent, or answered by a company's own front end and
 * waiting for the browser to return.
 */
export const oauthRequests = schema.table(
  'oauth_requests',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    kind: text('kind')
      .$type<'pushed' | 'waiting' | 'consent' | 'login_accepted' | 'login_rejected' | 'consent_accepted' | 'consent_rejected'>()
      .notNull(),
    handleHash: bytesColumn('handle_hash').notNull(),
    clientId: uuid('client_id').notNull(),
    /** The person and session that must consent; answers of others are refused. */
    userId: uuid('user_id'),
    sessionId: uuid('session_id'),
    /** Digest of the cookie of the browser that the company's front end must send back; no other browser may continue. */
    browserHash: bytesColumn('browser_hash'),
    consent: jsonb('consent').$type<ConsentPrompt>(),
    parameters: jsonb('parameters').$type<AuthorizationParameters>().notNull(),
    createdAt: timestampColumn('created_at').notNull(),
    expiresAt: timestampColumn('expires_at').notNull(),
    usedAt: timestampColumn('used_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    uniqueIndex('oauth_requests_handle').on(t.tenantId, t.handleHash),
    index('oauth_requests_expires').on(t.expiresAt),
    foreignKey({ name: 'oauth_requests_client', columns: [t.tenantId, t.clientId], foreignColumns: [clients.tenantId, clients.id] }).onDelete(
      'cascade',
    ),
  ],
)

/** Single-use ids: `jti` of client assertions (RFC 7523 section 3). */
export const oauthUsedIds = schema.table(
  'oauth_used_ids',
  { tenantId: tenantId(), idHash: bytesColumn('id_hash').notNull(), expiresAt: timestampColumn('expires_at').notNull() },
  (t) => [primaryKey({ columns: [t.tenantId, t.idHash] }), index('oauth_used_ids_expires').on(t.expiresAt)],
)

/** A client's request for access to a resource server; at most one is pending for each pair. */
export const resourceAccessRequests = schema.table(
  'resource_access_requests',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    resourceServerId: uuid('resource_server_id').notNull(),
    clientId: uuid('client_id').notNull(),
    status: text('status').$type<'pending' | 'approved' | 'denied'>().notNull().default('pending'),
    createdAt: timestampColumn('created_at').notNull(),
    updatedAt: timestampColumn('updated_at').notNull(),
    expiresAt: timestampColumn('expires_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    uniqueIndex('resource_access_requests_what').on(t.tenantId, t.resourceServerId, t.clientId),
    index('resource_access_requests_client').on(t.tenantId, t.clientId),
    index('resource_access_requests_expires').on(t.expiresAt),
    foreignKey({
      name: 'resource_access_requests_server',
      columns: [t.tenantId, t.resourceServerId],
      foreignColumns: [resourceServers.tenantId, resourceServers.id],
    }).onDelete('cascade'),
    foreignKey({
      name: 'resource_access_requests_client',
      columns: [t.tenantId, t.clientId],
      foreignColumns: [clients.tenantId, clients.id],
    }).onDelete('cascade'),
  ],
)

/** People who once received the role of a resource server’s access policy, so that a role removed by an administrator is not given again. */
export const resourceFirstAccess = schema.table(
  'resource_first_access',
  {
    tenantId: tenantId(),
    resourceServerId: uuid('resource_server_id').notNull(),
    userId: uuid('user_id').notNull(),
    createdAt: timestampColumn('created_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.resourceServerId, t.userId] }),
    foreignKey({
      name: 'resource_first_access_server',
      columns: [t.tenantId, t.resourceServerId],
      foreignColumns: [resourceServers.tenantId, resourceServers.id],
    }).onDelete('cascade'),
    foreignKey({ name: 'resource_first_access_user', columns: [t.tenantId, t.userId], foreignColumns: [users.tenantId, users.id] }).onDelete(
      'cascade',
    ),
  ],
)

/** Initial access tokens (RFC 7591 section 1.2): their holders can register clients of the tenant. */
export const registrationTokens = schema.table(
  'registration_tokens',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    name: text('name').notNull(),
    tokenHash: bytesColumn('token_hash').notNull(),
    usesLeft: integer('uses_left').notNull(),
    createdAt: timestampColumn('created_at').notNull(),
    expiresAt: timestampColumn('expires_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    uniqueIndex('registration_tokens_token').on(t.tenantId, t.tokenHash),
    index('registration_tokens_expires').on(t.expiresAt),
    foreignKey({ name: 'registration_tokens_tenant', columns: [t.tenantId], foreignColumns: [tenants.tenantId] }).onDelete('cascade'),
  ],
)
