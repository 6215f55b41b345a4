// Identity providers. Platform providers are rows of the system tenant.
import { boolean, foreignKey, index, integer, jsonb, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { clients } from './clients.ts'
import { bytesColumn, schema, tenantId, timestampColumn } from './columns.ts'

export type ProviderIcon = 'google' | 'github' | 'microsoft' | 'key' | 'building'

export const oidcProviders = schema.table(
  'oidc_providers',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    providerName: text('provider_name').notNull(),
    displayName: text('display_name').notNull(),
    clientId: text('client_id').notNull().default(''),
    /** Sealed with the tenant's key; never returned by the API. */
    sealedClientSecret: bytesColumn('sealed_client_secret'),
    issuer: text('issuer'),
    authorizationUrl: text('authorization_url').notNull().default(''),
    tokenUrl: text('token_url').notNull().default(''),
    userinfoUrl: text('userinfo_url').notNull().default(''),
    jwksUrl: text('jwks_url').notNull().default(''),
    scopes: text('scopes').notNull().default('openid email profile'),
    /** Additional parameters of the authorization request. */
    additionalParams: jsonb('additional_params').$type<Readonly<Record<string, string>>>().notNull().default({}),
    iconUrl: text('icon_url'),
    /** Name of one of the icons of the hosted pages; the provider's name when absent. */
    icon: text('icon').$type<ProviderIcon>(),
    /** Label of the button; a default text when absent. */
    buttonText: text('button_text'),
    /** Position in lists, ascending. */
    sortOrder: integer('sort_order').notNull().default(100),
    isActive: boolean('is_active').notNull().default(false),
    /** Only people with a verified address in one of these domains can sign in; everyone when empty. */
    allowedEmailDomains: text('allowed_email_domains').array().notNull().default([]),
    /** Whether a person without an account gets one at the first sign-in. */
    jitProvisioning: boolean('jit_provisioning').notNull().default(false),
    /** Whether multiple factors at the provider count as multiple factors here. */
    trustsFactors: boolean('trusts_factors').notNull().default(false),
    createdAt: timestampColumn('created_at').notNull(),
    updatedAt: timestampColumn('updated_at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.id] }), uniqueIndex('oidc_providers_name').on(t.tenantId, t.providerName)],
)

/** Settings of a tenant's provider for one client. A client with rows here offers only these providers. */
export const clientProviders = schema.table(
  'client_providers',
  {
    tenantId: tenantId(),
    clientId: uuid('client_id').notNull(),
    providerId: uuid('provider_id').notNull(),
    displayName: text('display_name').notNull(),
    sortOrder: integer('sort_order').notNull(),
    createdAt: timestampColumn('created_at').notNull(),
    updatedAt: timestampColumn('updated_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.clientId, t.providerId] }),
    index('client_providers_provider').on(t.tenantId, t.providerId),
    foreignKey({ name: 'client_providers_client', columns: [t.tenantId, t.clientId], foreignColumns: [clients.tenantId, clients.id] }).onDelete(
      'cascade',
    ),
    foreignKey({
      name: 'client_providers_provider',
      columns: [t.tenantId, t.providerId],
      foreignColumns: [oidcProviders.tenantId, oidcProviders.id],
    }).onDelete('cascade'),
  ],
)
