// Workload identity (SPIFFE): trust domains and their keys, registration entries, issued SVIDs, and bundles of federated trust domains.
import { sql } from 'drizzle-orm'
import { bigint, boolean, foreignKey, index, integer, jsonb, primaryKey, text, unique, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { clients } from './clients.ts'
import { bytesColumn, schema, tenantId, timestampColumn } from './columns.ts'
import type { SigningKeyStatus } from './keys.ts'
import { tenants } from './tenants.ts'

/** A tenant's trust domain. Its name is the tenant's id, so that no trust policy of another party can admit two tenants. */
export const trustDomains = schema.table(
  'trust_domains',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    name: text('name').notNull(),
    /** `spiffe_sequence` of the bundle: raised in the transaction of every change of a key. */
    sequence: bigint('sequence', { mode: 'number' }).notNull().default(1),
    createdAt: timestampColumn('created_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    unique('trust_domains_name').on(t.tenantId, t.name),
    foreignKey({ name: 'trust_domains_tenant', columns: [t.tenantId], foreignColumns: [tenants.tenantId] }).onDelete('cascade'),
  ],
)

/** What a key of a trust domain signs: certificates and CRLs, JWT-SVIDs, or WIT-SVIDs. */
export type WorkloadKeyUse = 'x509' | 'jwt' | 'wit'

/**
 * The private key, and the certificate of a certificate authority, are sealed with the tenant's data key. Public keys are derived from them: a public
 * key planted in the table verifies nothing.
 */
export const workloadKeys = schema.table(
  'workload_keys',
  {
    tenantId: tenantId(),
    kid: text('kid').notNull(),
    trustDomainId: uuid('trust_domain_id').notNull(),
    use: text('use').$type<WorkloadKeyUse>().notNull(),
    alg: text('alg').$type<'ES256' | 'RS256'>().notNull(),
    status: text('status').$type<SigningKeyStatus>().notNull(),
    sealed: bytesColumn('sealed').notNull(),
    /** End of the certificate of a certificate authority. */
    notAfter: timestampColumn('not_after'),
    createdAt: timestampColumn('created_at').notNull(),
    currentSince: timestampColumn('current_since'),
    retiresAt: timestampColumn('retires_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.kid] }),
    uniqueIndex('workload_keys_one_current').on(t.tenantId, t.trustDomainId, t.use, t.alg).where(sql`${t.status} = 'current'`),
    uniqueIndex('workload_keys_one_next').on(t.tenantId, t.trustDomainId, t.use, t.alg).where(sql`${t.status} = 'next'`),
    foreignKey({
      name: 'workload_keys_trust_domain',
      columns: [t.tenantId, t.trustDomainId],
      foreignColumns: [trustDomains.tenantId, trustDomains.id],
    }).onDelete('cascade'),
  ],
)

/** Which workload gets which SPIFFE id. */
export const registrationEntries = schema.table(
  'registration_entries',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    spiffeId: text('spiffe_id').notNull(),
    /** The SPIFFE id below which it was registered: a node agent, or the trust domain itself. */
    parentId: text('parent_id').notNull(),
    /** `type:value`, sorted and without duplicates; never empty. */
    selectors: text('selectors').array().notNull(),
    /** The client of an agent, with which the entry stops. */
    agentId: uuid('agent_id'),
    x509Seconds: integer('x509_seconds').notNull(),
    jwtSeconds: integer('jwt_seconds').notNull(),
    /** Audiences that JWT-SVIDs may name; `*` allows any. */
    audiences: text('audiences').array().notNull(),
    admin: boolean('admin').notNull().default(false),
    downstream: boolean('downstream').notNull().default(false),
    federatesWith: text('federates_with').array().notNull().default([]),
    createdBy: uuid('created_by'),
    /** SVIDs from before this time are invalid. */
    validFrom: timestampColumn('valid_from').notNull(),
    createdAt: timestampColumn('created_at').notNull(),
    updatedAt: timestampColumn('updated_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    unique('registration_entries_spiffe_id').on(t.tenantId, t.spiffeId),
    index('registration_entries_parent').on(t.tenantId, t.parentId),
    index('registration_entries_created').on(t.tenantId, t.createdAt),
    index('registration_entries_agent').on(t.tenantId, t.agentId),
    foreignKey({ name: 'registration_entries_tenant', columns: [t.tenantId], foreignColumns: [tenants.tenantId] }).onDelete('cascade'),
    foreignKey({
      name: 'registration_entries_client',
      columns: [t.tenantId, t.agentId],
      foreignColumns: [clients.tenantId, clients.id],
    }).onDelete('cascade'),
  ],
)

export type SvidKind = 'x509' | 'jwt' | 'wit' | 'access_token'

/** Issued SVIDs, and access tokens issued for them. Kept until shortly after their end, for revocation. */
export const svids = schema.table(
  'svids',
  {
    tenantId: tenantId(),
    /** The serial number in hexadecimal, or `jti`. */
    id: text('id').notNull(),
    kind: text('kind').$type<SvidKind>().notNull(),
    spiffeId: text('spiffe_id').notNull(),
    /** No foreign key: the revocation of an SVID outlives its entry. */
    entryId: uuid('entry_id').notNull(),
    instanceId: uuid('instance_id'),
    /** The key that signed it. */
    kid: text('kid').notNull(),
    /** Thumbprint of the workload's key (RFC 7638). */
    jkt: text('jkt'),
    /** Issue time of the first of a series of renewals. */
    firstIssuedAt: timestampColumn('first_issued_at').notNull(),
    issuedAt: timestampColumn('issued_at').notNull(),
    expiresAt: timestampColumn('expires_at').notNull(),
    revokedAt: timestampColumn('revoked_at'),
    reason: text('reason'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    index('svids_entry').on(t.tenantId, t.entryId),
    index('svids_kid').on(t.tenantId, t.kid),
    index('svids_revoked').on(t.tenantId, t.revokedAt).where(sql`${t.revokedAt} is not null`),
    index('svids_expiry').on(t.expiresAt),
    foreignKey({ name: 'svids_tenant', columns: [t.tenantId], foreignColumns: [tenants.tenantId] }).onDelete('cascade'),
  ],
)

export type BundleProfile = 'https_web' | 'https_spiffe'

/** A federated trust domain and its last bundle. Never merged with the tenant's own. */
export const federatedBundles = schema.table(
  'federated_bundles',
  {
    tenantId: tenantId(),
    trustDomain: text('trust_domain').notNull(),
    endpoint: text('endpoint').notNull(),
    profile: text('profile').$type<BundleProfile>().notNull(),
    bundle: jsonb('bundle').$type<Readonly<Record<string, unknown>>>(),
    /** `spiffe_sequence` of the last bundle; null when it has none. */
    sequence: bigint('sequence', { mode: 'number' }),
    fetchedAt: timestampColumn('fetched_at'),
    hintSeconds: integer('hint_seconds').notNull().default(300),
    createdAt: timestampColumn('created_at').notNull(),
    updatedAt: timestampColumn('updated_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.trustDomain] }),
    foreignKey({ name: 'federated_bundles_tenant', columns: [t.tenantId], foreignColumns: [tenants.tenantId] }).onDelete('cascade'),
  ],
)
