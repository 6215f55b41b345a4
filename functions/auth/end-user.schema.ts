// Wire shapes of the end-user routes.
import * as z from 'zod'
import { Email } from '#shared/kernel/email'

const ClientId = z.string().min(1).max(200)

export const InitiateRegistration = z
  .object({ client_id: ClientId, email: Email, password: z.string().min(1).max(1024) })
  .meta({ id: 'InitiateRegistration' })
export const InitiateAnswer = z
  .object({ message: z.string(), response: z.string().optional(), registration_ticket: z.string().optional() })
  .meta({ id: 'RegistrationInitiated' })
/** All members are optional: without email confirmation every body gets the same error, direct_registration. */
export const VerifyOtp = z
  .object({
    email: z.string().max(320).optional(),
    otp: z.string().max(16).optional(),
    client_id: ClientId.optional(),
    registration_ticket: z.string().max(200).optional(),
  })
  .meta({ id: 'EndUserVerifyOtp' })
export const Verified = z.object({ message: z.string(), email: z.string() }).meta({ id: 'EndUserVerified' })
export const EndUserPrecheck = z.object({ email: Email, client_id: ClientId }).meta({ id: 'EndUserPrecheck' })
export const EndUserPrechecked = z
  .object({
    email: z.string(),
    exists: z.literal(true),
    mfa_enabled: z.boolean(),
    mfa_method: z.array(z.string()),
    tenant_domain: z.string(),
    tenant_id: z.string(),
    /** Present where the organisation has proved the domain of the address and has its own providers. */
    available_providers: z.array(z.string()).optional(),
  })
  .meta({ id: 'EndUserPrechecked' })
export const NewUserNotice = z.object({}).meta({ id: 'NewUserNotice' })
export const NoticeSent = z.object({ success: z.literal(true), message: z.string() }).meta({ id: 'NoticeSent' })
