// Second factors, the data of each kind, and enrolments in progress.
import { boolean, foreignKey, index, integer, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { bytesColumn, schema, tenantId, timestampColumn } from './columns.ts'
import { users } from './users.ts'

/** A person's second factors. Each kind has a table of its own for its secret, with the same id. */
export const factors = schema.table(
  'factors',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    userId: uuid('user_id').notNull(),
    kind: text('kind').$type<'webauthn' | 'totp' | 'sms'>().notNull(),
    name: text('name').notNull().default(''),
    isPrimary: boolean('is_primary').notNull().default(false),
    /** Failed attempts since the last success, at any endpoint. */
    failedAttempts: integer('failed_attempts').notNull().default(0),
    /** The factor is not checked until this time. */
    pausedUntil: timestampColumn('paused_until'),
    confirmedAt: timestampColumn('confirmed_at'),
    lastUsedAt: timestampColumn('last_used_at'),
    createdAt: timestampColumn('created_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    index('factors_user').on(t.tenantId, t.userId),
    foreignKey({ name: 'factors_user', columns: [t.tenantId, t.userId], foreignColumns: [users.tenantId, users.id] }).onDelete('cascade'),
  ],
)

/** State of an enrolment between its start and its verification, bound to the session or login ticket that started it. */
export const pendingEnrolments = schema.table(
  'pending_enrolments',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    userId: uuid('user_id').notNull(),
    kind: text('kind').$type<'webauthn' | 'totp' | 'sms'>().notNull(),
    /** Digest of the initiator: `session:<id>` or the ticket's handle. */
    binding: bytesColumn('binding').notNull(),
    name: text('name').notNull().default(''),
    /** The secret, phone or challenge, sealed with the person's key. */
    sealed: bytesColumn('sealed').notNull(),
    attempts: integer('attempts').notNull().default(0),
    createdAt: timestampColumn('created_at').notNull(),
    expiresAt: timestampColumn('expires_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    index('pending_enrolments_binding').on(t.tenantId, t.userId, t.kind, t.binding),
    index('pending_enrolments_expires').on(t.expiresAt),
    foreignKey({ name: 'pending_enrolments_user', columns: [t.tenantId, t.userId], foreignColumns: [users.tenantId, users.id] }).onDelete('cascade'),
  ],
)

/** Seeds of authenticator apps (RFC 6238). */
export const totpSecrets = schema.table(
  'totp_secrets',
  {
    tenantId: tenantId(),
    factorId: uuid('factor_id').notNull(),
    userId: uuid('user_id').notNull(),
    sealed: bytesColumn('sealed').notNull(),
    deviceType: text('device_type').notNull().default('generic'),
    /** The last accepted time step; codes of it and of earlier steps are refused (RFC 6238 section 5.2). */
    lastStep: integer('last_step'),
    updatedAt: timestampColumn('updated_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.factorId] }),
    index('totp_secrets_user').on(t.tenantId, t.userId),
    foreignKey({ name: 'totp_secrets_factor', columns: [t.tenantId, t.factorId], foreignColumns: [factors.tenantId, factors.id] }).onDelete(
      'cascade',
    ),
  ],
)

/** Phones that receive codes. */
export const smsPhones = schema.table(
  'sms_phones',
  {
    tenantId: tenantId(),
    factorId: uuid('factor_id').notNull(),
    userId: uuid('user_id').notNull(),
    sealed: bytesColumn('sealed').notNull(),
    phoneHash: bytesColumn('phone_hash').notNull(),
    /** The masked number: its first four characters and its last four. */
    display: text('display').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.factorId] }),
    index('sms_phones_user').on(t.tenantId, t.userId),
    foreignKey({ name: 'sms_phones_factor', columns: [t.tenantId, t.factorId], foreignColumns: [factors.tenantId, factors.id] }).onDelete('cascade'),
  ],
)

/** Codes sent by SMS. Rows are kept for a day after they expire, because sends are counted by them. */
export const smsCodes = schema.table(
  'sms_codes',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    userId: uuid('user_id').notNull(),
    /** The factor or the enrolment to which the code belongs. */
    lockId: uuid('lock_id').notNull(),
    phoneHash: bytesColumn('phone_hash').notNull(),
    codeHash: bytesColumn('code_hash').notNull(),
    attempts: integer('attempts').notNull().default(0),
    createdAt: timestampColumn('created_at').notNull(),
    expiresAt: timestampColumn('expires_at').notNull(),
    usedAt: timestampColumn('used_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    index('sms_codes_user').on(t.tenantId, t.userId, t.createdAt),
    index('sms_codes_phone').on(t.tenantId, t.phoneHash, t.createdAt),
    index('sms_codes_expires').on(t.expiresAt),
    foreignKey({ name: 'sms_codes_user', columns: [t.tenantId, t.userId], foreignColumns: [users.tenantId, users.id] }).onDelete('cascade'),
  ],
)

/** A person's set of backup codes. The selector is stored in clear text and selects the row, so that an attempt costs one hash. */
export const backupCodes = schema.table(
  'backup_codes',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    userId: uuid('user_id').notNull(),
    selector: text('selector').notNull(),
    codeHash: text('code_hash').notNull(),
    createdAt: timestampColumn('created_at').notNull(),
    usedAt: timestampColumn('used_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    uniqueIndex('backup_codes_selector').on(t.tenantId, t.userId, t.selector),
    foreignKey({ name: 'backup_codes_user', columns: [t.tenantId, t.userId], foreignColumns: [users.tenantId, users.id] }).onDelete('cascade'),
  ],
)

/** Failed attempts of all of a person's backup codes together: they are one factor. */
export const backupCodeTries = schema.table(
  'backup_code_tries',
  {
    tenantId: tenantId(),
    userId: uuid('user_id').notNull(),
    failedAttempts: integer('failed_attempts').notNull().default(0),
    pausedUntil: timestampColumn('paused_until'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.userId] }),
    foreignKey({ name: 'backup_code_tries_user', columns: [t.tenantId, t.userId], foreignColumns: [users.tenantId, users.id] }).onDelete('cascade'),
  ],
)
