// Wire shapes of the four forms of the same two ceremonies: administrators, end users, flat, biometric.
import * as z from 'zod'
import { Assertion, assertionShape, Registered } from './credential.schema.ts'
import { ending, needingClient, ofTenant, who, withClient } from './stage.schema.ts'

const Name = z.string().trim().min(1).max(100)
const registered = { ...ending, credential: Registered, name: Name.optional() }
const asserted = { ...ending, credential: Assertion }

export const AdminBegin = z.object(who).meta({ id: 'AdminBeginCeremony' })
export const AdminFinishRegistration = z.object({ ...who, ...registered }).meta({ id: 'AdminFinishRegistration' })
export const AdminFinishAuthentication = z.object({ ...who, ...asserted }).meta({ id: 'AdminFinishAuthentication' })

export const EndUserBeginRegistration = z.object(needingClient).meta({ id: 'EndUserBeginRegistration' })
export const EndUserFinishRegistration = z.object({ ...needingClient, ...registered }).meta({ id: 'EndUserFinishRegistration' })
export const EndUserBeginAuthentication = z.object(withClient).meta({ id: 'EndUserBeginAuthentication' })
export const EndUserFinishAuthentication = z.object({ ...withClient, ...asserted }).meta({ id: 'EndUserFinishAuthentication' })

export const FlatBegin = z.object(withClient).meta({ id: 'BeginCeremony' })
export const FlatFinishRegistration = z.object({ ...ofTenant, ...registered }).meta({ id: 'FinishRegistration' })
export const FinishAuthentication = z.object({ ...ofTenant, ...asserted }).meta({ id: 'FinishAuthentication' })
/** The assertion as a member, or its members at the top. */
export const FlatFinishAuthentication = z
  .object({ ...ofTenant, ...ending, ...z.object(assertionShape).partial().shape, credential: Assertion.optional() })
  .meta({ id: 'FlatFinishAuthentication' })

const credential_id = z.string()
export const AdminRegistered = z.object({ success: z.literal(true), credential_id }).meta({ id: 'AdminPasskeyRegistered' })
export const FlatRegistered = z.object({ success: z.literal(true), message: z.string(), credential_id }).meta({ id: 'PasskeyRegistered' })

/** In a session: its token from now on, for the one that came with the request counts no more. */
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
