// Keys at rest. Signing keys are the deployment's; data keys are a tenant's or one person's, wrapped by a master key that is not in the database.
import { sql } from 'drizzle-orm'
import { jsonb, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { bytesColumn, schema, tenantId, timestampColumn } from './columns.ts'

export type SigningKeyStatus = 'next' | 'current' | 'retired' | 'revoked'

/** The private half is sealed under the master key; the public half is what the JWKS shows. */
export const signingKeys = schema.table(
  'signing_keys',
  {
    kid: text('kid').primaryKey(),
    alg: text('alg').$type<'ES256' | 'RS256'>().notNull(),
    status: text('status').$type<SigningKeyStatus>().notNull(),
    publicJwk: jsonb('public_jwk').$type<Readonly<Record<string, unknown>>>().notNull(),
    sealedPrivateJwk: bytesColumn('sealed_private_jwk').notNull(),
    createdAt: timestampColumn('created_at').notNull(),
    /** Since when the key signs. */
    currentSince: timestampColumn('current_since'),
    /** Until when a retired key is still published and accepted. */
    retiresAt: timestampColumn('retires_at'),
  },
  (t) => [
    uniqueIndex('signing_keys_one_current').on(t.alg).where(sql`${t.status} = 'current'`),
    uniqueIndex('signing_keys_one_next').on(t.alg).where(sql`${t.status} = 'next'`),
  ],
)

/** A wrapped AES-256 key. The subject is the tenant itself, or one person whose traces end when the key is destroyed. */
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
