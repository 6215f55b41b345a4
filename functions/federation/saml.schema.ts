// Wire shape of a sign-in with an identity from a SAML provider.
import * as z from 'zod'
import { Email } from '#shared/kernel/email'

export const SamlLogin = z
  .object({
    client_id: z.string().min(1).max(200),
    email: Email,
    /** From the page that received the SAML response; on hosted pages the cookie has it. */
    saml_ticket: z.string().min(1).max(256).optional(),
  })
  .meta({ id: 'SamlLogin' })
