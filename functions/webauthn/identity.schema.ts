// Members that all forms share: the claimed identity of the caller, and the login ticket that proves it if there is no bearer token.
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
/** Identifies the ceremony to finish. */
export const ceremonyEndFields = { session_id: z.string().max(256).optional() }
