// Ceremony bodies of our own pages, with the CSRF token of their form.
import * as z from 'zod'
import { form } from '#shared/platform/http/pages/fields.schema'

export const PageCeremonyForm = z
  .strictObject({
    ...form,
    session_id: z.string().min(1).max(256),
    credential: z
      .string()
      .min(2)
      .max(64_000)
      .meta({ examples: ['{}'] }),
  })
  .meta({ id: 'PageCeremonyForm' })
export const PageCeremonyDone = z.object({ success: z.literal(true) }).meta({ id: 'PageCeremonyDone' })
