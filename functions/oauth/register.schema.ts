// Wire shapes of dynamic registration (RFC 7591) and its management (RFC 7592).
import * as z from 'zod'
import { ClientMetadata } from '#shared/domains/oauth/client-metadata.schema'

export const RegisterBody = ClientMetadata.extend({
  /** The resource server that the client will request; it determines the company. */
  resource: z.string().max(2000).optional(),
}).meta({ id: 'ClientRegistrationRequest' })
/** An update contains all metadata again (RFC 7592 section 2.2). */
export const UpdateBody = ClientMetadata.extend({
  client_id: z.string().max(2000),
  client_secret: z.string().max(512).optional(),
}).meta({ id: 'ClientUpdateRequest' })
export const RegisteredPath = z.object({ client_id: z.uuid() })

const Uris = z.array(z.string())
export const RegisteredClient = z
  .object({
    client_id: z.string(),
    client_secret: z.string().optional(),
    client_secret_expires_at: z.int().optional(),
    client_id_issued_at: z.int(),
    registration_access_token: z.string().optional(),
    registration_client_uri: z.string(),
    client_name: z.string(),
    client_uri: z.string().optional(),
    redirect_uris: Uris,
    grant_types: z.array(z.string()),
    response_types: z.array(z.string()),
    response_modes: z.array(z.string()).optional(),
    token_endpoint_auth_method: z.string(),
    scope: z.string().optional(),
    resource: z.string().optional(),
    jwks: z.unknown().optional(),
    jwks_uri: z.string().optional(),
    post_logout_redirect_uris: Uris,
    backchannel_logout_uri: z.string().optional(),
    backchannel_logout_session_required: z.boolean(),
    dpop_bound_access_tokens: z.boolean(),
    require_pushed_authorization_requests: z.boolean(),
    software_id: z.string().optional(),
    software_version: z.string().optional(),
    client_kind: z.string().optional(),
    /** New redirect URIs are valid only after an administrator has approved them. */
    redirect_review_pending: z.boolean().optional(),
  })
  .meta({ id: 'RegisteredClient' })

/** The id of the request, or the opaque id that its client received. */
export const AccessRequestPath = z.object({ id: z.union([z.uuid(), z.string().regex(/^[0-9a-f-]{36}\.[0-9a-f-]{36}$/)]) })
export const AccessRequestState = z
  .object({
    id: z.string(),
    status: z.enum(['pending', 'approved', 'denied', 'expired']),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
    expires_at: z.iso.datetime().optional(),
  })
  .meta({ id: 'AccessRequest' })
