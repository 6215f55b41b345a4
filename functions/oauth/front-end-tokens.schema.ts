// Wire shapes of the exchange of a code by a front end.
import * as z from 'zod'

export const ExchangeToken = z
  .object({
    login_challenge: z.string().min(1).max(256),
    code: z.string().min(1).max(256),
    state: z.string().min(1).max(4096),
    redirect_uri: z.string().min(1).max(2048),
    code_verifier: z
      .string()
      .max(128)
      .transform((text) => (text === '' ? undefined : text))
      .optional(),
  })
  .meta({ id: 'FrontEndExchangeToken' })
export const ExchangedToken = z
  .object({ access_token: z.string(), token_type: z.string(), expires_in: z.int() })
  .meta({ id: 'FrontEndExchangedToken' })
