// What hangs below an authorization: tokens that were exchanged, and what was asserted from outside; limits that are spent; what may be asked in detail; whose
// word counts from outside.
import { bigint, boolean, foreignKey, index, integer, jsonb, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { clients } from './clients.ts'
import { bytesColumn, schema, tenantId, timestampColumn } from './columns.ts'
import { oauthAuthorizations, resourceServers } from './oauth.ts'
import { tenants } from './tenants.ts'

/** RFC 8693 section 4.1: who acts now, and inside it who acted before. `iss` where somebody else says so. */
export type Act = { readonly sub: string; readonly client_id?: string; readonly iss?: string; readonly act?: Act }
/** RFC 9396 section 2: one member `type`, the others as the type has them. */
export type AuthorizationDetail = { readonly type: string } & Readonly<Record<string, unknown>>

/**
 * One step from a token to a token (RFC 8693), or from an assertion to a token (RFC 7523). What comes of it counts as long as every step of `path`, every client
 * on it, and what it began with count.
 */
export const oauthDelegations = schema.table(
  'oauth_delegations',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    /** The steps that led here, this one last. */
    path: uuid('path').array().notNull(),
    /** Who made the step. */
    clientId: uuid('client_id').notNull(),
    /** `jti` of the token that was exchanged: revoked, it takes along what came of it. */
    subjectTokenId: uuid('subject_token_id'),
    /** What it all began with: an authorization of a person, */
    authorizationId: uuid('authorization_id'),
    /** or a client in its own name, by a token made then, */
    rootClientId: uuid('root_client_id'),
    rootMadeAt: timestampColumn('root_made_at').notNull(),
    /** or the word of an issuer. */
    issuerId: uuid('issuer_id'),
    /** The person behind it, if one is. */
    userId: uuid('user_id'),
    resourceServerId: uuid('resource_server_id').notNull(),
    scopes: text('scopes').array().notNull(),
    details: jsonb('details').$type<readonly AuthorizationDetail[]>().notNull().default([]),
    /** Who acts, as far as tokens tell. */
    act: jsonb('act').$type<Act>(),
    /** How many acted, told or not. */
    depth: integer('depth').notNull(),
    /** The policies that bounded it: changed, they end it. */
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

/** A limit that is used up: of one detail of an authorization or of a step below it, which spends from the one it came from as well. */
export const oauthBudgets = schema.table(
  'oauth_budgets',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    /** The authorization or the delegation that has it. */
    holderId: uuid('holder_id').notNull(),
    /** SHA-256 of the detail in canonical JSON (RFC 8785). */
    detailHash: bytesColumn('detail_hash').notNull(),
    /** The budgets that it spends from, this one last. */
    path: uuid('path').array().notNull(),
    /** Null: not limited. */
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

/** Spendings that were named by who asked, so that the same one asked again spends once. */
export const oauthSpends = schema.table(
  'oauth_spends',
  {
    tenantId: tenantId(),
    budgetId: uuid('budget_id').notNull(),
    keyHash: bytesColumn('key_hash').notNull(),
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

/** A member of a detail that limits. `calls` and `amount` are used up, `until` is a moment in Unix seconds. */
export type DetailLimit = { readonly member: string; readonly kind: 'calls' | 'amount' | 'until'; readonly currency_member?: string }

/** A type of authorization details (RFC 9396) that the tenant's resource servers understand. */
export const oauthDetailTypes = schema.table(
  'oauth_detail_types',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    type: text('type').notNull(),
    /** How people read it. */
    title: text('title').notNull(),
    /** JSON Schema of the whole detail; it closes the object. */
    jsonSchema: jsonb('json_schema').$type<Readonly<Record<string, unknown>>>().notNull(),
    limits: jsonb('limits').$type<readonly DetailLimit[]>().notNull().default([]),
    /** The resource server that it is for; without one, any of the tenant. */
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

/** Whom `sub` of an issuer names: somebody linked to that very subject, a person by id, or by the id that another directory gave. Never an address. */
export type SubjectMapping = 'identity' | 'user_id' | 'external_id'
export type PublicJwk = Readonly<Record<string, unknown>>

/** An authorization server elsewhere: whose assertions count here, and for which assertions about our people are made. */
export const oauthIssuers = schema.table(
  'oauth_issuers',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    name: text('name').notNull(),
    issuer: text('issuer').notNull(),
    active: boolean('active').notNull().default(true),
    /** Whether its assertions earn tokens here: identity assertions (ID-JAG), and any other JWT (RFC 7523 section 2.1). */
    acceptsIdentity: boolean('accepts_identity').notNull().default(false),
    acceptsJwt: boolean('accepts_jwt').notNull().default(false),
    jwksUri: text('jwks_uri'),
    jwks: jsonb('jwks').$type<{ readonly keys: readonly PublicJwk[] }>(),
    subjectMapping: text('subject_mapping').$type<SubjectMapping>().notNull().default('identity'),
    /** Beside what the assertion names, and never more than the person has. Null: no bound of ours. */
    scopes: text('scopes').array(),
    /** Whether identity assertions are made for it, and as whom it knows our clients. */
    sends: boolean('sends').notNull().default(false),
    clientIds: jsonb('client_ids').$type<Readonly<Record<string, string>>>().notNull().default({}),
    /** What assertions for it may name. */
    sentScopes: text('sent_scopes').array().notNull().default([]),
    /** What was made of its word before counts no more. */
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
