// Wire shapes of a company's sign-up.
import * as z from 'zod'
import { Email } from '#shared/kernel/email'

/** Rules for new passwords are in the policy; this bounds only what a form may carry. */
const Password = z.string().min(1).max(1024)
const Domain = z.string().min(1).max(253)
export const Otp = z.string().regex(/^\d{6}$/, 'must be six digits')

/** What completes the sign-up together with the mailed code, for clients that keep no cookies. */
const RegistrationTicket = z.string().max(200)

export const RegisterCompany = z
  .object({ email: Email, password: Password, name: z.string().min(1).max(256), tenant_domain: Domain })
  .meta({ id: 'RegisterCompany' })
export const InitiateRegister = z
  .object({ email: Email, password: Password, name: z.string().max(256).optional(), tenant_domain: Domain })
  .meta({ id: 'InitiateRegisterCompany' })
export const Bootstrap = z
  .object({
    email: Email,
    password: Password,
    tenant_domain: Domain,
    confirm_password: z.string().max(1024).optional(),
    name: z.string().max(256).optional(),
  })
  .meta({ id: 'BootstrapCompany' })
export const CompanySignUpStarted = z
  .object({ message: z.string(), email: z.string(), registration_ticket: RegistrationTicket.optional() })
  .meta({ id: 'SignUpStarted' })
export const Bootstrapped = z
  .object({
    message: z.string(),
    status: z.literal('pending_verification'),
    tenant_id: z.string(),
    tenant_domain: z.string(),
    user_id: z.string().optional(),
    registration_ticket: RegistrationTicket,
  })
  .meta({ id: 'SignUpBootstrapped' })
export const CompleteCompanySignUp = z
  .object({ email: Email, otp: Otp, registration_ticket: RegistrationTicket.optional() })
  .meta({ id: 'CompleteRegistration' })
export const CompanySignUpCompleted = z
  .object({
    message: z.string(),
    email: z.string(),
    email_id: z.string(),
    tenant_id: z.uuid(),
    user_id: z.uuid(),
    project_id: z.uuid(),
    client_id: z.uuid(),
    tenant_domain: z.string(),
  })
  .meta({ id: 'RegistrationCompleted' })
export const ResendOtp = z.object({ email: Email, registration_ticket: RegistrationTicket.optional() }).meta({ id: 'ResendOtp' })
