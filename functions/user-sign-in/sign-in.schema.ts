// Wire shapes of sign-up, sign-in and password recovery at a client.
import * as z from 'zod'
import { Email } from '#shared/kernel/email'
import { MAX_TOKEN_LENGTH } from '#shared/platform/tokens/strict-jws'

const ClientId = z.string().min(1).max(200)
/** What completes the sign-up together with the mailed code, for clients that keep no cookies. */
const RegistrationTicket = z.string().max(200)
const Password = z.string().min(1).max(1024)

export const UserLogin = z.object({ client_id: ClientId, email: Email, password: Password }).meta({ id: 'UserLogin' })
export const UserOidcLogin = z.object({ access_token: z.string().min(1).max(MAX_TOKEN_LENGTH) }).meta({ id: 'UserOidcLogin' })
export const UserStatus = z.object({ client_id: ClientId, email: Email }).meta({ id: 'UserStatus' })
export const StatusAnswer = z.object({ response: z.enum(['true', 'false']), message: z.string() }).meta({ id: 'UserStatusAnswer' })
export const UserRegister = z.object({ client_id: ClientId, email: Email, password: Password }).meta({ id: 'UserRegister' })
export const UserRegistered = z
  .object({ message: z.string(), email: z.string().optional(), response: z.string().optional(), registration_ticket: RegistrationTicket.optional() })
  .meta({ id: 'UserRegistered' })
export const UserComplete = z
  .object({
    client_id: ClientId,
    email: Email,
    otp: z.string().regex(/^\d{6}$/, 'must be six digits'),
    registration_ticket: RegistrationTicket.optional(),
  })
  .meta({ id: 'UserCompleteRegistration' })
