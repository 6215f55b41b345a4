// Wire shapes of the token endpoint. A parameter without a value counts as omitted (RFC 6749 section 3.2), and an unknown one is ignored.
import * as z from 'zod/mini'

export const given = (maxLength = 2048, normalise = (text: string): string => text) =>
  z.optional(
    z.pipe(
      z.string().check(z.maxLength(maxLength)),
      z.transform((text) => (text === '' ? undefined : normalise(text))),
    ),
  )

/** Several values of `resource`, separated by spaces. */
export const RESOURCES = 8192
/** Just below the size limit of a body. */
const MAX_PRESENTED = 1_000_000
/** A credential or a handle. The rule refuses one that is too long with the same error as any other invalid one. */
const presented = () =>
  z.optional(
    z.pipe(
      z.string().check(z.maxLength(MAX_PRESENTED)),
      z.transform((text) => (text === '' ? undefined : text)),
    ),
  )

export const clientMembers = {
  /** An id of ours, or the URL of the client’s metadata. */
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
    resource: given(RESOURCES),
    code: presented(),
    redirect_uri: presented(),
    code_verifier: presented(),
    refresh_token: presented(),
    device_code: presented(),
    auth_req_id: presented(),
    authorization_details: given(16_384),
    // RFC 8693 section 2.1
    subject_token: presented(),
    subject_token_type: given(256),
    actor_token: presented(),
    actor_token_type: given(256),
    requested_token_type: given(256),
    audience: given(RESOURCES),
    /** Extension: the only agent that may act with the issued token. */
    requested_actor: given(64),
    /** Extension: `true` leaves the agent out of the token's claims, where a policy allows that. */
    impersonation: given(8),
    // RFC 7523 section 2.1
    assertion: presented(),
  })
  .check(z.meta({ id: 'TokenRequest' }))

export const TokenResponse = z
  .object({
    access_token: z.string(),
    token_type: z.enum(['Bearer', 'DPoP', 'N_A']),
    expires_in: z.int(),
    scope: z.string(),
    refresh_token: z.optional(z.string()),
    id_token: z.optional(z.string()),
    issued_token_type: z.optional(z.string()),
    authorization_details: z.optional(z.array(z.record(z.string(), z.unknown()))),
  })
  .check(z.meta({ id: 'TokenAnswer' }))
