// The query of every hosted sign-in page: which application or tenant the person signs in to.
import * as z from 'zod'
import { Lang, ReturnTo } from '#shared/platform/http/pages/fields.schema'

export const signInContextFields = {
  lang: Lang,
  /** Domain of a company, or the label that the platform assigned to it. */
  tenant: z.string().min(1).max(253).optional(),
  client_id: z.string().min(1).max(200).optional(),
  return_to: ReturnTo,
}
export const SignInContextQuery = z.strictObject(signInContextFields)
export type SignInContextRequest = z.output<typeof SignInContextQuery>
