// Wire shapes of SAML identity providers. `hmgr/admin` and `oocmgr` use the same resource under different member names.
import * as z from 'zod'
import { Id } from '#shared/domains/administration/fields.schema'

const EMAIL_FORMAT = 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress'

/** Names are path segments. */
const ProviderName = z
  .string()
  .overwrite((text) => text.trim().toLowerCase())
  .regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, 'letters, digits, hyphens and underscores')
const entityId = z
  .string()
  .trim()
  .regex(/^[\x21-\x7e]{1,1024}$/, 'must be a URI of at most 1024 characters')
const address = z.string().trim().min(1).max(2048)
/** SAML 2.0 Core section 8.3. */
const NameIdFormat = z
  .string()
  .regex(/^urn:oasis:names:tc:SAML:[12]\.[01]:nameid-format:[A-Za-z0-9]{1,64}$/, 'must be a name identifier format')
  .meta({ examples: [EMAIL_FORMAT] })
const mapping = z
  .record(z.string().min(1).max(64), z.string().min(1).max(512))
  .refine((record) => Object.keys(record).length <= 50, 'has too many members')

const shape = {
  provider_name: ProviderName,
  display_name: z.string().trim().min(1).max(100),
  entity_id: entityId,
  sso_url: address,
  /** PEM; several concatenated certificates while the provider rotates its key. */
  certificate: z.string().min(1).max(16_384),
  slo_url: address.optional(),
  metadata_url: address.optional(),
  name_id_format: NameIdFormat.optional(),
  attribute_mapping: mapping.optional(),
  is_active: z.boolean().optional(),
  sort_order: z.int().min(-1_000_000).max(1_000_000).optional(),
  /** Extension: required in addition to the one signature that is always required. */
  want_assertions_signed: z.boolean().optional(),
  want_response_signed: z.boolean().optional(),
  sign_requests: z.boolean().optional(),
  /** Extension: accepts IdP-initiated responses. */
  allow_idp_initiated: z.boolean().optional(),
  /** Extension: a person without an account gets one at the first sign-in. */
  jit_provisioning: z.boolean().optional(),
  /** Extension: several factors proved at the provider count as several here. */
  trusts_factors: z.boolean().optional(),
}
export const SAML_PROVIDER_DEFAULTS = { nameIdFormat: EMAIL_FORMAT } as const

const NewProvider = z.object({ ...shape, client_id: Id })
const ChangedProvider = z.object(shape).partial()
export type NewProviderBody = z.output<typeof NewProvider>
export type ChangedProviderBody = z.output<typeof ChangedProvider>

const tenantId = Id.optional()
export const AdminNewProvider = NewProvider.extend({ tenant_id: tenantId }).meta({ id: 'SamlNewProvider' })
export const AdminChangedProvider = ChangedProvider.extend({ tenant_id: tenantId }).meta({ id: 'SamlProviderChange' })
export const AdminProviderPath = z.object({ id: Id })
export const AdminProviderQuery = z.object({ client_id: Id.optional(), tenant_id: tenantId })

const named = { tenant_id: Id, provider_id: Id }
export const AddSamlProvider = NewProvider.extend({ tenant_id: Id }).meta({ id: 'ConnectionsAddSamlProvider' })
export const ListSamlProviders = z.object({ tenant_id: Id, client_id: Id.optional() }).meta({ id: 'ConnectionsListSamlProviders' })
export const GetSamlProvider = z.object(named).meta({ id: 'ConnectionsGetSamlProvider' })
export const UpdateSamlProvider = ChangedProvider.extend({ ...named, client_id: Id.optional() }).meta({ id: 'ConnectionsUpdateSamlProvider' })
export const DeleteSamlProvider = z.object({ ...named, client_id: Id.optional() }).meta({ id: 'ConnectionsDeleteSamlProvider' })
export const TestSamlProvider = z.object({ tenant_id: Id, provider_name: ProviderName }).meta({ id: 'TestSamlProvider' })

const shown = {
  id: z.string(),
  tenant_id: z.string(),
  client_id: z.string(),
  provider_name: z.string(),
  display_name: z.string(),
  entity_id: z.string(),
  sso_url: z.string(),
  slo_url: z.string().optional(),
  metadata_url: z.string().optional(),
  name_id_format: z.string(),
  attribute_mapping: z.record(z.string(), z.string()),
  is_active: z.boolean(),
  sort_order: z.int(),
  want_assertions_signed: z.boolean(),
  want_response_signed: z.boolean(),
  sign_requests: z.boolean(),
  allow_idp_initiated: z.boolean(),
  jit_provisioning: z.boolean(),
  trusts_factors: z.boolean(),
  created_at: z.string(),
  updated_at: z.string(),
}
export const SamlProviderOut = z.object(shown).meta({ id: 'SamlProvider' })
/** Includes the certificate, for administrators of providers. */
export const AdminProviderOut = z.object({ ...shown, certificate: z.string() }).meta({ id: 'SamlProviderWithCertificate' })

const success = z.literal(true)
export const AdminProviders = z
  .object({ success, providers: z.array(AdminProviderOut), count: z.int(), tenant_id: z.string(), filtered_by_client_id: z.string().optional() })
  .meta({ id: 'SamlProviders' })
export const AdminProvider = z.object({ success, provider: AdminProviderOut }).meta({ id: 'SamlProviderAnswer' })
export const DeletedSamlProvider = z.object({ success, message: z.string() }).meta({ id: 'SamlProviderDeleted' })
export const AddedSamlProvider = z.object({ success, message: z.string(), provider: SamlProviderOut }).meta({ id: 'ConnectionsSamlProviderChanged' })
export const SamlProviderResponse = z.object({ success, provider: SamlProviderOut }).meta({ id: 'ConnectionsSamlProvider' })
export const ListedSamlProviders = z
  .object({ success, tenant_id: z.string(), providers: z.array(SamlProviderOut) })
  .meta({ id: 'ConnectionsSamlProviders' })
export const TestedSamlProvider = z
  .object({
    success,
    provider: z.object({
      name: z.string(),
      display_name: z.string(),
      entity_id: z.string(),
      sso_url: z.string(),
      is_active: z.boolean(),
      client_id: z.string(),
    }),
    sp_metadata_url: z.string(),
    acs_url_client: z.string(),
    acs_url_shared: z.string(),
  })
  .meta({ id: 'SamlProviderTested' })

const Template = z.object({
  provider_name: z.string(),
  display_name: z.string(),
  name_id_format: z.string(),
  attribute_mapping: z.record(z.string(), z.string()),
  instructions: z.string(),
  documentation_url: z.string(),
  config_fields: z.array(z.string()).readonly(),
})
export const NoMembers = z.object({}).meta({ id: 'SamlTemplatesQuery' })
export const SamlTemplates = z
  .object({ success, templates: z.object({ okta: Template, azure: Template, onelogin: Template, google: Template }) })
  .meta({ id: 'SamlTemplates' })
