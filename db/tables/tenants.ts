// Companies. `tenants` is the company's own record; `tenant_directory` and `domain_directory` are what must be found before a tenant is known.
import { sql } from 'drizzle-orm'
import { boolean, foreignKey, index, integer, jsonb, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { schema, tenantId, timestampColumn } from './columns.ts'

/** `deleted`: in the directory alone, until the tenant's record of events has passed its time. */
export type TenantStatus = 'active' | 'suspended' | 'deleting' | 'deleted'

/** What a tenant decides for itself. A missing member means the deployment's default. */
export type TenantSettings = {
  readonly sessionIdleSeconds?: number | undefined
  readonly sessionAbsoluteSeconds?: number | undefined
  readonly requireSecondFactor?: boolean | undefined
  /** End users may sign in before they proved their address. */
  readonly directSignUp?: boolean | undefined
  readonly requireLoginChallenge?: boolean | undefined
  /** The weakest context in which administrative permissions count. */
  readonly adminAcr?: 'aal1' | 'aal2' | 'aal3' | undefined
  /** A code of an authenticator app alone signs an end user in, where the client authenticates itself. */
  readonly passwordlessTotp?: boolean | undefined
  /** Ways back in for who lost their factors; missing: backup codes and a pass from an administrator. */
  readonly recovery?: {
    readonly backupCodes?: boolean | undefined
    readonly administratorPass?: boolean | undefined
    readonly waitingDays?: number | undefined
  }
  readonly auditRetentionDays?: number | undefined
  /** Providers whose word on several factors counts here: their `amr` or `acr` stands for a second factor of ours. */
  readonly trustFactorsOf?: readonly string[] | undefined
  /** Whoever approves a backchannel request enters the two digits that the asker shows. */
  readonly cibaNumberMatching?: boolean | undefined
  /** Backchannel requests tell whether there is such a person with a device. */
  readonly cibaDisclosesAccounts?: boolean | undefined
  /** In which people are written to; missing: the language of their browser. */
  readonly language?: 'en' | 'de' | undefined
  /** Who may register clients of the tenant without an administrator (RFC 7591): anybody, unless told; who holds an initial access token; nobody. */
  readonly clientRegistration?: 'open' | 'token' | 'closed'
  /** Origin of the front end of its own at which people sign in and consent for its clients; missing: the hosted pages. */
  readonly loginUi?: string | undefined
  /** How many may act one after the other for the same person or client; missing: five. */
  readonly delegationDepth?: number | undefined
  readonly quotas?: Readonly<Record<string, number>>
  /** Of a company of another system: everything there up to this moment was looked at. */
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
  /** Sessions that began before this moment are over. */
  validFrom: timestampColumn('valid_from').notNull(),
  /** When a tenant that is being deleted is purged. */
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

/** How many rows of a kind a tenant has; raised in the transaction that adds one, and so never past its quota. */
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

/** Domains that a tenant claims. Claims without proof may coexist and lapse; a proved one also stands in `domain_directory`. */
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
    /** Since when a proved domain shows its proof no more. */
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
