// Parameters of the provider's response (RFC 6749 sections 4.1.2 and 4.1.2.1, RFC 9207).
import * as z from 'zod'

export const CallbackQuery = z.object({
  code: z.string().min(1).max(4096).optional(),
  state: z.string().max(256).optional(),
  iss: z.string().max(2048).optional(),
  error: z.string().max(200).optional(),
  error_description: z.string().max(2048).optional(),
})
