// Wire shapes of the one-time link for a first password.
import * as z from 'zod'
import { Password } from '#shared/domains/account/credentials.schema'

const Ticket = z.string().min(1).max(256)

export const OpenLink = z.strictObject({ ticket: Ticket }).meta({ id: 'OpenSetPasswordLink' })
export const OpenedLink = z
  .object({
    tenant_name: z.string(),
    email: z.string(),
    /** Minimum password length in characters. */
    shortest: z.int(),
  })
  .meta({ id: 'OpenedSetPasswordLink' })
export const SetPassword = z.strictObject({ ticket: Ticket, new_password: Password }).meta({ id: 'SetPassword' })
