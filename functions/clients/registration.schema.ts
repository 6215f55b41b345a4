// Wire shapes of a client's registration at the authorization server, with the names of RFC 7591 section 2. An API of this project.
import * as z from 'zod'
import { Id } from '#shared/domains/administration/fields.schema'
import { Jwks } from '#shared/domains/oauth/jwks.schema'
import { CLIENT_AUTH_METHODS, GRANT_TYPES, RESPONSE_MODES } from '#shared/domains/oauth/supported'

export const RegistrationPath = z.strictObject({ id: Id })

const Uri = z.string().max(2000)
const Uris = z.array(Uri).max(50)
const Scope = z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/, 'must be scopes of RFC 6749')

const members = {
  redirect_uris: Uris,
  grant_types: z.array(z.enum(GRANT_TYPES)).min(1),
  /** `null`: the client's secret, in the header or in the body. */
  token_endpoint_auth_method: z.enum(CLIENT_AUTH_METHODS).nullable(),
  jwks: Jwks.nullable(),
  client_uri: z
    .url({ protocol: /^https$/ })
    .max(2000)
    .nullable(),
  post_logout_redirect_uris: Uris,
  /** `null`: every scope of the resource servers that the client may access. */
  scope: Scope.max(4000).nullable(),
  /** RFC 9449 section 5.2 */
  dpop_bound_access_tokens: z.boolean(),
  /** RFC 9126 section 6 */
  require_pushed_authorization_requests: z.boolean(),
  /** Response modes that the client may ask for besides `query` (OAuth 2.0 Multiple Response Types, Form Post Response Mode). */
  response_modes: z.array(z.enum(RESPONSE_MODES)).max(3),
  /** The URL of the client's keys, instead of `jwks`. */
  jwks_uri: Uri.nullable(),
  /** OpenID Connect Back-Channel Logout section 2.2 */
  backchannel_logout_uri: Uri.nullable(),
  backchannel_logout_session_required: z.boolean(),
}
export const RegistrationChange = z.strictObject(members).partial().meta({ id: 'ClientRegistrationChange' })
export const Registration = z
  .object({ client_id: Id, ...members, grant_types: z.array(z.string()), response_modes: z.array(z.string()), jwks: z.unknown() })
  .meta({ id: 'ClientRegistration' })
