// Second factors, what proves each kind, and enrolments that wait for their proof.
import { boolean, foreignKey, index, integer, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { bytesColumn, schema, tenantId, timestampColumn } from './columns.ts'
import { users } from './users.ts'

/** Second factors a person has. Secrets of a factor live in tables of its own kind, under the same id. */
export const factors = schema.table(
  'factors',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    userId: uuid('user_id').notNull(),
    kind: text('kind').$type<'webauthn' | 'totp' | 'sms'>().notNull(),
    name: text('name').notNull().default(''),
    isPrimary: boolean('is_primary').notNull().default(false),
    /** Wrong tries since the last right one, whatever endpoint checked them. */
    failedAttempts: integer('failed_attempts').notNull().default(0),
    /** Until then nothing is checked against the factor. */
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

/** What the server keeps between the beginning of an enrolment and its proof, bound to the session or the login ticket that began it. */
export const pendingEnrolments = schema.table(
  'pending_enrolments',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    userId: uuid('user_id').notNull(),
    kind: text('kind').$type<'webauthn' | 'totp' | 'sms'>().notNull(),
    /** Digest of what began it: `session:<id>` or the ticket's handle. */
    binding: bytesColumn('binding').notNull(),
    name: text('name').notNull().default(''),
    /** The secret, phone or challenge, sealed for the person. */
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
    /** The last time step whose code was accepted: it and earlier ones are spent (RFC 6238 section 5.2). */
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

/** Phones that codes are sent to. */
export const smsPhones = schema.table(
  'sms_phones',
  {
    tenantId: tenantId(),
    factorId: uuid('factor_id').notNull(),
    userId: uuid('user_id').notNull(),
    sealed: bytesColumn('sealed').notNull(),
    phoneHash: bytesColumn('phone_hash').notNull(),
    /** The number as it may be shown: its first four characters and its last four. */
    display: text('display').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.factorId] }),
    index('sms_phones_user').on(t.tenantId, t.userId),
    foreignKey({ name: 'sms_phones_factor', columns: [t.tenantId, t.factorId], foreignColumns: [factors.tenantId, factors.id] }).onDelete('cascade'),
  ],
)

/** Codes that were sent by SMS. Rows outlive their code by a day, because sends are counted by them. */
export const smsCodes = schema.table(
  'sms_codes',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    userId: uuid('user_id').notNull(),
    /** The factor, or the enrolment that waits for this code. */
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

/** A person's set of backup codes. The selector stands in clear and picks the row, so that one try costs one hash. */
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

/** One counter for a person's backup codes: they are one factor, whichever is tried. */
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
