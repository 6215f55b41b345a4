// Wire shapes of RP-Initiated Logout (section 2).
import * as z from 'zod'
import { given } from './token.schema.ts'

const requested = {
  id_token_hint: given(8192),
  logout_hint: given(320),
  client_id: given(),
  post_logout_redirect_uri: given(),
  state: given(4096),
  ui_locales: given(256),
}
const LogoutRequest = z.object({ ...requested, lang: given(8) })
export const LogoutQuery = LogoutRequest
export type LogoutParameters = z.output<typeof LogoutQuery>
export const LogoutForm = z.object(requested).meta({ id: 'LogoutRequest' })
export const LogoutConfirmation = z
  .object({
    form_token: z.string().max(100).optional(),
    client_id: given(),
    post_logout_redirect_uri: given(),
    state: given(4096),
    decision: z.enum(['sign_out', 'stay']),
  })
  .meta({ id: 'LogoutConfirmation' })
