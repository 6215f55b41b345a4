// Wire shapes of the client registration policy. An extension.
import * as z from 'zod'

const mode = z
  .enum(['open', 'token', 'closed'])
  .meta({ description: 'open: every client; token: clients with an initial access token; closed: only administrators.' })
export const RegistrationPolicyChange = z.strictObject({ mode }).meta({ id: 'RegistrationPolicyChange' })
export const RegistrationPolicy = z.object({ mode }).meta({ id: 'RegistrationPolicy' })

export const NewRegistrationToken = z
  .strictObject({
    name: z.string().trim().min(1).max(200),
    uses: z.int().min(1).max(1000).default(1),
    expires_in: z
      .int()
      .min(60)
      .max(90 * 24 * 3600)
      .default(24 * 3600),
  })
  .meta({ id: 'NewRegistrationToken' })
export const RegistrationTokenPath = z.strictObject({ id: z.uuid() })
const token = { id: z.uuid(), name: z.string(), uses_left: z.int(), created_at: z.iso.datetime(), expires_at: z.iso.datetime() }
export const CreatedRegistrationToken = z.object({ ...token, initial_access_token: z.string() }).meta({ id: 'CreatedRegistrationToken' })
export const RegistrationTokens = z.object({ registration_tokens: z.array(z.object(token)) }).meta({ id: 'RegistrationTokens' })
