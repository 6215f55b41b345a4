// Changes of a client, each in one transaction with its event. A deactivated client loses its sessions and its service account at once.
import type * as z from 'zod'
import { isUniqueViolation } from '#db/engine/client'
import type { TenantId, TenantTx } from '#db/engine/tenant'
import { type ClientChange as Change, type Client, deleteClient, lockClient, updateClient } from '#db/store/clients'
import { revokeSessionsOfClient } from '#db/store/sessions'
import { releaseQuota } from '#db/store/tenants'
import { clientSnapshot, clientTag, toClientResponse } from '#shared/domains/administration/client-view'
import type { ClientOut } from '#shared/domains/administration/clients.schema'
import { actInTenant } from '#shared/domains/authority/acting-tenant'
import { requireRightsOverClient } from '#shared/domains/authority/rights-over'
import { AppError } from '#shared/kernel/errors'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import type { AuditEvent } from '#shared/platform/audit/events'
import { preconditionOf } from '#shared/platform/http/precondition'
import type { User } from '#shared/platform/principals/principal'
import type { ClientChange, ClientStatusSet, DeletedClient, RemovedClient, SwitchedClient } from './changes.schema.ts'
import type { Ctx } from './group.ts'

export type ClientSelector = { readonly tenantId: TenantId; readonly clientId: string }
type ResponseBody = z.input<typeof ClientOut>
type State = 'Active' | 'Development' | 'Deleted'

/** @throws AppError not_found, default_client */
const lockChangeable = async (t: TenantTx, clientId: string): Promise<Client> => {
  const row = await lockClient(t, clientId)
  if (row === undefined) throw new AppError('not_found')
  if (row.isDefault) throw new AppError('default_client')
  return row
}

type Decide = (row: Client, at: Date) => Change

/** Honours `If-Match`. Activating a client gives its permissions back, so the caller needs them. */
const change = (ctx: Ctx, caller: User, { tenantId, clientId }: ClientSelector, event: AuditEvent, decide: Decide): Promise<ResponseBody> => {
  const requirePrecondition = preconditionOf(ctx, 'optional')
  return actInTenant(ctx, caller, tenantId, async (t, grantable) => {
    const row = await lockChangeable(t, clientId)
    requirePrecondition(clientTag(row))
    const set = decide(row, ctx.clock.now())
    if (Object.keys(set).length === 0) return toClientResponse(t, row)
    if (set.active === true && !row.active) await requireRightsOverClient(t, ctx, grantable, row)
    const changed = await updateClient(t, clientId, set)
    if (changed === undefined) throw new AppError('not_found')
    const target = { type: 'client', id: clientId }
    await recordEvent(t, ctx, { event, actor: byUser(caller), target, before: clientSnapshot(row), after: clientSnapshot(changed) })
    return toClientResponse(t, changed)
  })
}

/** The change to a state. Sessions and tokens from before a deactivation stay invalid. */
const stateChange = (state: State, row: Client, at: Date): Change => ({
  status: state,
  active: state === 'Active',
  deletedAt: state === 'Deleted' ? (row.deletedAt ?? at) : null,
  updatedAt: at,
  ...(state === 'Active' ? {} : { validFrom: at }),
})

type Input = z.output<typeof ClientChange>

/** The requested state. @throws AppError invalid_request when `status` and `active` disagree */
const stateOf = ({ status, active }: Input, row: Client): State | undefined => {
  if (status !== undefined && active !== undefined && active !== (status === 'Active'))
    throw new AppError('invalid_request', 'body.active: contradicts status', { field: 'body.active' })
  if (status !== undefined) return status
  if (active === undefined) return undefined
  return active ? 'Active' : row.status === 'Deleted' ? 'Deleted' : 'Development'
}

const changeOf =
  (body: Input): Decide =>
  (row, at) => {
    const state = stateOf(body, row)
    const set: Change = {
      ...(state === undefined || state === row.status ? {} : stateChange(state, row, at)),
      ...(body.name === undefined ? {} : { name: body.name }),
      ...(body.email === undefined ? {} : { email: body.email }),
      ...(body.tags === undefined ? {} : { tags: [...new Set(body.tags)] }),
      ...(body.hydra_client_id === undefined ? {} : { hydraClientId: body.hydra_client_id }),
      ...(body.oidc_enabled === undefined ? {} : { oidcEnabled: body.oidc_enabled }),
    }
    return Object.keys(set).length === 0 ? {} : { ...set, updatedAt: at }
  }

/** @throws AppError precondition_failed, not_found, default_client, client_exists, invalid_request, cannot_grant */
export const editClient = async (ctx: Ctx, caller: User, which: ClientSelector, body: Input): Promise<ResponseBody> => {
  try {
    return await change(ctx, caller, which, 'client.updated', changeOf(body))
  } catch (error) {
    if (isUniqueViolation(error)) throw new AppError('client_exists', undefined, { field: 'body.hydra_client_id' }, error)
    throw error
  }
}

const setActive = (ctx: Ctx, caller: User, which: ClientSelector, active: boolean): Promise<ResponseBody> =>
  change(ctx, caller, which, active ? 'client.activated' : 'client.deactivated', (row, at) => stateChange(active ? 'Active' : 'Development', row, at))

/** @throws AppError precondition_failed, not_found, default_client, cannot_grant */
export const switchClient = async (ctx: Ctx, caller: User, which: ClientSelector, active: boolean): Promise<z.input<typeof SwitchedClient>> => ({
  client: await setActive(ctx, caller, which, active),
  message: active ? 'Client activated successfully' : 'Client deactivated successfully',
})

/** @throws AppError precondition_failed, not_found, default_client, cannot_grant */
export const changeClientStatus = async (
  ctx: Ctx,
  caller: User,
  which: ClientSelector,
  active: boolean,
): Promise<z.input<typeof ClientStatusSet>> => {
  const client = await setActive(ctx, caller, which, active)
  return {
    message: 'Client status updated successfully',
    success: true,
    data: { tenant_id: which.tenantId, client_id: which.clientId, active, client },
    timestamp: ctx.clock.now().toISOString(),
  }
}

/** Deletes a client and keeps its row. @throws AppError precondition_failed, not_found, default_client */
export const deleteSoftly = async (ctx: Ctx, caller: User, which: ClientSelector): Promise<z.input<typeof DeletedClient>> => {
  await change(ctx, caller, which, 'client.deleted', (row, at) => {
    if (row.status === 'Deleted') throw new AppError('not_found')
    return stateChange('Deleted', row, at)
  })
  return { message: 'Client deleted successfully', id: which.clientId, deleted: true }
}

/** Removes the client with its directory entry, service account, bindings and sessions. @throws AppError not_found, default_client */
export const removeClient = async (ctx: Ctx, caller: User, { tenantId, clientId }: ClientSelector): Promise<z.input<typeof RemovedClient>> => {
  await actInTenant(ctx, caller, tenantId, async (t) => {
    const row = await lockChangeable(t, clientId)
    const sessions = await revokeSessionsOfClient(t, clientId, ctx.clock.now(), 'client_removed')
    await deleteClient(t, clientId)
    await releaseQuota(t, 'clients')
    const target = { type: 'client', id: clientId }
    await recordEvent(t, ctx, { event: 'client.removed', actor: byUser(caller), target, before: clientSnapshot(row), after: { sessions } })
  })
  ctx.wakeOutbox()
  return { message: 'Client removed completely', tenant_id: tenantId, client_id: clientId }
}
