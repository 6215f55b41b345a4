// Signing in through other providers: dances under way, the identities that people have there, and in which tenants an identity is known.
import { sql } from 'drizzle-orm'
import { boolean, foreignKey, index, jsonb, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { bytesColumn, schema, tenantId, timestampColumn } from './columns.ts'
import { users } from './users.ts'

export type FederationAction = 'login' | 'register' | 'discover' | 'link'
/** At which door of our own pages somebody stands, and where they go on to. */
export type FederationPage = { readonly tenant?: string; readonly client_id?: string; readonly return_to?: string }

/** A dance with a provider that waits for its answer. The state is `<tenant id>.<256-bit random>`; without a tenant it waits in the system tenant. */
export const federationStates = schema.table(
  'federation_states',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    stateHash: bytesColumn('state_hash').notNull(),
    /** Digest of the cookie of the browser that began it: no other may go on. */
    browserHash: bytesColumn('browser_hash').notNull(),
    action: text('action').$type<FederationAction>().notNull(),
    provider: text('provider').notNull(),
    /** Whether the provider is the tenant's own, not the platform's. */
    isOwnProvider: boolean('is_own_provider').notNull().default(false),
    /** Whom the answer must come from, and whether it must say so (RFC 9207). */
    issuer: text('issuer').notNull(),
    clientId: text('client_id').notNull(),
    announcesIssuer: boolean('announces_issuer').notNull().default(false),
    /** Where the page hands the answer to. */
    origin: text('origin').notNull(),
    redirectAfter: text('redirect_after'),
    /** Where the provider sends the browser back to: what was said to it once is said again with the code. */
    redirectUri: text('redirect_uri').notNull(),
    /** Begun on our own page, which goes on by itself. */
    page: jsonb('page').$type<FederationPage>(),
    /** The authorization request that waits for this sign-in, at a front end of the company's own. */
    loginChallenge: text('login_challenge'),
    /** Our client at whose door it began. */
    forClientId: uuid('for_client_id'),
    /** The domain of a company that signs up. */
    tenantDomain: text('tenant_domain'),
    /** PKCE verifier and nonce. */
    sealedSecrets: bytesColumn('sealed_secrets').notNull(),
    /** Who links, and in which session. */
    userId: uuid('user_id'),
    sessionId: uuid('session_id'),
    /** Digest of the code that the browser brought back: no other may be exchanged. */
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

/** Who somebody is at a provider. Issuer and subject name the person there; an e-mail address never does. */
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
    /** As the provider last said it; decides nothing. */
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

/** In which tenants an identity is known that the platform's own providers proved: a keyed hash of issuer and subject, never themselves. */
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
