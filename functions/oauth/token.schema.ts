// Wire shapes of the token endpoint. A parameter without a value counts as left out (RFC 6749 section 3.2), and one that is not known is ignored.
import * as z from 'zod'

export const given = (longest = 2048, spelled = (text: string): string => text) =>
  z
    .string()
    .max(longest)
    .transform((text) => (text === '' ? undefined : spelled(text)))
    .optional()

export const clientMembers = {
  /** An id of ours, or the address of the client’s metadata. */
  client_id: given(),
  client_secret: given(512),
  client_assertion: given(8192),
  client_assertion_type: given(256),
}

export const TokenForm = z
  .object({
    grant_type: given(256),
    ...clientMembers,
    scope: given(4096),
    resource: given(),
    code: given(256),
    redirect_uri: given(),
    code_verifier: given(256),
    refresh_token: given(512),
    device_code: given(256),
    auth_req_id: given(256),
    authorization_details: given(16_384),
    // RFC 8693 section 2.1
    subject_token: given(8192),
    subject_token_type: given(256),
    actor_token: given(8192),
    actor_token_type: given(256),
    requested_token_type: given(256),
    audience: given(),
    /** Ours: the agent that alone may act by the token that is issued. */
    requested_actor: given(64),
    /** Ours: `true` leaves the agent out of what the token tells, where a policy allows that. */
    impersonation: given(8),
    // RFC 7523 section 2.1
    assertion: given(8192),
  })
  .meta({ id: 'TokenRequest' })

export const TokenResponse = z
  .object({
    access_token: z.string(),
    token_type: z.enum(['Bearer', 'DPoP', 'N_A']),
    expires_in: z.int(),
    scope: z.string(),
    refresh_token: z.string().optional(),
    id_token: z.string().optional(),
    issued_token_type: z.string().optional(),
    authorization_details: z.array(z.record(z.string(), z.unknown())).optional(),
  })
  .meta({ id: 'TokenAnswer' })
