// Wire shapes of the results of a sign-in through a provider.
import * as z from 'zod'
import { LoginResponse } from '#shared/domains/sign-in/login-response'
import { Email } from '#shared/kernel/email'

const ticket = z.string().min(1).max(256)
const Otp = z.string().regex(/^\d{6}$/, 'must be six digits')

export const ExchangeCode = z.object({ code: z.string().min(1).max(4096), state: z.string().min(1).max(256) }).meta({ id: 'ExchangeCode' })

/** The response of a sign-in by password. When an identity has several accounts, it lists them without a sign-in, and `tenant_id` is empty. */
export const Exchanged = LoginResponse.extend({
  redirect_after: z.string().optional(),
  accounts: z.array(z.object({ tenant_id: z.string(), tenant_domain: z.string(), tenant_name: z.string(), email: z.string() })).optional(),
  choice_ticket: z.string().optional(),
}).meta({ id: 'FederationExchanged' })

export const ChooseAccount = z.strictObject({ choice_ticket: ticket, tenant_id: z.uuid() }).meta({ id: 'ChooseFederatedAccount' })
export const LinkCodeRequest = z.strictObject({ link_ticket: ticket }).meta({ id: 'LinkCodeRequest' })
export const ConfirmLink = z.strictObject({ link_ticket: ticket, code: Otp }).meta({ id: 'ConfirmLink' })
export const AcceptLink = z.strictObject({ link_ticket: ticket }).meta({ id: 'AcceptLink' })
export const JoinCodeRequest = z.strictObject({ join_ticket: ticket }).meta({ id: 'JoinCodeRequest' })
export const ConfirmJoin = z.strictObject({ join_ticket: ticket.optional(), code: Otp }).meta({ id: 'ConfirmJoin' })
export const FederationCodeSent = z.object({ message: z.string(), expires_in: z.int() }).meta({ id: 'FederationCodeSent' })
export const LinkedIdentity = z.object({ message: z.string() }).meta({ id: 'FederationLinked' })

export const RegistrationCodeRequest = z.strictObject({ registration_ticket: ticket.optional() }).meta({ id: 'FederatedRegistrationCodeRequest' })
export const CompleteFederated = z
  .object({
    tenant_domain: z.string().min(1).max(253),
    provider: z.string().min(1).max(64),
    email: Email,
    provider_user_id: z.string().min(1).max(255),
    name: z.string().max(256).optional(),
    picture: z.string().max(2048).optional(),
    registration_ticket: ticket.optional(),
    /** The mailed code, for an address that the provider had not verified. */
    otp: Otp.optional(),
  })
  .meta({ id: 'CompleteFederatedRegistration' })
export const CompletedFederated = z
  .object({
    success: z.boolean(),
    message: z.string(),
    tenant_domain: z.string(),
    tenant_id: z.uuid(),
    client_id: z.uuid(),
    user_id: z.uuid(),
    project_id: z.uuid(),
    first_login: z.boolean(),
  })
  .meta({ id: 'FederatedRegistrationCompleted' })
