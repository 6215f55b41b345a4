// Tenants. `tenants` has a tenant's own data; `tenant_directory` and `domain_directory` have the data that is needed before the tenant is known.
import { sql } from 'drizzle-orm'
import { boolean, foreignKey, index, integer, jsonb, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { schema, tenantId, timestampColumn } from './columns.ts'

/** `deleted`: only in the directory, until the tenant's audit log has passed its retention. */
export type TenantStatus = 'active' | 'suspended' | 'deleting' | 'deleted'

/** A tenant's settings. A missing member means the deployment's default. */
export type TenantSettings = {
  readonly sessionIdleSeconds?: number | undefined
  readonly sessionAbsoluteSeconds?: number | undefined
  readonly requireSecondFactor?: boolean | undefined
  /** End users may sign in before their address is verified. */
  readonly directSignUp?: boolean | undefined
  readonly requireLoginChallenge?: boolean | undefined
  /** The weakest `acr` in which administrative permissions count. */
  readonly adminAcr?: 'aal1' | 'aal2' | 'aal3' | undefined
  /** An authenticator code signs an end user in without a password, when the client authenticates. */
  readonly passwordlessTotp?: boolean | undefined
  /** Recovery methods for people who lost their factors; by default backup codes and a pass from an administrator. */
  readonly recovery?: {
    readonly backupCodes?: boolean | undefined
    readonly administratorPass?: boolean | undefined
    readonly waitingDays?: number | undefined
  }
  readonly auditRetentionDays?: number | undefined
  /** Ids of the rows of providers whose `amr` or `acr` counts as a second factor: a name can be given again to another provider. */
  readonly trustFactorsOf?: readonly string[] | undefined
  /** People who approve a backchannel request must enter the two digits that the client displays. */
  readonly cibaNumberMatching?: boolean | undefined
  /** Backchannel requests reveal whether the person exists and has a device. */
  readonly cibaDisclosesAccounts?: boolean | undefined
  /** Language of mails; by default the browser's. */
  readonly language?: 'en' | 'de' | undefined
  /** Who may register clients without an administrator (RFC 7591): anyone (the default), holders of an initial access token, or no one. */
  readonly clientRegistration?: 'open' | 'token' | 'closed'
  /** Origin of the company's own front end for sign-in and consent; by default the hosted pages. */
  readonly loginUi?: string | undefined
  /** Longest chain of actors for a person or client; by default five. */
  readonly delegationDepth?: number | undefined
  readonly quotas?: Readonly<Record<string, number>>
  /** For a company imported from another system: everything there up to this time has been imported. */
  readonly importedUpTo?: string
}

export const tenants = schema.table('tenants', {
  tenantId: tenantId().primaryKey(),
  name: text('name').notNull(),
  email: text('email'),
  domain: text('domain').notNull(),
  source: text('source').notNull().default('sign_up'),
  status: text('status').$type<TenantStatus>().notNull().default('active'),
  settings: jsonb('settings').$type<TenantSettings>().notNull().default({}),
  /** Sessions that began before this time are ended. */
  validFrom: timestampColumn('valid_from').notNull(),
  /** Purge time of a tenant that is being deleted. */
  deleteAfter: timestampColumn('delete_after'),
  /** Raised in the transaction of every change of roles or bindings. */
  policyVersion: integer('policy_version').notNull().default(1),
  createdAt: timestampColumn('created_at').notNull(),
  updatedAt: timestampColumn('updated_at').notNull(),
})

export const tenantDirectory = schema.table('tenant_directory', {
  tenantId: tenantId().primaryKey(),
  status: text('status').$type<TenantStatus>().notNull().default('active'),
  createdAt: timestampColumn('created_at').notNull(),
})

export const domainDirectory = schema.table(
  'domain_directory',
  {
    domain: text('domain').primaryKey(),
    tenantId: tenantId(),
    kind: text('kind').$type<'platform_subdomain' | 'custom'>().notNull(),
    isVerified: boolean('is_verified').notNull().default(true),
    createdAt: timestampColumn('created_at').notNull(),
  },
  (t) => [index('domain_directory_tenant').on(t.tenantId)],
)

/** Number of a tenant's rows of a kind; increased in the transaction that adds one, so that a quota is never exceeded. */
export const tenantUsage = schema.table(
  'tenant_usage',
  { tenantId: tenantId(), kind: text('kind').notNull(), count: integer('count').notNull().default(0) },
  (t) => [primaryKey({ columns: [t.tenantId, t.kind] })],
)

export const projects = schema.table(
  'projects',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    name: text('name').notNull(),
    description: text('description').notNull().default(''),
    userId: uuid('user_id'),
    active: boolean('active').notNull().default(true),
    createdAt: timestampColumn('created_at').notNull(),
    updatedAt: timestampColumn('updated_at').notNull(),
    deletedAt: timestampColumn('deleted_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    index('projects_user').on(t.tenantId, t.userId, t.createdAt),
    foreignKey({ name: 'projects_tenant', columns: [t.tenantId], foreignColumns: [tenants.tenantId] }).onDelete('cascade'),
  ],
)

/** Domains that a tenant claims. Unverified claims may coexist and expire; a verified one is also in `domain_directory`. */
export const tenantDomains = schema.table(
  'tenant_domains',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    domain: text('domain').notNull(),
    kind: text('kind').$type<'platform_subdomain' | 'custom'>().notNull(),
    isPrimary: boolean('is_primary').notNull().default(false),
    isVerified: boolean('is_verified').notNull().default(false),
    verificationToken: text('verification_token').notNull(),
    verifiedAt: timestampColumn('verified_at'),
    lastCheckedAt: timestampColumn('last_checked_at'),
    failureReason: text('failure_reason'),
    /** Time since which the DNS record of a verified domain is missing. */
    proofMissingSince: timestampColumn('proof_missing_since'),
    createdBy: uuid('created_by'),
    updatedBy: uuid('updated_by'),
    createdAt: timestampColumn('created_at').notNull(),
    updatedAt: timestampColumn('updated_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    uniqueIndex('tenant_domains_domain').on(t.tenantId, t.domain),
    uniqueIndex('tenant_domains_primary').on(t.tenantId).where(sql`${t.isPrimary}`),
    foreignKey({ name: 'tenant_domains_tenant', columns: [t.tenantId], foreignColumns: [tenants.tenantId] }).onDelete('cascade'),
  ],
)
