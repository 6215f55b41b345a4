// Passkeys: the credential record, with the factor's id, and the directory that finds one without knowing the person.
import { sql } from 'drizzle-orm'
import { bigint, boolean, foreignKey, index, integer, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { bytesColumn, schema, tenantId, timestampColumn } from './columns.ts'
import { factors } from './factors.ts'

/** The credential record of WebAuthn Level 3 section 4. */
export const webauthnCredentials = schema.table(
  'webauthn_credentials',
  {
    tenantId: tenantId(),
    factorId: uuid('factor_id').notNull(),
    userId: uuid('user_id').notNull(),
    /** base64url, as browsers encode it. */
    credentialId: text('credential_id').notNull(),
    /** COSE_Key. */
    publicKey: bytesColumn('public_key').notNull(),
    /** COSE algorithm identifier. */
    algorithm: integer('algorithm').notNull(),
    /** An unsigned number of 32 bits. */
    signCount: bigint('sign_count', { mode: 'number' }).notNull(),
    rpId: text('rp_id').notNull(),
    transports: text('transports').array().notNull().default([]),
    aaguid: uuid('aaguid').notNull(),
    backupEligible: boolean('backup_eligible').notNull(),
    backedUp: boolean('backed_up').notNull(),
    /** Whether user verification was performed at registration. */
    userVerified: boolean('user_verified').notNull(),
    /** Whether it is discoverable; null when the browser did not report it (`credProps.rk`). */
    discoverable: boolean('discoverable'),
    /** When its counter decreased: it may have been copied and is refused since. */
    counterAlarmAt: timestampColumn('counter_alarm_at'),
    createdAt: timestampColumn('created_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.factorId] }),
    uniqueIndex('webauthn_credentials_id').on(t.tenantId, t.credentialId),
    index('webauthn_credentials_user').on(t.tenantId, t.userId),
    index('webauthn_credentials_alarm').on(t.tenantId, t.counterAlarmAt).where(sql`${t.counterAlarmAt} is not null`),
    foreignKey({ name: 'webauthn_credentials_factor', columns: [t.tenantId, t.factorId], foreignColumns: [factors.tenantId, factors.id] }).onDelete(
      'cascade',
    ),
  ],
)

/** The tenant of a passkey, by a keyed hash of credential id and user handle together, so that another registration cannot collide with it. */
export const passkeyDirectory = schema.table(
  'passkey_directory',
  { entryHash: bytesColumn('entry_hash').primaryKey(), tenantId: tenantId(), factorId: uuid('factor_id').notNull() },
  (t) => [
    index('passkey_directory_factor').on(t.tenantId, t.factorId),
    foreignKey({
      name: 'passkey_directory_factor',
      columns: [t.tenantId, t.factorId],
      foreignColumns: [webauthnCredentials.tenantId, webauthnCredentials.factorId],
    }).onDelete('cascade'),
  ],
)
