// What the bodies of all forms share: whose ceremony it is said to be, and what proves it beside a bearer token.
import * as z from 'zod'
import { Email } from '#shared/kernel/email'

export const identityFields = {
  email: Email,
  login_ticket: z.string().max(256).optional(),
}
export const tenantIdentityFields = { ...identityFields, tenant_id: z.guid() }
const clientId = z.string().min(1).max(200)
export const optionalClientFields = { ...tenantIdentityFields, client_id: clientId.optional() }
export const requiredClientFields = { ...tenantIdentityFields, client_id: clientId }
/** Ends a ceremony. */
export const ceremonyEndFields = { session_id: z.string().max(256).optional() }
