// Sign-in through other providers: flows in progress, people's identities at providers, and the tenants in which an identity is known.
import { sql } from 'drizzle-orm'
import { boolean, foreignKey, index, jsonb, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { bytesColumn, schema, tenantId, timestampColumn } from './columns.ts'
import { users } from './users.ts'

export type FederationAction = 'login' | 'register' | 'discover' | 'link'
/** The hosted page on which the flow started, and the page that follows. */
export type FederationPage = { readonly tenant?: string; readonly client_id?: string; readonly return_to?: string }

/**
 * A flow with a provider that waits for its response. The state is `<tenant id>.<256-bit random>`; without a tenant it is a row of the system tenant.
 */
export const federationStates = schema.table(
  'federation_states',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    stateHash: bytesColumn('state_hash').notNull(),
    /** Digest of the cookie of the browser that started the flow; no other browser may continue it. */
    browserHash: bytesColumn('browser_hash').notNull(),
    action: text('action').$type<FederationAction>().notNull(),
    provider: text('provider').notNull(),
    /** Whether the provider is the tenant's, not the platform's. */
    isOwnProvider: boolean('is_own_provider').notNull().default(false),
    /** The expected issuer of the response, and whether the response must name it (RFC 9207). */
    issuer: text('issuer').notNull(),
    clientId: text('client_id').notNull(),
    announcesIssuer: boolean('announces_issuer').notNull().default(false),
    /** Origin to which the page passes the result. */
    origin: text('origin').notNull(),
    redirectAfter: text('redirect_after'),
    /** The redirect URI; it must be repeated when the code is redeemed. */
    redirectUri: text('redirect_uri').notNull(),
    /** Started on a hosted page, which continues by itself. */
    page: jsonb('page').$type<FederationPage>(),
    /** The authorization request that waits for this sign-in, with a front end of the company's own. */
    loginChallenge: text('login_challenge'),
    /** The client for which the flow started. */
    forClientId: uuid('for_client_id'),
    /** The domain of a new company. */
    tenantDomain: text('tenant_domain'),
    /** PKCE verifier and nonce. */
    sealedSecrets: bytesColumn('sealed_secrets').notNull(),
    /** The person and session that link an identity. */
    userId: uuid('user_id'),
    sessionId: uuid('session_id'),
    /** Digest of the returned code; no other code can be redeemed. */
    codeHash: bytesColumn('code_hash'),
    createdAt: timestampColumn('created_at').notNull(),
    expiresAt: timestampColumn('expires_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    uniqueIndex('federation_states_state').on(t.tenantId, t.stateHash),
    index('federation_states_expires').on(t.expiresAt),
    index('federation_states_user').on(t.tenantId, t.userId).where(sql`${t.userId} is not null`),
    foreignKey({ name: 'federation_states_user', columns: [t.tenantId, t.userId], foreignColumns: [users.tenantId, users.id] }).onDelete('cascade'),
  ],
)

/** A person's identity at a provider, named by issuer and subject and never by an e-mail address. */
export const federatedIdentities = schema.table(
  'federated_identities',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    userId: uuid('user_id').notNull(),
    issuer: text('issuer').notNull(),
    subject: text('subject').notNull(),
    provider: text('provider').notNull(),
    isOwnProvider: boolean('is_own_provider').notNull().default(false),
    /** The last value from the provider; informational only. */
    email: text('email'),
    profile: jsonb('profile').$type<Readonly<Record<string, unknown>>>(),
    lastLoginAt: timestampColumn('last_login_at'),
    createdAt: timestampColumn('created_at').notNull(),
    updatedAt: timestampColumn('updated_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    uniqueIndex('federated_identities_subject').on(t.tenantId, t.issuer, t.subject),
    index('federated_identities_user').on(t.tenantId, t.userId),
    foreignKey({ name: 'federated_identities_user', columns: [t.tenantId, t.userId], foreignColumns: [users.tenantId, users.id] }).onDelete(
      'cascade',
    ),
  ],
)

/** The tenants in which an identity of a platform provider is known, by a keyed hash of issuer and subject. */
export const identityDirectory = schema.table(
  'identity_directory',
  { identityHash: bytesColumn('identity_hash').notNull(), tenantId: tenantId(), identityId: uuid('identity_id').notNull() },
  (t) => [
    primaryKey({ columns: [t.identityHash, t.tenantId] }),
    index('identity_directory_identity').on(t.tenantId, t.identityId),
    foreignKey({
      name: 'identity_directory_identity',
      columns: [t.tenantId, t.identityId],
      foreignColumns: [federatedIdentities.tenantId, federatedIdentities.id],
    }).onDelete('cascade'),
  ],
)
