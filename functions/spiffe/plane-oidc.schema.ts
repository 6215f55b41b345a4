// Wire shapes of the token endpoints of AuthSec's identity plane (/authsec/spire/oidc).
import * as z from 'zod'

const token = z.string().min(1).max(16_384)
const scope = z.string().max(1000).optional()

/** RFC 8693. The members are checked by the rule, because each failure has its own error name. */
export const PlaneTokenRequest = z
  .object({
    grant_type: z.string().max(200).optional(),
    subject_token: token.optional(),
    subject_token_type: z.string().max(200).optional(),
    audience: z.string().max(400).optional(),
    scope,
  })
  .meta({ id: 'PlaneTokenRequest' })
export const PlaneTokenResponse = z
  .object({
    access_token: z.string(),
    issued_token_type: z.string(),
    token_type: z.literal('Bearer'),
    expires_in: z.int(),
    scope: z.string().optional(),
  })
  .meta({ id: 'PlaneTokenResponse' })

export const PlaneTokenForm = z.object({ token, token_type_hint: z.string().max(100).optional() }).meta({ id: 'PlaneTokenForm' })
export const PlaneIntrospection = z
  .object({
    active: z.boolean(),
    sub: z.string().optional(),
    iss: z.string().optional(),
    aud: z.array(z.string()).optional(),
    exp: z.int().optional(),
    iat: z.int().optional(),
    jti: z.string().optional(),
    spiffe_id: z.string().optional(),
  })
  .meta({ id: 'PlaneIntrospection' })
export const PlaneRevoked = z.object({}).meta({ id: 'PlaneRevoked' })
export const JwtSvidQuery = z.object({ audience: z.string().min(1).max(400) })

export const PlaneDiscovery = z
  .object({
    issuer: z.url(),
    token_endpoint: z.url(),
    jwks_uri: z.url(),
    introspection_endpoint: z.url(),
    revocation_endpoint: z.url(),
    response_types_supported: z.array(z.string()),
    subject_types_supported: z.array(z.string()),
    id_token_signing_alg_values_supported: z.array(z.string()),
    scopes_supported: z.array(z.string()),
    token_endpoint_auth_methods_supported: z.array(z.string()),
    introspection_endpoint_auth_methods_supported: z.array(z.string()),
    revocation_endpoint_auth_methods_supported: z.array(z.string()),
    claims_supported: z.array(z.string()),
    grant_types_supported: z.array(z.string()),
  })
  .meta({ id: 'PlaneDiscovery' })
export const PlaneJwks = z.object({ keys: z.array(z.record(z.string(), z.unknown())) }).meta({ id: 'PlaneJwks' })
