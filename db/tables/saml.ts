// SAML 2.0: the identity providers that a tenant trusts, its own key pairs, and requests in progress.
import { boolean, foreignKey, index, integer, jsonb, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { clients } from './clients.ts'
import { bytesColumn, schema, tenantId, timestampColumn } from './columns.ts'
import type { FederationPage } from './federation.ts'
import { tenants } from './tenants.ts'

/** Attribute names of `email`, `first_name`, `last_name` and `name`. */
export type AttributeMapping = Readonly<Record<string, string>>

/** An identity provider. One of the tenant's default client serves the whole tenant; one of another client serves only that client. */
export const samlProviders = schema.table(
  'saml_providers',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    clientId: uuid('client_id').notNull(),
    providerName: text('provider_name').notNull(),
    displayName: text('display_name').notNull(),
    entityId: text('entity_id').notNull(),
    ssoUrl: text('sso_url').notNull(),
    sloUrl: text('slo_url'),
    metadataUrl: text('metadata_url'),
    /** PEM. Several while the provider changes its key: each is accepted within its own validity. */
    certificates: text('certificates').array().notNull(),
    nameIdFormat: text('name_id_format').notNull(),
    attributeMapping: jsonb('attribute_mapping').$type<AttributeMapping>().notNull().default({}),
    /** Requirements in addition to the mandatory signature. */
    wantsAssertionSigned: boolean('wants_assertion_signed').notNull().default(false),
    wantsResponseSigned: boolean('wants_response_signed').notNull().default(false),
    signsRequests: boolean('signs_requests').notNull().default(true),
    /** Accepts unsolicited responses, which are not bound to a browser. */
    allowsUnsolicited: boolean('allows_unsolicited').notNull().default(false),
    /** Whether a person without an account gets one at the first sign-in. */
    jitProvisioning: boolean('jit_provisioning').notNull().default(false),
    /** Whether multiple factors at the provider count as multiple factors here. */
    trustsFactors: boolean('trusts_factors').notNull().default(false),
    isActive: boolean('is_active').notNull().default(true),
    sortOrder: integer('sort_order').notNull().default(0),
    createdAt: timestampColumn('created_at').notNull(),
    updatedAt: timestampColumn('updated_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    uniqueIndex('saml_providers_name').on(t.tenantId, t.clientId, t.providerName),
    index('saml_providers_entity').on(t.tenantId, t.entityId),
    foreignKey({ name: 'saml_providers_client', columns: [t.tenantId, t.clientId], foreignColumns: [clients.tenantId, clients.id] }).onDelete(
      'cascade',
    ),
  ],
)

/** Our own key pairs, which sign requests and decrypt assertions. The certificate only carries the public key. */
export const samlKeys = schema.table(
  'saml_keys',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    certificate: text('certificate').notNull(),
    /** PKCS #8, sealed with the tenant's key. */
    sealedPrivateKey: bytesColumn('sealed_private_key').notNull(),
    createdAt: timestampColumn('created_at').notNull(),
    expiresAt: timestampColumn('expires_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    foreignKey({ name: 'saml_keys_tenant', columns: [t.tenantId], foreignColumns: [tenants.tenantId] }).onDelete('cascade'),
  ],
)

/** A request that waits for its response. RelayState is `<tenant id>.<256-bit random>`: eighty characters, the most that the binding allows. */
export const samlRequests = schema.table(
  'saml_requests',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    relayHash: bytesColumn('relay_hash').notNull(),
    /** Digest of the cookie of the browser that started the request; no other browser may continue it. */
    browserHash: bytesColumn('browser_hash').notNull(),
    /** ID of the AuthnRequest, which the response must name. */
    requestId: text('request_id').notNull(),
    providerId: uuid('provider_id').notNull(),
    clientId: uuid('client_id').notNull(),
    /** Next page after the response. */
    origin: text('origin').notNull(),
    /** The challenge with which a company's own front end continues; without one the hosted pages continue. */
    loginChallenge: text('login_challenge'),
    /** The hosted page on which it started, and the page that follows. */
    page: jsonb('page').$type<FederationPage>(),
    createdAt: timestampColumn('created_at').notNull(),
    expiresAt: timestampColumn('expires_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    uniqueIndex('saml_requests_relay').on(t.tenantId, t.relayHash),
    index('saml_requests_expires').on(t.expiresAt),
    foreignKey({
      name: 'saml_requests_provider',
      columns: [t.tenantId, t.providerId],
      foreignColumns: [samlProviders.tenantId, samlProviders.id],
    }).onDelete('cascade'),
  ],
)
