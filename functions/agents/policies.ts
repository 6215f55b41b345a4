// Delegation policies: what people with a role may delegate to agents of a type. A policy grants nothing. Delegations under a policy end when it changes.
import type * as z from 'zod'
import { isUniqueViolation } from '#db/engine/client'
import { atomically, forTenant, type TenantTx } from '#db/engine/tenant'
import {
  type DelegationPolicy,
  deleteDelegationPolicy,
  findDelegationPolicy,
  insertDelegationPolicy,
  listDelegationPolicies,
  lockDelegationPolicy,
  updateDelegationPolicy,
} from '#db/store/agents'
import { findClient } from '#db/store/clients'
import { revokeDelegationsOfPolicy } from '#db/store/oauth-delegations'
import { findRoleByName } from '#db/store/roles'
import { AppError } from '#shared/kernel/errors'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import type { CreatedPolicy, DeletedPolicy, NewAgentPolicy, PolicyChange, PolicyList, PolicyOut, PolicyQuery } from './policies.schema.ts'

const MAX_LISTED = 1000
type Out = z.input<typeof PolicyOut>

const toResponse = (row: DelegationPolicy): Out => ({
  id: row.id,
  tenant_id: row.tenantId,
  role_name: row.roleName,
  agent_type: row.agentType,
  allowed_permissions: row.allowedPermissions,
  max_ttl_seconds: row.maxTtlSeconds,
  enabled: row.enabled,
  ...(row.clientId === null ? {} : { client_id: row.clientId }),
  audience: row.audience,
  impersonation: row.impersonation,
  created_by: row.createdBy ?? '',
  created_at: row.createdAt.toISOString(),
  updated_at: row.updatedAt.toISOString(),
})
const target = (id: string) => ({ type: 'delegation_policy', id })
const missing = (): AppError => new AppError('not_found', 'Delegation policy not found')

/** @throws AppError not_found */
const requireClient = async (t: TenantTx, clientId: string | undefined): Promise<string | null> => {
  if (clientId === undefined || clientId === '') return null
  const row = await findClient(t, clientId)
  if (row === undefined || row.status === 'Deleted') throw new AppError('not_found', 'Client not found', { field: 'body.client_id' })
  return clientId
}

/** A policy for a role that does not exist would apply to the role that is later created with its name. @throws AppError not_found */
const requireRole = async (t: TenantTx, name: string): Promise<string> => {
  if ((await findRoleByName(t, name)) === undefined) throw new AppError('not_found', 'Role not found', { field: 'body.role_name' })
  return name
}

const rejectDuplicate = async <T>(work: Promise<T>): Promise<T> => {
  try {
    return await work
  } catch (error) {
    if (isUniqueViolation(error)) throw new AppError('delegation_policy_exists', undefined, { field: 'body.role_name' }, error)
    throw error
  }
}

/** @throws AppError not_found (role, client), delegation_policy_exists */
export const createDelegationPolicy = (ctx: Ctx, caller: User, request: z.output<typeof NewAgentPolicy>): Promise<z.input<typeof CreatedPolicy>> =>
  rejectDuplicate(
    atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
      const [id, at] = [ctx.random.id(), ctx.clock.now()]
      const clientId = await requireClient(t, request.client_id)
      const row = await insertDelegationPolicy(t, {
        id,
        roleName: await requireRole(t, request.role_name),
        agentType: request.agent_type,
        allowedPermissions: [...new Set(request.allowed_permissions)],
        audience: [...new Set(request.audience)],
        maxTtlSeconds: request.max_ttl_seconds,
        enabled: request.enabled,
        clientId,
        impersonation: request.impersonation,
        createdBy: caller.userId,
        createdAt: at,
        updatedAt: at,
      })
      await recordEvent(t, ctx, { event: 'delegation_policy.created', actor: byUser(caller), target: target(id), after: { ...toResponse(row) } })
      const skipped = { status: 'skipped' as const, reason: 'A policy limits what is delegated; it provisions and issues nothing.' }
      return { policy: toResponse(row), ...(clientId === null ? {} : { identity_provision: skipped, delegate_token: skipped }) }
    }),
  )

export const showDelegationPolicies = async (ctx: Ctx, caller: User, query: z.output<typeof PolicyQuery>): Promise<z.input<typeof PolicyList>> => {
  const { role_name: roleName, agent_type: agentType, enabled } = query
  const filter = {
    ...(roleName === undefined || roleName === '' ? {} : { roleName }),
    ...(agentType === undefined || agentType === '' ? {} : { agentType }),
    ...(enabled === undefined || enabled === '' ? {} : { enabled }),
  }
  return (await listDelegationPolicies(forTenant(ctx.db, caller.tenantId), filter, MAX_LISTED)).map(toResponse)
}

/** @throws AppError not_found */
export const readDelegationPolicy = async (ctx: Ctx, caller: User, id: string): Promise<Out> => {
  const row = await findDelegationPolicy(forTenant(ctx.db, caller.tenantId), id)
  if (row === undefined) throw missing()
  return toResponse(row)
}

/** @throws AppError not_found, delegation_policy_exists */
export const changeDelegationPolicy = (ctx: Ctx, caller: User, id: string, request: z.output<typeof PolicyChange>): Promise<Out> =>
  rejectDuplicate(
    atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
      const before = await lockDelegationPolicy(t, id)
      if (before === undefined) throw missing()
      const at = ctx.clock.now()
      const after = await updateDelegationPolicy(t, id, {
        ...(request.role_name === undefined || request.role_name === '' ? {} : { roleName: await requireRole(t, request.role_name) }),
        ...(request.agent_type === undefined || request.agent_type === '' ? {} : { agentType: request.agent_type }),
        ...(request.allowed_permissions === undefined ? {} : { allowedPermissions: [...new Set(request.allowed_permissions)] }),
        ...(request.audience === undefined ? {} : { audience: [...new Set(request.audience)] }),
        ...(request.max_ttl_seconds === undefined ? {} : { maxTtlSeconds: request.max_ttl_seconds }),
        ...(request.enabled === undefined ? {} : { enabled: request.enabled }),
        ...(request.client_id === undefined ? {} : { clientId: await requireClient(t, request.client_id) }),
        ...(request.impersonation === undefined ? {} : { impersonation: request.impersonation }),
        updatedAt: at,
      })
      if (after === undefined) throw missing()
      await revokeDelegationsOfPolicy(t, id, at, 'policy_changed')
      const change = { before: { ...toResponse(before) }, after: { ...toResponse(after) } }
      await recordEvent(t, ctx, { event: 'delegation_policy.updated', actor: byUser(caller), target: target(id), ...change })
      return toResponse(after)
    }),
  )

/** @throws AppError not_found */
export const removeDelegationPolicy = (ctx: Ctx, caller: User, id: string): Promise<z.input<typeof DeletedPolicy>> =>
  atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    const before = await lockDelegationPolicy(t, id)
    if (before === undefined) throw missing()
    await revokeDelegationsOfPolicy(t, id, ctx.clock.now(), 'policy_deleted')
    await deleteDelegationPolicy(t, id)
    await recordEvent(t, ctx, { event: 'delegation_policy.deleted', actor: byUser(caller), target: target(id), before: { ...toResponse(before) } })
    return { status: 'deleted', id }
  })
