// Wire shapes of signing in with what a SAML provider proved.
import * as z from 'zod'
import { Email } from '#shared/kernel/email'

export const SamlLogin = z
  .object({
    client_id: z.string().min(1).max(200),
    email: Email,
    /** As the page of the provider's answer handed it on; in a browser of our own pages the cookie has it. */
    saml_ticket: z.string().min(1).max(256).optional(),
  })
  .meta({ id: 'SamlLogin' })
