// Wire shapes shared by the device and backchannel grants.
import * as z from 'zod'

/** One scope name (RFC 6749 section 3.3). */
const Scope = z
  .string()
  .max(128)
  .regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'must be visible ASCII without quotes and backslashes')
export const Scopes = z.array(Scope).max(50)
/** A client id, or an SDK client id. */
export const ClientId = z.string().min(1).max(256)
export const DeviceInfoInput = z.record(z.string(), z.unknown())
export const UserCode = z.string().min(1).max(32)

/** The answer to a poll before a decision. */
export const Pending = z
  .object({ error: z.literal('authorization_pending'), error_description: z.string(), message: z.string() })
  .meta({ id: 'AuthorizationPending' })

/** What the authorization server requests beside scopes, for an application that presents it to the person. */
export const resourceRequestMembers = {
  resource: z.string().optional().meta({ description: 'The resource server of the request (RFC 8707).' }),
  authorization_details: z.array(z.record(z.string(), z.unknown())).optional(),
  authorization_details_in_words: z
    .array(z.object({ title: z.string(), facts: z.array(z.string()) }))
    .optional()
    .meta({
      description: 'Each of the details in the language of Accept-Language, limits with their units: what to show before the person decides.',
    }),
}
