// Wire shapes of `requester-bootstrap`, by which AuthSec's SDKs decide how an agent gets a token.
import * as z from 'zod'
import { canonicalResource } from './scopes.ts'
import { clientMembers, given } from './token.schema.ts'

export const BootstrapForm = z
  .object({ ...clientMembers, resource: given(2048, canonicalResource), scope: given(4096) })
  .meta({ id: 'RequesterBootstrapRequest' })
export const Bootstrap = z
  .object({
    client: z.object({ client_id: z.string(), client_kind: z.enum(['agent', 'm2m', 'human_app']), home_tenant_id: z.string() }),
    issuer: z.string(),
    as_metadata_url: z.string(),
    metadata_version: z.literal('1'),
    targets: z.array(
      z.object({
        resource_server_id: z.string(),
        resource: z.string(),
        tenant_id: z.string(),
        /** Compatibility name: client and resource server belong to one tenant, and others are not listed. */
        relationship: z.literal('same_workspace'),
        recommended_flow: z.literal('direct'),
        registration_status: z.enum(['approved', 'pending_approval', 'revoked', 'none']),
        access_status: z.enum(['granted', 'pending', 'denied', 'none']),
        scopes_supported: z.array(z.string()),
      }),
    ),
    pending: z.array(
      z.object({
        /** The opaque id by which the state of the request is polled. */
        request_id: z.string(),
        resource_server_id: z.string(),
        status: z.literal('pending'),
        expires_at: z.iso.datetime(),
      }),
    ),
  })
  .meta({ id: 'RequesterBootstrap' })
