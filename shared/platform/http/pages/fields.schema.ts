// Fields shared by the forms of several groups of hosted pages.
import * as z from 'zod'

export const FormToken = z.string().max(100)
export const form = { form_token: FormToken.optional() }
export const Lang = z.string().max(8).optional()
/** Next page: one of our paths. Any other value leads to the account page. */
export const ReturnTo = z.string().max(2000).optional()
export const PageQuery = z.strictObject({ lang: Lang })
export const Password = z.string().min(1).max(1024)
/** Six digits, with the spaces and hyphens that people type and paste. */
export const Otp = z
  .string()
  .max(20)
  .overwrite((text) => text.replace(/[\s-]/g, ''))
  .regex(/^\d{6}$/, 'must be six digits')

export const NoForm = z.strictObject(form).meta({ id: 'PageForm' })
export const AppCodeForm = z.strictObject({ ...form, code: Otp }).meta({ id: 'AppCodeForm' })
