// Stored keys. Signing keys belong to the deployment; data keys belong to a tenant or a person and are wrapped by a master key outside the database.
import { sql } from 'drizzle-orm'
import { jsonb, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { bytesColumn, schema, tenantId, timestampColumn } from './columns.ts'

export type SigningKeyStatus = 'next' | 'current' | 'retired' | 'revoked'

/** The private key is sealed with the master key; the public key is published in the JWKS. */
export const signingKeys = schema.table(
  'signing_keys',
  {
    kid: text('kid').primaryKey(),
    alg: text('alg').$type<'ES256' | 'RS256'>().notNull(),
    status: text('status').$type<SigningKeyStatus>().notNull(),
    publicJwk: jsonb('public_jwk').$type<Readonly<Record<string, unknown>>>().notNull(),
    sealedPrivateJwk: bytesColumn('sealed_private_jwk').notNull(),
    createdAt: timestampColumn('created_at').notNull(),
    /** Start of signing. */
    currentSince: timestampColumn('current_since'),
    /** End of publication and acceptance of a retired key. */
    retiresAt: timestampColumn('retires_at'),
  },
  (t) => [
    uniqueIndex('signing_keys_one_current').on(t.alg).where(sql`${t.status} = 'current'`),
    uniqueIndex('signing_keys_one_next').on(t.alg).where(sql`${t.status} = 'next'`),
  ],
)

/** A wrapped AES-256 key. The subject is the tenant or a person; destroying the key makes the subject's sealed data unreadable. */
export const dataKeys = schema.table(
  'data_keys',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    subjectId: uuid('subject_id').notNull(),
    wrapped: bytesColumn('wrapped').notNull(),
    masterKeyId: text('master_key_id').notNull(),
    createdAt: timestampColumn('created_at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.id] }), uniqueIndex('data_keys_subject').on(t.tenantId, t.subjectId)],
)
