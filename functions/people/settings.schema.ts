// Wire shapes of a tenant's settings. Null restores the deployment's default.
import * as z from 'zod'
import { Id } from '#shared/domains/administration/fields.schema'
import { QUOTAS, type QuotaName } from '#shared/domains/tenancy/quotas'
import { ACR } from '#shared/platform/tokens/acr'

const HOUR = 3600
/** A shorter session would end the administrator's own session before the value could be corrected. */
const seconds = z
  .int()
  .min(300)
  .max(24 * HOUR)
const days = (least: number, most: number) => z.int().min(least).max(most)
const Acr = z.enum(ACR)
/** Id of the provider's row, or its name, which is stored as the id. */
const Provider = z.string().min(1).max(64)

const QuotaNames = z.enum(Object.keys(QUOTAS) as [QuotaName, ...QuotaName[]])

export const SettingsQuery = z.strictObject({ tenant_id: Id.optional() })

const Language = z.enum(['en', 'de'])

/** The effective values, set by the tenant or by the deployment. */
export const Settings = z
  .object({
    require_second_factor: z.boolean(),
    /** The weakest acr with which administrative permissions are usable; null: any. */
    admin_acr: Acr.nullable(),
    direct_sign_up: z.boolean(),
    require_login_challenge: z.boolean(),
    passwordless_totp: z.boolean(),
    recovery: z.object({ backup_codes: z.boolean(), administrator_pass: z.boolean(), waiting_days: z.int().nullable() }),
    /** Ids of the providers. */
    trust_factors_of: z.array(z.string()),
    /** Language of mails and messages to people; null: the language of their browser. */
    language: Language.nullable(),
    ciba_number_matching: z.boolean(),
    ciba_discloses_accounts: z.boolean(),
    session_idle_seconds: z.int(),
    session_absolute_seconds: z.int(),
    audit_retention_days: z.int(),
    /** Origin of the tenant's own front end for sign-in and consent; null: the hosted pages. */
    login_ui: z.string().nullable(),
    /** Maximum number of consecutive actors in a delegation for the same person or client. */
    delegation_depth: z.int(),
    quotas: z.record(z.string(), z.int()),
    /** The settings that the tenant has set; the others are the deployment's defaults. */
    decided: z.array(z.string()),
  })
  .meta({ id: 'TenantSettings' })

export const PatchSettings = z
  .strictObject({
    require_second_factor: z.boolean().nullable().optional(),
    admin_acr: Acr.nullable().optional(),
    direct_sign_up: z.boolean().nullable().optional(),
    require_login_challenge: z.boolean().nullable().optional(),
    passwordless_totp: z.boolean().nullable().optional(),
    recovery: z
      .strictObject({
        backup_codes: z.boolean().nullable().optional(),
        administrator_pass: z.boolean().nullable().optional(),
        waiting_days: days(1, 30).nullable().optional(),
      })
      .optional(),
    trust_factors_of: z.array(Provider).max(50).nullable().optional(),
    language: Language.nullable().optional(),
    ciba_number_matching: z.boolean().nullable().optional(),
    ciba_discloses_accounts: z.boolean().nullable().optional(),
    session_idle_seconds: seconds.nullable().optional(),
    session_absolute_seconds: seconds.nullable().optional(),
    audit_retention_days: days(90, 7300).nullable().optional(),
    /** On a platform origin or a verified domain of the tenant. */
    login_ui: z.string().max(300).nullable().optional(),
    delegation_depth: z.int().min(0).max(20).nullable().optional(),
    /** Only for platform administrators. */
    quotas: z.partialRecord(QuotaNames, z.int().min(0).max(2_000_000_000).nullable()).optional(),
  })
  .meta({ id: 'PatchTenantSettings' })
