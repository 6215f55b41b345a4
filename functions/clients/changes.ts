// Changes of a client: each in one transaction with its event. A client that may not be used any more loses its sessions and its service account at once.
import type * as z from 'zod'
import { isUniqueViolation } from '#db/engine/client'
import type { TenantId, TenantTx } from '#db/engine/tenant'
import { type ClientChange as Change, type Client, deleteClient, lockClient, updateClient } from '#db/store/clients'
import { revokeSessionsOfClient } from '#db/store/sessions'
import { raisePolicyVersion, releaseQuota } from '#db/store/tenants'
import { clientRecord, clientTag, showClient } from '#shared/domains/administration/client-view'
import type { ClientOut } from '#shared/domains/administration/clients.schema'
import { acting } from '#shared/domains/authority/acting'
import { requireRightsOverClient } from '#shared/domains/authority/rights-over'
import { AppError } from '#shared/kernel/errors'
import type { AuditEvent } from '#shared/platform/audit/events'
import { byUser, record } from '#shared/platform/audit/record'
import { preconditionOf } from '#shared/platform/http/precondition'
import type { User } from '#shared/platform/principals/principal'
import type { ClientChange, ClientStatusSet, DeletedClient, RemovedClient, SwitchedClient } from './changes.schema.ts'
import type { Ctx } from './group.ts'

/** Whose, and which. */
export type Which = { readonly tenantId: TenantId; readonly clientId: string }
type Shown = z.input<typeof ClientOut>
type State = 'Active' | 'Development' | 'Deleted'

/** @throws AppError not_found, default_client */
const changeable = async (t: TenantTx, clientId: string): Promise<Client> => {
  const row = await lockClient(t, clientId)
  if (row === undefined) throw new AppError('not_found')
  if (row.isDefault) throw new AppError('default_client')
  return row
}

type Decide = (row: Client, at: Date) => Change

/** As it was read, where `If-Match` says how. Letting a client go on gives back what it held, so it takes those rights. */
const change = (ctx: Ctx, caller: User, { tenantId, clientId }: Which, event: AuditEvent, decide: Decide): Promise<Shown> => {
  const judge = preconditionOf(ctx, 'optional')
  return acting(ctx, caller, tenantId, async (t, grants) => {
    const row = await changeable(t, clientId)
    judge(clientTag(row))
    const set = decide(row, ctx.clock.now())
    if (Object.keys(set).length === 0) return showClient(t, row)
    if (set.active === true && !row.active) await requireRightsOverClient(t, ctx, grants, row)
    const changed = await updateClient(t, clientId, set)
    if (changed === undefined) throw new AppError('not_found')
    const target = { type: 'client', id: clientId }
    await record(t, ctx, { event, actor: byUser(caller), target, before: clientRecord(row), after: clientRecord(changed) })
    return showClient(t, changed)
  })
}

/** What goes with a state. Sessions and tokens that began before it ended never come back. */
const into = (state: State, row: Client, at: Date): Change => ({
  status: state,
  active: state === 'Active',
  deletedAt: state === 'Deleted' ? (row.deletedAt ?? at) : null,
  updatedAt: at,
  ...(state === 'Active' ? {} : { validFrom: at }),
})

type Asked = z.output<typeof ClientChange>

/** The state that a body asks for. @throws AppError invalid_request where its two members disagree */
const stateOf = ({ status, active }: Asked, row: Client): State | undefined => {
  if (status !== undefined && active !== undefined && active !== (status === 'Active'))
    throw new AppError('invalid_request', 'body.active: status says otherwise', { field: 'body.active' })
  if (status !== undefined) return status
  if (active === undefined) return undefined
  return active ? 'Active' : row.status === 'Deleted' ? 'Deleted' : 'Development'
}

const asked =
  (body: Asked): Decide =>
  (row, at) => {
    const state = stateOf(body, row)
    const set: Change = {
      ...(state === undefined || state === row.status ? {} : into(state, row, at)),
      ...(body.name === undefined ? {} : { name: body.name }),
      ...(body.email === undefined ? {} : { email: body.email }),
      ...(body.tags === undefined ? {} : { tags: [...new Set(body.tags)] }),
      ...(body.hydra_client_id === undefined ? {} : { hydraClientId: body.hydra_client_id }),
      ...(body.oidc_enabled === undefined ? {} : { oidcEnabled: body.oidc_enabled }),
    }
    return Object.keys(set).length === 0 ? {} : { ...set, updatedAt: at }
  }

/** @throws AppError precondition_failed, not_found, default_client, client_exists, invalid_request, cannot_grant */
export const editClient = async (ctx: Ctx, caller: User, which: Which, body: Asked): Promise<Shown> => {
  try {
    return await change(ctx, caller, which, 'client.updated', asked(body))
  } catch (error) {
    if (isUniqueViolation(error)) throw new AppError('client_exists', undefined, { field: 'body.hydra_client_id' }, error)
    throw error
  }
}

const switched = (ctx: Ctx, caller: User, which: Which, active: boolean): Promise<Shown> =>
  change(ctx, caller, which, active ? 'client.activated' : 'client.deactivated', (row, at) => into(active ? 'Active' : 'Development', row, at))

/** @throws AppError precondition_failed, not_found, default_client, cannot_grant */
export const switchClient = async (ctx: Ctx, caller: User, which: Which, active: boolean): Promise<z.input<typeof SwitchedClient>> => ({
  client: await switched(ctx, caller, which, active),
  message: active ? 'Client activated successfully' : 'Client deactivated successfully',
})

/** @throws AppError precondition_failed, not_found, default_client, cannot_grant */
export const setStatus = async (ctx: Ctx, caller: User, which: Which, active: boolean): Promise<z.input<typeof ClientStatusSet>> => {
  const client = await switched(ctx, caller, which, active)
  return {
    message: 'Client status updated successfully',
    success: true,
    data: { tenant_id: which.tenantId, client_id: which.clientId, active, client },
    timestamp: ctx.clock.now().toISOString(),
  }
}

/** The row stays. @throws AppError precondition_failed, not_found, default_client */
export const deleteSoftly = async (ctx: Ctx, caller: User, which: Which): Promise<z.input<typeof DeletedClient>> => {
  await change(ctx, caller, which, 'client.deleted', (row, at) => {
    if (row.status === 'Deleted') throw new AppError('not_found')
    return into('Deleted', row, at)
  })
  return { message: 'Client deleted successfully', id: which.clientId, deleted: true }
}

/** Nothing of it stays: row, place in the directory, service account with its bindings, sessions. @throws AppError not_found, default_client */
export const removeClient = async (ctx: Ctx, caller: User, { tenantId, clientId }: Which): Promise<z.input<typeof RemovedClient>> => {
  await acting(ctx, caller, tenantId, async (t) => {
    const row = await changeable(t, clientId)
    const sessions = await revokeSessionsOfClient(t, clientId, ctx.clock.now(), 'client_removed')
    await deleteClient(t, clientId)
    await releaseQuota(t, 'clients')
    await raisePolicyVersion(t)
    const target = { type: 'client', id: clientId }
    await record(t, ctx, { event: 'client.removed', actor: byUser(caller), target, before: clientRecord(row), after: { sessions } })
  })
  ctx.wakeOutbox()
  return { message: 'Client removed completely', tenant_id: tenantId, client_id: clientId }
}
