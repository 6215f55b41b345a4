// SAML 2.0: the identity providers that a tenant trusts, the keys with which we speak to them, and requests under way.
import { boolean, foreignKey, index, integer, jsonb, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { clients } from './clients.ts'
import { bytesColumn, schema, tenantId, timestampColumn } from './columns.ts'
import type { FederationPage } from './federation.ts'
import { tenants } from './tenants.ts'

/** Which attribute says what: `email`, `first_name`, `last_name`, `name`. */
export type AttributeMapping = Readonly<Record<string, string>>

/** An identity provider. Those of the tenant's default client serve the whole tenant, those of another client that client alone. */
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
    /** PEM. Several while the provider changes its key: a signature by any of them counts, each within its own validity. */
    certificates: text('certificates').array().notNull(),
    nameIdFormat: text('name_id_format').notNull(),
    attributeMapping: jsonb('attribute_mapping').$type<AttributeMapping>().notNull().default({}),
    /** Beyond the one signature that is always asked for. */
    wantsAssertionSigned: boolean('wants_assertion_signed').notNull().default(false),
    wantsResponseSigned: boolean('wants_response_signed').notNull().default(false),
    signsRequests: boolean('signs_requests').notNull().default(true),
    /** Takes answers that nobody here asked for: then no browser is bound to them. */
    allowsUnsolicited: boolean('allows_unsolicited').notNull().default(false),
    /** Whether somebody without an account gets one at the first sign-in. */
    jitProvisioning: boolean('jit_provisioning').notNull().default(false),
    /** Whether several factors proved there count as several here. */
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

/** Our own key pairs, with which requests are signed and assertions decrypted. The certificate only carries the public key. */
export const samlKeys = schema.table(
  'saml_keys',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    certificate: text('certificate').notNull(),
    /** PKCS #8, sealed under the tenant's key. */
    sealedPrivateKey: bytesColumn('sealed_private_key').notNull(),
    createdAt: timestampColumn('created_at').notNull(),
    expiresAt: timestampColumn('expires_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    foreignKey({ name: 'saml_keys_tenant', columns: [t.tenantId], foreignColumns: [tenants.tenantId] }).onDelete('cascade'),
  ],
)

/** A request that waits for its answer. RelayState is `<tenant id>.<256-bit random>`: eighty characters, all that the binding allows. */
export const samlRequests = schema.table(
  'saml_requests',
  {
    tenantId: tenantId(),
    id: uuid('id').notNull(),
    relayHash: bytesColumn('relay_hash').notNull(),
    /** Digest of the cookie of the browser that began it: no other may go on. */
    browserHash: bytesColumn('browser_hash').notNull(),
    /** ID of the AuthnRequest, as the answer must name it. */
    requestId: text('request_id').notNull(),
    providerId: uuid('provider_id').notNull(),
    clientId: uuid('client_id').notNull(),
    /** Where the page of the answer leads to. */
    origin: text('origin').notNull(),
    /** The challenge that a front end of somebody's own carries on with; without one our own pages go on. */
    loginChallenge: text('login_challenge'),
    /** Begun on our own page: at which door, and where it goes on to. */
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
