// Workload attestation: which evidence a tenant accepts, which keys evidence is bound to, and join tokens.
import { boolean, foreignKey, index, integer, jsonb, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { bytesColumn, schema, tenantId, timestampColumn } from './columns.ts'
import type { PublicJwk } from './delegations.ts'
import { tenants } from './tenants.ts'

export type AttestorKind =
  | 'github_actions'
  | 'gitlab'
  | 'circleci'
  | 'buildkite'
  | 'oidc'
  | 'k8s_token'
  | 'aws_web_identity'
  | 'aws_sigv4'
  | 'gcp_identity'
  | 'azure_identity'
  | 'spiffe'
  | 'x509_pop'
  | 'join_token'

/** `required`: the audience of the evidence names the workload's key. `pinned`: the first key that comes with a piece of evidence keeps it. */
export type KeyBinding = 'required' | 'pinned'

/** One kind of evidence that the tenant accepts. Issuer and keys come from this row, never from the evidence. */
export const attestors = schema.table(
  'attestors',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    name: text('name').notNull(),
    kind: text('kind').$type<AttestorKind>().notNull(),
    issuer: text('issuer'),
    jwksUri: text('jwks_uri'),
    jwks: jsonb('jwks').$type<{ readonly keys: readonly PublicJwk[] }>(),
    algorithms: text('algorithms').array().notNull().default([]),
    /** What `aud` must be. Null where the audience is the tenant's own and names the key. */
    audience: text('audience'),
    keyBinding: text('key_binding').$type<KeyBinding>().notNull(),
    /** Largest age of evidence since it was issued. */
    maxAgeSeconds: integer('max_age_seconds').notNull().default(600),
    /** What the evidence must state, by the names of its method: an exact value, or a prefix with `*` at its end. */
    rules: jsonb('rules').$type<Readonly<Record<string, string>>>().notNull(),
    /** `aws_sigv4`: regions of the token service that may be called. */
    regions: text('regions').array().notNull().default([]),
    /** `x509_pop`: certificate authorities in PEM. */
    certificateAuthorities: text('certificate_authorities').array().notNull().default([]),
    /** `x509_pop`: serial numbers of refused certificates, in lower-case hexadecimal without leading zeros. */
    revokedSerials: text('revoked_serials').array().notNull().default([]),
    /** `k8s_token`: the API server that reviews tokens, its certificate authority in PEM, and our token for it, sealed. */
    tokenReviewUrl: text('token_review_url'),
    tokenReviewCa: text('token_review_ca'),
    sealedTokenReviewToken: bytesColumn('sealed_token_review_token'),
    /** `spiffe`: the federated trust domain. */
    trustDomain: text('trust_domain'),
    active: boolean('active').notNull().default(true),
    /** Identities from evidence that was accepted before this time are invalid. */
    validFrom: timestampColumn('valid_from').notNull(),
    createdAt: timestampColumn('created_at').notNull(),
    updatedAt: timestampColumn('updated_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    uniqueIndex('attestors_name').on(t.tenantId, t.name),
    foreignKey({ name: 'attestors_tenant', columns: [t.tenantId], foreignColumns: [tenants.tenantId] }).onDelete('cascade'),
  ],
)

/** The key that a piece of evidence with a fixed audience is bound to, until the evidence expires. */
export const attestationUses = schema.table(
  'attestation_uses',
  {
    tenantId: tenantId(),
    /** SHA-256 of what the evidence's signature covers: some signatures can be rewritten without the key. */
    evidenceDigest: bytesColumn('evidence_digest').notNull(),
    jkt: text('jkt').notNull(),
    expiresAt: timestampColumn('expires_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.evidenceDigest] }),
    index('attestation_uses_expires').on(t.expiresAt),
    foreignKey({ name: 'attestation_uses_tenant', columns: [t.tenantId], foreignColumns: [tenants.tenantId] }).onDelete('cascade'),
  ],
)

/** A secret with which one workload joins once. */
export const joinTokens = schema.table(
  'join_tokens',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    /** SHA-256 of the secret. */
    hash: bytesColumn('hash').notNull(),
    /** The attestor of kind `join_token` that the workload names. */
    attestorId: uuid('attestor_id').notNull(),
    /** The registration entry that the workload gets; any entry whose selectors match when null. */
    entryId: uuid('entry_id'),
    description: text('description').notNull().default(''),
    createdBy: uuid('created_by').notNull(),
    createdAt: timestampColumn('created_at').notNull(),
    expiresAt: timestampColumn('expires_at').notNull(),
    usedAt: timestampColumn('used_at'),
    /** Thumbprint of the key that used it. */
    usedJkt: text('used_jkt'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    uniqueIndex('join_tokens_hash').on(t.tenantId, t.hash),
    index('join_tokens_attestor').on(t.tenantId, t.attestorId),
    index('join_tokens_expires').on(t.expiresAt),
    foreignKey({
      name: 'join_tokens_attestor',
      columns: [t.tenantId, t.attestorId],
      foreignColumns: [attestors.tenantId, attestors.id],
    }).onDelete('cascade'),
  ],
)
