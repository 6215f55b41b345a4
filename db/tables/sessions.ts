// Sessions and the steps before them: login tickets (one step verified, the next one required), mailed codes, sign-ups that wait for verification.
import { sql } from 'drizzle-orm'
import { boolean, foreignKey, index, integer, jsonb, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { bytesColumn, schema, tenantId, timestampColumn } from './columns.ts'
import { tenants } from './tenants.ts'
import { users } from './users.ts'

export const sessions = schema.table(
  'sessions',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    userId: uuid('user_id').notNull(),
    clientId: uuid('client_id'),
    /** The session in which the person approved this one, or from whose token it began. It ends with that session. */
    sourceSessionId: uuid('source_session_id'),
    /** `jti` of the session's token; no other token is accepted, whatever its signature. */
    tokenId: uuid('token_id').notNull(),
    /** RFC 8176 names of the verified factors. */
    amr: text('amr').array().notNull(),
    acr: text('acr').notNull(),
    /** The session began with a temporary password: until it is changed, the session may only change it and sign out. */
    temporaryPassword: boolean('temporary_password').notNull().default(false),
    authTime: timestampColumn('auth_time').notNull(),
    userAgent: text('user_agent').notNull().default(''),
    address: text('address').notNull().default(''),
    /** Place of the address, as named by a trusted edge; empty when unknown. */
    place: text('place').notNull().default(''),
    createdAt: timestampColumn('created_at').notNull(),
    lastSeenAt: timestampColumn('last_seen_at').notNull(),
    idleSeconds: integer('idle_seconds').notNull(),
    expiresAt: timestampColumn('expires_at').notNull(),
    revokedAt: timestampColumn('revoked_at'),
    revokedReason: text('revoked_reason'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    index('sessions_user').on(t.tenantId, t.userId, t.createdAt),
    index('sessions_source').on(t.tenantId, t.sourceSessionId).where(sql`${t.sourceSessionId} is not null`),
    index('sessions_expires').on(t.expiresAt),
    foreignKey({ name: 'sessions_user', columns: [t.tenantId, t.userId], foreignColumns: [users.tenantId, users.id] }).onDelete('cascade'),
  ],
)

/** Individually revoked tokens (by `jti`). */
export const revokedTokens = schema.table(
  'revoked_tokens',
  {
    tenantId: tenantId(),
    jti: uuid('jti').notNull(),
    expiresAt: timestampColumn('expires_at').notNull(),
    revokedAt: timestampColumn('revoked_at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.jti] }), index('revoked_tokens_expires').on(t.expiresAt)],
)

export type TransactionPurpose =
  | 'login'
  | 'registration'
  | 'password_reset'
  | 'set_password'
  | 'email_change'
  | 'tenant_restore'
  | 'recovery_pass'
  | 'recovery_wait'
  | 'recovery_cancel'
  | 'webauthn'
  | 'federation'

/** A verified step and the required next one. The handle is `<tenant id>.<256-bit random>`; only its digest is stored. */
export const loginTransactions = schema.table(
  'tickets',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    handleHash: bytesColumn('handle_hash').notNull(),
    purpose: text('purpose').$type<TransactionPurpose>().notNull(),
    userId: uuid('user_id'),
    clientId: uuid('client_id'),
    /** The `Origin` that started it; as a cookie the ticket is accepted only from that origin. */
    origin: text('origin'),
    /** Factors that this server verified in this transaction, by RFC 8176 names. */
    verified: text('verified').array().notNull().default([]),
    authTime: timestampColumn('auth_time'),
    mailboxProvedAt: timestampColumn('mailbox_proved_at'),
    data: jsonb('data').$type<Readonly<Record<string, unknown>>>(),
    /** The session from whose token the sign-in continues. */
    sourceSessionId: uuid('source_session_id'),
    refusals: integer('refusals').notNull().default(0),
    createdAt: timestampColumn('created_at').notNull(),
    expiresAt: timestampColumn('expires_at').notNull(),
    usedAt: timestampColumn('used_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    index('tickets_handle').on(t.tenantId, t.handleHash),
    index('tickets_expires').on(t.expiresAt),
    foreignKey({ name: 'tickets_user', columns: [t.tenantId, t.userId], foreignColumns: [users.tenantId, users.id] }).onDelete('cascade'),
  ],
)

export type CodePurpose =
  | 'admin_registration'
  | 'admin_reset'
  | 'user_registration'
  | 'user_reset'
  | 'email_change'
  | 'email_change_consent'
  | 'mailbox_proof'
  | 'recovery'
  | 'federation_link'
  | 'federation_registration'

/** Mailed codes. Purpose, tenant and address form the lock that a code opens; attempts are counted over all live codes of a lock. */
export const oneTimeCodes = schema.table(
  'one_time_codes',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    purpose: text('purpose').$type<CodePurpose>().notNull(),
    addressHash: bytesColumn('address_hash').notNull(),
    codeHash: bytesColumn('code_hash').notNull(),
    attempts: integer('attempts').notNull().default(0),
    createdAt: timestampColumn('created_at').notNull(),
    expiresAt: timestampColumn('expires_at').notNull(),
    usedAt: timestampColumn('used_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    index('one_time_codes_lock').on(t.tenantId, t.purpose, t.addressHash, t.createdAt),
    index('one_time_codes_expires').on(t.expiresAt),
  ],
)

/** A sign-up that waits for its code. Every attempt has its own row, password and code; that of a new company is a row of the system tenant. */
export const pendingRegistrations = schema.table(
  'pending_registrations',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    kind: text('kind').$type<'company' | 'end_user'>().notNull(),
    codeId: uuid('code_id').notNull(),
    email: text('email').notNull(),
    name: text('name').notNull().default(''),
    passwordHash: text('password_hash').notNull(),
    /** Keyed digest of the ticket of the browser or client that began it. */
    attemptHash: bytesColumn('attempt_hash'),
    tenantDomain: text('tenant_domain'),
    clientId: uuid('client_id'),
    createdAt: timestampColumn('created_at').notNull(),
    expiresAt: timestampColumn('expires_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    index('pending_registrations_email').on(t.tenantId, t.kind, t.email, t.createdAt),
    index('pending_registrations_expires').on(t.expiresAt),
    foreignKey({ name: 'pending_registrations_tenant', columns: [t.tenantId], foreignColumns: [tenants.tenantId] }).onDelete('cascade'),
  ],
)
