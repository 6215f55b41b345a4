// Wire shapes of AuthSec's four forms of the two ceremonies: administrators, end users, flat, biometric.
import * as z from 'zod'
import { Assertion, assertionShape, Registered } from './credential.schema.ts'
import { ceremonyEndFields, identityFields, optionalClientFields, requiredClientFields, tenantIdentityFields } from './identity.schema.ts'

const Name = z.string().trim().min(1).max(100)
const registered = { ...ceremonyEndFields, credential: Registered, name: Name.optional() }
const asserted = { ...ceremonyEndFields, credential: Assertion }

export const AdminBegin = z.object(identityFields).meta({ id: 'AdminBeginCeremony' })
export const AdminFinishRegistration = z.object({ ...identityFields, ...registered }).meta({ id: 'AdminFinishRegistration' })
export const AdminFinishAuthentication = z.object({ ...identityFields, ...asserted }).meta({ id: 'AdminFinishAuthentication' })

export const EndUserBeginRegistration = z.object(requiredClientFields).meta({ id: 'EndUserBeginRegistration' })
export const EndUserFinishRegistration = z.object({ ...requiredClientFields, ...registered }).meta({ id: 'EndUserFinishRegistration' })
export const EndUserBeginAuthentication = z.object(optionalClientFields).meta({ id: 'EndUserBeginAuthentication' })
export const EndUserFinishAuthentication = z.object({ ...optionalClientFields, ...asserted }).meta({ id: 'EndUserFinishAuthentication' })

export const FlatBegin = z.object(optionalClientFields).meta({ id: 'BeginCeremony' })
export const FlatFinishRegistration = z.object({ ...tenantIdentityFields, ...registered }).meta({ id: 'FinishRegistration' })
export const FinishAuthentication = z.object({ ...tenantIdentityFields, ...asserted }).meta({ id: 'FinishAuthentication' })
/** The assertion as a member, or its members at the top of the body. */
export const FlatFinishAuthentication = z
  .object({ ...tenantIdentityFields, ...ceremonyEndFields, ...z.object(assertionShape).partial().shape, credential: Assertion.optional() })
  .meta({ id: 'FlatFinishAuthentication' })

const credential_id = z.string()
export const AdminRegistered = z.object({ success: z.literal(true), credential_id }).meta({ id: 'AdminPasskeyRegistered' })
export const FlatRegistered = z.object({ success: z.literal(true), message: z.string(), credential_id }).meta({ id: 'PasskeyRegistered' })

/** In a session: the new token. The one of the request is revoked. */
const renewed = {
  access_token: z.string().optional(),
  token_type: z.literal('Bearer').optional(),
  expires_in: z.int().optional(),
  amr: z.array(z.string()).optional(),
  acr: z.string().optional(),
}
export const AdminAuthenticated = z
  .object({ success: z.literal(true), user_id: z.string(), email: z.string(), ...renewed })
  .meta({ id: 'AdminPasskeyAuthenticated' })
export const FlatAuthenticated = z
  .object({ success: z.literal(true), message: z.string(), credential_id, ...renewed })
  .meta({ id: 'PasskeyAuthenticated' })
