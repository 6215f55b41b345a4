// Queries and forms of the hosted pages of a federated sign-in.
import * as z from 'zod'
import { signInContextFields } from '#shared/domains/sign-in/sign-in-context.schema'
import { form, Lang, Otp } from '#shared/platform/http/pages/fields.schema'

const Provider = z.string().min(1).max(64)
export const StartQuery = z.strictObject({ ...signInContextFields, provider: Provider })
export const OwnProviderQuery = z.strictObject({ lang: Lang, provider: Provider })
export const OwnProviderForm = z.strictObject({ ...form, provider: Provider }).meta({ id: 'OwnProviderForm' })

export const FederationNoForm = z.strictObject(form).meta({ id: 'ProviderPageForm' })
export const ConnectForm = z.strictObject({ ...form, otp: Otp }).meta({ id: 'ConnectForm' })
/** Not `tenant_id`, which would be checked against the tenant of the session: the person may be signed in elsewhere and choose this account. */
export const AccountForm = z.strictObject({ ...form, account: z.uuid() }).meta({ id: 'AccountForm' })
export const CompanyForm = z
  .strictObject({ ...form, tenant_domain: z.string().trim().min(1).max(253), otp: Otp.optional() })
  .meta({ id: 'ProviderCompanyForm' })
