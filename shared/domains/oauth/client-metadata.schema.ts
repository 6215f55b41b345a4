// Wire shapes of client metadata (RFC 7591 section 2).
import * as z from 'zod'
import { Jwks, PublicKey } from './jwks.schema.ts'

/** As published by the client; unknown members are ignored (RFC 7517 section 5). */
export const PublishedJwks = z.object({ keys: z.array(PublicKey).min(1).max(50) })

const Uri = z.string().max(2000)
/** Metadata that the client states about itself. Unknown members are ignored (section 2). */
export const ClientMetadata = z.object({
  client_name: z.string().max(500).optional(),
  client_uri: Uri.optional(),
  redirect_uris: z.array(Uri).max(20).optional(),
  grant_types: z.array(z.string().max(200)).max(20).optional(),
  response_types: z.array(z.string().max(200)).max(20).optional(),
  response_modes: z.array(z.string().max(100)).max(20).optional(),
  token_endpoint_auth_method: z.string().max(100).optional(),
  scope: z.string().max(4000).optional(),
  jwks: Jwks.optional(),
  jwks_uri: Uri.optional(),
  application_type: z.enum(['web', 'native']).optional(),
  post_logout_redirect_uris: z.array(Uri).max(20).optional(),
  backchannel_logout_uri: Uri.optional(),
  backchannel_logout_session_required: z.boolean().optional(),
  dpop_bound_access_tokens: z.boolean().optional(),
  require_pushed_authorization_requests: z.boolean().optional(),
  software_id: z.string().max(200).optional(),
  software_version: z.string().max(200).optional(),
  client_kind: z.enum(['agent', 'm2m', 'cli', 'human_app']).optional(),
})
