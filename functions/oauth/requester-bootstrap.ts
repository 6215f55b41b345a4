// A client's access to the resource servers of its tenant: which it may request, and which requests are pending.
import type * as z from 'zod'
import { forTenant, SYSTEM_TENANT, type TenantId } from '#db/engine/tenant'
import type { OauthClient } from '#db/store/oauth-clients'
import { findRequestableServers, type RequestableServer } from '#db/store/resource-servers'
import { accessRequestHandle } from './access-request-handle.ts'
import { authenticateClient } from './client-authentication.ts'
import type { Ctx } from './group.ts'
import type { Bootstrap, BootstrapForm } from './requester-bootstrap.schema.ts'
import { mayRequest } from './scopes.ts'

type Answer = z.input<typeof Bootstrap>
type Target = Answer['targets'][number]
type AccessState = Pick<Target, 'registration_status' | 'access_status'>

const MAX_TARGETS = 200
const ACCESS_STATES = {
  granted: { registration_status: 'approved', access_status: 'granted' },
  pending: { registration_status: 'pending_approval', access_status: 'pending' },
  denied: { registration_status: 'revoked', access_status: 'denied' },
  none: { registration_status: 'none', access_status: 'none' },
} as const satisfies Readonly<Record<string, AccessState>>

/** The registration modes that give a client access to a server without a registration there. */
const MODES: Readonly<Record<OauthClient['registeredBy'], string | undefined>> = { administrator: undefined, dynamic: 'dcr', metadata: 'cimd' }

const isOpen = ({ registeredBy }: OauthClient, server: RequestableServer): boolean => {
  const mode = MODES[registeredBy]
  return mode === undefined ? server.openToClients : server.registrationModes.includes(mode)
}

const accessStateOf = (client: OauthClient, server: RequestableServer, now: Date): keyof typeof ACCESS_STATES => {
  if (server.registered) return 'granted'
  if (server.request?.status === 'denied') return 'denied'
  if (isOpen(client, server)) return 'granted'
  return server.request?.status === 'pending' && server.request.expiresAt > now ? 'pending' : 'none'
}

const kindOf = ({ agent, isPublic }: OauthClient): Answer['client']['client_kind'] => {
  if (agent !== undefined) return 'agent'
  return isPublic ? 'human_app' : 'm2m'
}

const accessStates = async (ctx: Ctx, client: OauthClient, tenantId: TenantId, resource: string | undefined) => {
  const servers = await findRequestableServers(forTenant(ctx.db, tenantId), client.clientId, resource, MAX_TARGETS)
  return servers
    .map((server) => ({ server, access: accessStateOf(client, server, ctx.clock.now()) }))
    .filter(({ access }) => access !== 'none' || resource !== undefined)
}

/** Read-only: a request for access begins with the request for a token. @throws AppError client_authentication_failed, invalid_request, quota_exceeded */
export const readBootstrap = async (ctx: Ctx, { resource, scope: _, ...form }: z.output<typeof BootstrapForm>): Promise<Answer> => {
  const client = await authenticateClient(ctx, form)
  const { tenantId } = client
  // A self-registered client without a tenant has no access yet. A public client is not authenticated, so it gets no list.
  const isWithoutTenant = tenantId === SYSTEM_TENANT && client.registeredBy !== 'administrator'
  const found = isWithoutTenant || (client.isPublic && resource === undefined) ? [] : await accessStates(ctx, client, tenantId, resource)
  return {
    client: { client_id: client.publicId, client_kind: kindOf(client), home_tenant_id: tenantId },
    issuer: ctx.config.BASE_URL,
    as_metadata_url: `${ctx.config.BASE_URL}/.well-known/oauth-authorization-server`,
    metadata_version: '1',
    targets: found.map(({ server, access }) => ({
      resource_server_id: server.id,
      resource: server.resource,
      tenant_id: tenantId,
      relationship: 'same_workspace',
      recommended_flow: 'direct',
      ...ACCESS_STATES[access],
      scopes_supported: server.scopes.filter((name) => mayRequest(client, name)),
    })),
    pending: found.flatMap(({ server: { id, request }, access }) =>
      access !== 'pending' || request === null
        ? []
        : [
            {
              request_id: accessRequestHandle(tenantId, request.id),
              resource_server_id: id,
              status: 'pending' as const,
              expires_at: request.expiresAt.toISOString(),
            },
          ],
    ),
  }
}
