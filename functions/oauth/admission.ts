// How a client that registered itself becomes a client of a company: through the resource it requests, where company and resource server accept such clients.

import { atomically, forTenant, inOtherTenant, SYSTEM_TENANT, type TenantId, type TenantTx } from '#db/engine/tenant'
import type { OauthClient } from '#db/store/oauth-clients'
import { markClientUsed, moveUnusedClient, putAccessRequest } from '#db/store/registered-clients'
import { findServerByIdentifier, registerClient } from '#db/store/resource-servers'
import { findTenant, useQuota } from '#db/store/tenants'
import { quotaOf } from '#shared/domains/tenancy/quotas'
import { secondsAfter } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import { byClient, recordEvent } from '#shared/platform/audit/audit-log'
import { accessRequestHandle } from './access-request-handle.ts'
import { authenticateClient, type ClientForm, findClientById } from './client-authentication.ts'
import type { Ctx } from './group.ts'
import { acceptsSelfRegistered, allowsOpenRegistration } from './open-registration.ts'
import { tenantOfResource } from './resource-tenant.ts'

const WAITING_SECONDS = 30 * 24 * 3600

/**
 * Moves a client that belongs to no company to the company of the first resource that it requests. Any other client stays as it is. Returns `several` where
 * only the person's company could decide which one.
 * Routes that call this emit `client.registered`.
 */
export const adoptClient = async (
  ctx: Ctx,
  client: OauthClient,
  resource: string | undefined,
  person?: TenantId,
): Promise<OauthClient | 'several' | undefined> => {
  if (client.tenantId !== SYSTEM_TENANT || client.registeredBy !== 'dynamic' || resource === undefined) return client
  const tenantId = await tenantOfResource(ctx, resource, person)
  if (tenantId === 'several') return 'several'
  const server = tenantId === undefined ? undefined : await findServerByIdentifier(forTenant(ctx.db, tenantId), resource)
  if (tenantId === undefined || !acceptsSelfRegistered(server, 'dcr') || !(await allowsOpenRegistration(ctx, tenantId))) return client
  await atomically(forTenant(ctx.db, SYSTEM_TENANT), async (t) => {
    const moved = await moveUnusedClient(t, client.clientId, tenantId)
    if (moved === undefined) return
    const event = {
      event: 'client.registered',
      actor: byClient(moved.id),
      target: { type: 'client', id: moved.id },
      after: { name: moved.name },
    } as const
    await inOtherTenant(t, tenantId, (own) => recordEvent(own, ctx, event))
  })
  return findClientById(ctx, client.publicId, resource, tenantId)
}

/** Whether the client registered itself and belongs to no company yet. */
export const isUnadopted = ({ tenantId, registeredBy }: OauthClient): boolean => tenantId === SYSTEM_TENANT && registeredBy !== 'administrator'

/** Why a client that registered itself is not adopted through that resource. Only for the log and for developers, because it discloses what exists. */
export const whyUnadopted = async (ctx: Ctx, resource: string | undefined): Promise<string> => {
  if (resource === undefined) return 'resource is missing: a client that registered itself names the resource server that it requests (RFC 8707).'
  if ((await tenantOfResource(ctx, resource)) === undefined) return 'resource is not registered here.'
  return 'The resource accepts only clients that an administrator registered.'
}

/** Authenticates the calling client and moves it to its company. @throws AppError invalid_request, client_authentication_failed, quota_exceeded, rate_limited */
export const authenticateAdoptedClient = async (ctx: Ctx, form: ClientForm): Promise<OauthClient> => {
  const isByAddress = /^https?:/.test(form.client_id ?? '') && form.resource !== undefined
  const { registerMetadataClient } = isByAddress ? await import('./metadata-document.ts') : {}
  const tenantId = await registerMetadataClient?.(ctx, form.client_id ?? '', form.resource)
  if (tenantId === 'several') throw new AppError('invalid_target', 'Several companies have this resource on the loopback interface.')
  const client = await authenticateClient(ctx, form, tenantId)
  const adopted = await adoptClient(ctx, client, form.resource)
  const inCompany = adopted === undefined || adopted === 'several' ? client : adopted
  if (isUnadopted(inCompany))
    throw new AppError('invalid_target', 'resource is missing, or names no resource server that this client may request (RFC 8707).')
  return inCompany
}

/**
 * After a person authorized a client that registered itself, it counts as one of the company's clients and is registered at the resource server.
 * `at` is the time of the authorization. @throws AppError quota_exceeded
 */
export const admitClient = async (t: TenantTx, client: OauthClient, resourceServerId: string | null, at: Date): Promise<void> => {
  if (client.registeredBy === 'administrator') return
  if (client.isUnused && (await markClientUsed(t, client.clientId))) {
    const settings = (await findTenant(t))?.settings ?? {}
    if (!(await useQuota(t, 'clients', quotaOf(settings, 'clients')))) throw new AppError('quota_exceeded')
  }
  if (resourceServerId !== null) await registerClient(t, resourceServerId, client.clientId, at)
}

/**
 * A client that registered itself requests a resource server of its company that does not accept such clients: an administrator may approve it. Returns the
 * error that says so, or the given error where there is nothing to request. Routes that call this emit `resource_access.requested`.
 */
const pendingAccess = async (ctx: Ctx, client: OauthClient, resource: string | undefined, error: AppError): Promise<AppError> => {
  if (client.registeredBy === 'administrator' || error.code !== 'invalid_target' || resource === undefined) return error
  const t = forTenant(ctx.db, client.tenantId)
  const server = await findServerByIdentifier(t, resource)
  if (!server?.active) return error
  const at = ctx.clock.now()
  const request = await atomically(t, async (tx) => {
    const which = { resourceServerId: server.id, clientId: client.clientId }
    const put = await putAccessRequest(tx, { id: ctx.random.id(), ...which, at, expiresAt: secondsAfter(at, WAITING_SECONDS) })
    const target = { type: 'resource_server', id: server.id }
    const after = { client_id: client.clientId, request_id: put.id }
    if (put.isNew) await recordEvent(tx, ctx, { event: 'resource_access.requested', actor: byClient(client.clientId), target, after })
    return put
  })
  if (request.status === 'denied') return new AppError('authorization_denied', 'An administrator denied the request.')
  const request_id = accessRequestHandle(client.tenantId, request.id)
  return new AppError('access_pending', undefined, {
    extra: { request_id, status_url: `${ctx.config.BASE_URL}/oauth/access-requests/${request_id}` },
  })
}

/**
 * Runs `work`; where an administrator has to approve the client first, reports that instead of `invalid_target`.
 * @throws AppError what `work` throws, access_pending, authorization_denied
 */
export const validatedOrPending = async <T>(ctx: Ctx, client: OauthClient, resource: string | undefined, work: () => T | Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    throw error instanceof AppError ? await pendingAccess(ctx, client, resource, error) : error
  }
}
