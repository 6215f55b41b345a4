// Delegation: exchanged tokens and external assertions, limits, types of authorization details, and trusted external issuers.
import { bigint, boolean, foreignKey, index, integer, jsonb, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { clients } from './clients.ts'
import { bytesColumn, schema, tenantId, timestampColumn } from './columns.ts'
import { oauthAuthorizations, resourceServers } from './oauth.ts'
import { tenants } from './tenants.ts'

/** The `act` claim (RFC 8693 section 4.1): the current actor with prior actors nested. `iss` when an external issuer names the actor. */
export type Act = { readonly sub: string; readonly client_id?: string; readonly iss?: string; readonly act?: Act }
/** RFC 9396 section 2: the member `type`, and others as the type defines. */
export type AuthorizationDetail = { readonly type: string } & Readonly<Record<string, unknown>>

/**
 * One step from a token (RFC 8693) or an assertion (RFC 7523) to a token. Its tokens are valid while every step of `path`, every client on it, and
 * its origin are.
 */
export const oauthDelegations = schema.table(
  'oauth_delegations',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    /** The chain of steps, ending with this one. */
    path: uuid('path').array().notNull(),
    /** The client that made the step. */
    clientId: uuid('client_id').notNull(),
    /** `jti` of the exchanged token; revoking that token revokes the results. */
    subjectTokenId: uuid('subject_token_id'),
    /** The origin: a person's authorization, */
    authorizationId: uuid('authorization_id'),
    /** or a client on its own behalf, by a token issued then, */
    rootClientId: uuid('root_client_id'),
    rootMadeAt: timestampColumn('root_made_at').notNull(),
    /** or an external issuer's assertion. */
    issuerId: uuid('issuer_id'),
    /** The person, if any. */
    userId: uuid('user_id'),
    resourceServerId: uuid('resource_server_id').notNull(),
    scopes: text('scopes').array().notNull(),
    details: jsonb('details').$type<readonly AuthorizationDetail[]>().notNull().default([]),
    /** The actors that tokens disclose. */
    act: jsonb('act').$type<Act>(),
    /** Number of actors, disclosed or not. */
    depth: integer('depth').notNull(),
    /** The policies that limited it; changing one ends it. */
    policyIds: uuid('policy_ids').array().notNull().default([]),
    revokedAt: timestampColumn('revoked_at'),
    revokedReason: text('revoked_reason'),
    createdAt: timestampColumn('created_at').notNull(),
    expiresAt: timestampColumn('expires_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    index('oauth_delegations_authorization').on(t.tenantId, t.authorizationId),
    index('oauth_delegations_live').on(t.tenantId, t.expiresAt),
    index('oauth_delegations_expires').on(t.expiresAt),
    foreignKey({
      name: 'oauth_delegations_authorization',
      columns: [t.tenantId, t.authorizationId],
      foreignColumns: [oauthAuthorizations.tenantId, oauthAuthorizations.id],
    }).onDelete('cascade'),
    foreignKey({ name: 'oauth_delegations_client', columns: [t.tenantId, t.clientId], foreignColumns: [clients.tenantId, clients.id] }).onDelete(
      'cascade',
    ),
    foreignKey({
      name: 'oauth_delegations_server',
      columns: [t.tenantId, t.resourceServerId],
      foreignColumns: [resourceServers.tenantId, resourceServers.id],
    }).onDelete('cascade'),
  ],
)

/** A consumable limit of one detail of an authorization or of a step below it. A step's budget is also spent from its origin's. */
export const oauthBudgets = schema.table(
  'oauth_budgets',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    /** The authorization or delegation that holds it. */
    holderId: uuid('holder_id').notNull(),
    /** SHA-256 of the detail in canonical JSON (RFC 8785). */
    detailHash: bytesColumn('detail_hash').notNull(),
    /** The budgets that it spends from, ending with this one. */
    path: uuid('path').array().notNull(),
    /** Null means unlimited. */
    calls: bigint('calls', { mode: 'number' }),
    callsSpent: bigint('calls_spent', { mode: 'number' }).notNull().default(0),
    /** Minor units. */
    amount: bigint('amount', { mode: 'number' }),
    amountSpent: bigint('amount_spent', { mode: 'number' }).notNull().default(0),
    currency: text('currency'),
    until: timestampColumn('until'),
    createdAt: timestampColumn('created_at').notNull(),
    expiresAt: timestampColumn('expires_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    uniqueIndex('oauth_budgets_detail').on(t.tenantId, t.holderId, t.detailHash),
    index('oauth_budgets_expires').on(t.expiresAt),
  ],
)

/** Spendings by the caller's idempotency name, so that a repeated request spends once. */
export const oauthSpends = schema.table(
  'oauth_spends',
  {
    tenantId: tenantId(),
    budgetId: uuid('budget_id').notNull(),
    keyHash: bytesColumn('key_hash').notNull(),
    /** Digest of what was asked for under that name. Null in rows of an older version. */
    requestHash: bytesColumn('request_hash'),
    calls: bigint('calls', { mode: 'number' }).notNull(),
    amount: bigint('amount', { mode: 'number' }).notNull(),
    createdAt: timestampColumn('created_at').notNull(),
    expiresAt: timestampColumn('expires_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.budgetId, t.keyHash] }),
    index('oauth_spends_expires').on(t.expiresAt),
    foreignKey({
      name: 'oauth_spends_budget',
      columns: [t.tenantId, t.budgetId],
      foreignColumns: [oauthBudgets.tenantId, oauthBudgets.id],
    }).onDelete('cascade'),
  ],
)

/** A limiting member of a detail. `calls` and `amount` are consumed; `until` is a time in Unix seconds. */
export type DetailLimit = { readonly member: string; readonly kind: 'calls' | 'amount' | 'until'; readonly currency_member?: string }

/** A type of authorization details (RFC 9396) of the tenant's resource servers. */
export const oauthDetailTypes = schema.table(
  'oauth_detail_types',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    type: text('type').notNull(),
    /** Title for people. */
    title: text('title').notNull(),
    /** JSON Schema of the whole detail; it must allow no other members. */
    jsonSchema: jsonb('json_schema').$type<Readonly<Record<string, unknown>>>().notNull(),
    limits: jsonb('limits').$type<readonly DetailLimit[]>().notNull().default([]),
    /** Its resource server; null means any of the tenant. */
    resourceServerId: uuid('resource_server_id'),
    createdAt: timestampColumn('created_at').notNull(),
    updatedAt: timestampColumn('updated_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    uniqueIndex('oauth_detail_types_type').on(t.tenantId, t.type),
    foreignKey({ name: 'oauth_detail_types_tenant', columns: [t.tenantId], foreignColumns: [tenants.tenantId] }).onDelete('cascade'),
    foreignKey({
      name: 'oauth_detail_types_server',
      columns: [t.tenantId, t.resourceServerId],
      foreignColumns: [resourceServers.tenantId, resourceServers.id],
    }).onDelete('cascade'),
  ],
)

/** What an issuer's `sub` identifies: a linked identity, a person by id, or a person by external directory id. Never an e-mail address. */
export type SubjectMapping = 'identity' | 'user_id' | 'external_id'
export type PublicJwk = Readonly<Record<string, unknown>>

/** An external authorization server whose assertions are accepted here, or for which assertions about our people are issued. */
export const oauthIssuers = schema.table(
  'oauth_issuers',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    name: text('name').notNull(),
    issuer: text('issuer').notNull(),
    active: boolean('active').notNull().default(true),
    /** Whether its assertions are accepted as grants: identity assertions (ID-JAG), and other JWTs (RFC 7523 section 2.1). */
    acceptsIdentity: boolean('accepts_identity').notNull().default(false),
    acceptsJwt: boolean('accepts_jwt').notNull().default(false),
    jwksUri: text('jwks_uri'),
    jwks: jsonb('jwks').$type<{ readonly keys: readonly PublicJwk[] }>(),
    subjectMapping: text('subject_mapping').$type<SubjectMapping>().notNull().default('identity'),
    /** Limits the scopes in addition to the assertion and the person's permissions. Null means no limit. */
    scopes: text('scopes').array(),
    /** Whether identity assertions are issued for it, and the client ids by which it knows our clients. */
    sends: boolean('sends').notNull().default(false),
    clientIds: jsonb('client_ids').$type<Readonly<Record<string, string>>>().notNull().default({}),
    /** Scopes and resources that assertions for it may contain. */
    sentScopes: text('sent_scopes').array().notNull().default([]),
    /** Tokens from its assertions before this time are invalid. */
    validFrom: timestampColumn('valid_from').notNull(),
    createdAt: timestampColumn('created_at').notNull(),
    updatedAt: timestampColumn('updated_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    uniqueIndex('oauth_issuers_issuer').on(t.tenantId, t.issuer),
    foreignKey({ name: 'oauth_issuers_tenant', columns: [t.tenantId], foreignColumns: [tenants.tenantId] }).onDelete('cascade'),
  ],
)
