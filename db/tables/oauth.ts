// The authorization server: resource servers and who may reach them, what people allowed clients, and what hangs below it.
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
    /** Of which type the agent is that answers there, where one does: as in policies of delegation. */
    agentType: text('agent_type'),
    active: boolean('active').notNull().default(true),
    /** SHA-256 of the secret with which it asks about tokens. */
    introspectionHash: bytesColumn('introspection_hash').notNull(),
    /** How long tokens for it live. Who checks them by signature alone learns of no revocation, hence five minutes. */
    tokenSeconds: integer('token_seconds').notNull().default(300),
    /** Any client of the tenant may ask for it, without being registered at it first. */
    openToClients: boolean('open_to_clients').notNull().default(false),
    /** Which clients may ask for it at first contact: those that registered themselves (`dcr`), by their metadata document (`cimd`), or none but registered ones. */
    registrationModes: text('registration_modes').array().notNull().default(['prereg']),
    /** The role that people get with their first authorization for it, where that is on. */
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

/** What can be asked for at a resource server. With a permission, only somebody who holds it gets the scope. */
export const resourceScopes = schema.table(
  'resource_scopes',
  {
    tenantId: tenantId(),
    resourceServerId: uuid('resource_server_id').notNull(),
    name: text('name').notNull(),
    description: text('description').notNull().default(''),
    /** `resource:action` that the person or the service account must hold, live and tenant-wide. */
    permission: text('permission'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.resourceServerId, t.name] }),
    foreignKey({
      name: 'resource_scopes_server',
      columns: [t.tenantId, t.resourceServerId],
      foreignColumns: [resourceServers.tenantId, resourceServers.id],
    }).onDelete('cascade'),
  ],
)

/** Which client may reach which resource server. */
export const resourceClients = schema.table(
  'resource_clients',
  {
    tenantId: tenantId(),
    resourceServerId: uuid('resource_server_id').notNull(),
    clientId: uuid('client_id').notNull(),
    /** Tokens of the client for this server from before this moment are over. */
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

/** Whose a resource identifier is: an audience that two tenants shared would let one tenant's tokens pass for the other's. */
export const resourceDirectory = schema.table(
  'resource_directory',
  {
    /** SHA-256 of the identifier; of tenant and identifier where it is on the loopback interface, which is everybody's own. */
    resourceHash: bytesColumn('resource_hash').primaryKey(),
    /** SHA-256 of the identifier, loopback or not: whose it is where there is but one. */
    identifierHash: bytesColumn('identifier_hash').notNull(),
    resourceServerId: uuid('resource_server_id').notNull(),
    tenantId: tenantId(),
    createdAt: timestampColumn('created_at').notNull(),
  },
  (t) => [
    uniqueIndex('resource_directory_server').on(t.resourceServerId),
    index('resource_directory_tenant').on(t.tenantId),
    index('resource_directory_identifier').on(t.identifierHash),
  ],
)

/** What a person allowed a client, remembered. Everything that the client holds of that person hangs below it. */
export const oauthConsents = schema.table(
  'oauth_grants',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    userId: uuid('user_id').notNull(),
    clientId: uuid('client_id').notNull(),
    /** Without one: what the person's own identity says (OpenID Connect). */
    resourceServerId: uuid('resource_server_id'),
    scopes: text('scopes').array().notNull(),
    /** Of those the ones that are not asked about again, where the person did not say so of all. */
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

/**
 * One authorization: its code, and the family of refresh tokens that came from it. A grant that is taken back takes it away; a code or a refresh token that is
 * used twice revokes it.
 */
export const oauthAuthorizations = schema.table(
  'oauth_authorizations',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    grantId: uuid('grant_id').notNull(),
    clientId: uuid('client_id').notNull(),
    userId: uuid('user_id').notNull(),
    /** The browser's session, under which it ends, unless the client was given `offline_access`. */
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
    /** Thumbprint of the key that its tokens are bound to (RFC 9449 section 6). */
    jkt: text('jkt'),
    /** RFC 9396: what was allowed in detail. */
    details: jsonb('details').$type<readonly ({ readonly type: string } & Readonly<Record<string, unknown>>)[]>().notNull().default([]),
    /** SHA-256 of what all refresh tokens of the family have in common. */
    familyHash: bytesColumn('family_hash'),
    /** The refresh token that counts, and since when. */
    generation: integer('generation').notNull().default(0),
    rotatedAt: timestampColumn('rotated_at'),
    refreshExpiresAt: timestampColumn('refresh_expires_at'),
    revokedAt: timestampColumn('revoked_at'),
    revokedReason: text('revoked_reason'),
    createdAt: timestampColumn('created_at').notNull(),
    /** When nothing that came from it can count any more. */
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

/** What is asked of a person at a front end of the company's own; in an answer, what the person allows of it. */
export type ConsentPrompt = {
  readonly clientName: string
  readonly redirectHost: string
  /** Who answers for the client, where it is an agent. */
  readonly owner: string | null
  readonly resource: { readonly resource: string; readonly name: string } | null
  readonly scopes: readonly { readonly name: string; readonly description: string }[]
  readonly details: readonly ({ readonly type: string } & Readonly<Record<string, unknown>>)[]
  /** What the types of the details are called. */
  readonly types: Readonly<Record<string, string>>
  readonly remember: boolean
}

/**
 * An authorization request that is kept: pushed by the client (RFC 9126), waiting for a person to sign in or to consent, or answered by a front end of the
 * company's own and not yet come back with the browser.
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
    /** Whose consent is asked, in which session: nobody else's answer counts. */
    userId: uuid('user_id'),
    sessionId: uuid('session_id'),
    /** Digest of the browser that a front end of the company's own is to send back: no other may go on. */
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

/** Ids that count once: `jti` of client assertions (RFC 7523 section 3). */
export const oauthUsedIds = schema.table(
  'oauth_used_ids',
  { tenantId: tenantId(), idHash: bytesColumn('id_hash').notNull(), expiresAt: timestampColumn('expires_at').notNull() },
  (t) => [primaryKey({ columns: [t.tenantId, t.idHash] }), index('oauth_used_ids_expires').on(t.expiresAt)],
)

/** A client that nobody let near a resource server asks to be let in. One waits for each of both. */
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

/** Who was given the role of a resource server’s access policy: once, so that what an administrator takes away stays away. */
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

/** Initial access tokens (RFC 7591 section 1.2): who holds one registers clients of the tenant. */
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
