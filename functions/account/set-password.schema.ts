// Wire shapes of the one-time link by which a first password is chosen.
import * as z from 'zod'
import { Password } from '#shared/domains/account/credentials.schema'

const Ticket = z.string().min(1).max(256)

export const OpenLink = z.strictObject({ ticket: Ticket }).meta({ id: 'OpenSetPasswordLink' })
export const OpenedLink = z
  .object({
    tenant_name: z.string(),
    email: z.string(),
    /** Characters that the password must have at least. */
    shortest: z.int(),
  })
  .meta({ id: 'OpenedSetPasswordLink' })
export const SetPassword = z.strictObject({ ticket: Ticket, new_password: Password }).meta({ id: 'SetPassword' })
