// People. Administrators and end users share one table: administration is a role binding, not a column.
import { sql } from 'drizzle-orm'
import { boolean, foreignKey, index, integer, jsonb, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { bytesColumn, schema, tenantId, timestampColumn } from './columns.ts'
import { tenants } from './tenants.ts'

export const users = schema.table(
  'users',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    clientId: uuid('client_id'),
    projectId: uuid('project_id'),
    /** Lower case, trimmed, NFC: see `normaliseEmail`. */
    email: text('email').notNull(),
    emailVerifiedAt: timestampColumn('email_verified_at'),
    /** A sign-up created the account without a proof of this address; void once the address is proved. */
    createdUnproved: boolean('created_unproved').notNull().default(false),
    name: text('name').notNull().default(''),
    username: text('username'),
    /** E-mail, name and user name in the form that search compares, one per line; written together with `user_grams`. */
    searchText: text('search_text').notNull().default(''),
    avatarUrl: text('avatar_url'),
    /** Chosen language; null means the company's or the browser's. */
    language: text('language').$type<'en' | 'de'>(),
    /** PHC string; null for people without a password here. */
    passwordHash: text('password_hash'),
    temporaryPassword: boolean('temporary_password').notNull().default(false),
    temporaryPasswordExpiresAt: timestampColumn('temporary_password_expires_at'),
    passwordResetRequired: boolean('password_reset_required').notNull().default(false),
    provider: text('provider').notNull().default('local'),
    providerId: text('provider_id'),
    providerData: jsonb('provider_data').$type<Readonly<Record<string, unknown>>>(),
    externalId: text('external_id'),
    syncSource: text('sync_source'),
    isSyncedUser: boolean('is_synced_user').notNull().default(false),
    lastSyncAt: timestampColumn('last_sync_at'),
    active: boolean('active').notNull().default(true),
    isPrimaryAdmin: boolean('is_primary_admin').notNull().default(false),
    failedAttempts: integer('failed_attempts').notNull().default(0),
    lockedUntil: timestampColumn('locked_until'),
    /** Sessions that began before this time are ended. */
    validFrom: timestampColumn('valid_from').notNull(),
    invitedBy: uuid('invited_by'),
    announcedAt: timestampColumn('announced_at'),
    lastLoginAt: timestampColumn('last_login_at'),
    createdAt: timestampColumn('created_at').notNull(),
    updatedAt: timestampColumn('updated_at').notNull(),
    deletedAt: timestampColumn('deleted_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    uniqueIndex('users_email').on(t.tenantId, t.email),
    uniqueIndex('users_external_id').on(t.tenantId, t.clientId, t.externalId),
    index('users_by_external_id').on(t.tenantId, t.externalId),
    index('users_created').on(t.tenantId, t.createdAt, t.id),
    index('users_name').on(t.tenantId, t.name, t.id),
    index('users_primary').on(t.tenantId).where(sql`${t.isPrimaryAdmin}`),
    index('users_username').on(t.tenantId, t.username),
    foreignKey({ name: 'users_tenant', columns: [t.tenantId], foreignColumns: [tenants.tenantId] }).onDelete('cascade'),
  ],
)

/** Browsers in which a person has signed in. Each has its own budget of wrong passwords, so that others cannot lock the person out. */
export const knownDevices = schema.table(
  'known_devices',
  {
    tenantId: tenantId(),
    userId: uuid('user_id').notNull(),
    deviceHash: bytesColumn('device_hash').notNull(),
    failedAttempts: integer('failed_attempts').notNull().default(0),
    lockedUntil: timestampColumn('locked_until'),
    lastUsedAt: timestampColumn('last_used_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.userId, t.deviceHash] }),
    foreignKey({ name: 'known_devices_user', columns: [t.tenantId, t.userId], foreignColumns: [users.tenantId, users.id] }).onDelete('cascade'),
  ],
)

/** The tenants in which an address is an administrator, by a keyed hash of the address. */
export const administratorDirectory = schema.table(
  'administrator_directory',
  {
    emailHash: bytesColumn('email_hash').notNull(),
    tenantId: tenantId(),
    userId: uuid('user_id').notNull(),
    /** When the person last verified the address by mail; without it the row is not used to choose a tenant. */
    provedAt: timestampColumn('proved_at'),
    lastUsedAt: timestampColumn('last_used_at'),
  },
  (t) => [primaryKey({ columns: [t.emailHash, t.tenantId] }), index('administrator_directory_user').on(t.tenantId, t.userId)],
)

/**
 * Trigrams of names and addresses, for substring search under row level security. No foreign key: checking some 35 rows per person made imports four
 * times slower. The store that deletes a person deletes the trigrams, and a trigram without its person is never returned.
 */
export const userGrams = schema.table(
  'user_grams',
  { tenantId: tenantId(), gram: text('gram').notNull(), userId: uuid('user_id').notNull() },
  (t) => [primaryKey({ columns: [t.tenantId, t.gram, t.userId] }), index('user_grams_user').on(t.tenantId, t.userId)],
)
