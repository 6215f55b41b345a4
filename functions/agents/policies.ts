// What those who have a role may leave to agents of a type, at most. A policy grants nothing. Whatever was made under one ends when it becomes another.
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
import { AppError } from '#shared/kernel/errors'
import { byUser, record } from '#shared/platform/audit/record'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import type { CreatedPolicy, DeletedPolicy, NewPolicy, PolicyChange, PolicyList, PolicyOut, PolicyQuery } from './policies.schema.ts'

const MOST_LISTED = 1000
type Out = z.input<typeof PolicyOut>

const shown = (row: DelegationPolicy): Out => ({
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

const unlessTaken = async <T>(work: Promise<T>): Promise<T> => {
  try {
    return await work
  } catch (error) {
    if (isUniqueViolation(error)) throw new AppError('delegation_policy_exists', undefined, { field: 'body.role_name' }, error)
    throw error
  }
}

/** @throws AppError not_found (client), delegation_policy_exists */
export const createPolicy = (ctx: Ctx, caller: User, asked: z.output<typeof NewPolicy>): Promise<z.input<typeof CreatedPolicy>> =>
  unlessTaken(
    atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
      const [id, at] = [ctx.random.id(), ctx.clock.now()]
      const clientId = await requireClient(t, asked.client_id)
      const row = await insertDelegationPolicy(t, {
        id,
        roleName: asked.role_name,
        agentType: asked.agent_type,
        allowedPermissions: [...new Set(asked.allowed_permissions)],
        audience: [...new Set(asked.audience)],
        maxTtlSeconds: asked.max_ttl_seconds,
        enabled: asked.enabled,
        clientId,
        impersonation: asked.impersonation,
        createdBy: caller.userId,
        createdAt: at,
        updatedAt: at,
      })
      await record(t, ctx, { event: 'delegation_policy.created', actor: byUser(caller), target: target(id), after: { ...shown(row) } })
      const skipped = { status: 'skipped' as const, reason: 'A policy bounds what is delegated; it provisions and issues nothing.' }
      return { policy: shown(row), ...(clientId === null ? {} : { identity_provision: skipped, delegate_token: skipped }) }
    }),
  )

export const listPolicies = async (ctx: Ctx, caller: User, query: z.output<typeof PolicyQuery>): Promise<z.input<typeof PolicyList>> => {
  const { role_name: roleName, agent_type: agentType, enabled } = query
  const filter = {
    ...(roleName === undefined || roleName === '' ? {} : { roleName }),
    ...(agentType === undefined || agentType === '' ? {} : { agentType }),
    ...(enabled === undefined || enabled === '' ? {} : { enabled }),
  }
  return (await listDelegationPolicies(forTenant(ctx.db, caller.tenantId), filter, MOST_LISTED)).map(shown)
}

/** @throws AppError not_found */
export const readPolicy = async (ctx: Ctx, caller: User, id: string): Promise<Out> => {
  const row = await findDelegationPolicy(forTenant(ctx.db, caller.tenantId), id)
  if (row === undefined) throw missing()
  return shown(row)
}

/** @throws AppError not_found, delegation_policy_exists */
export const changePolicy = (ctx: Ctx, caller: User, id: string, asked: z.output<typeof PolicyChange>): Promise<Out> =>
  unlessTaken(
    atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
      const before = await lockDelegationPolicy(t, id)
      if (before === undefined) throw missing()
      const at = ctx.clock.now()
      const after = await updateDelegationPolicy(t, id, {
        ...(asked.role_name === undefined || asked.role_name === '' ? {} : { roleName: asked.role_name }),
        ...(asked.agent_type === undefined || asked.agent_type === '' ? {} : { agentType: asked.agent_type }),
        ...(asked.allowed_permissions === undefined ? {} : { allowedPermissions: [...new Set(asked.allowed_permissions)] }),
        ...(asked.audience === undefined ? {} : { audience: [...new Set(asked.audience)] }),
        ...(asked.max_ttl_seconds === undefined ? {} : { maxTtlSeconds: asked.max_ttl_seconds }),
        ...(asked.enabled === undefined ? {} : { enabled: asked.enabled }),
        ...(asked.client_id === undefined ? {} : { clientId: await requireClient(t, asked.client_id) }),
        ...(asked.impersonation === undefined ? {} : { impersonation: asked.impersonation }),
        updatedAt: at,
      })
      if (after === undefined) throw missing()
      await revokeDelegationsOfPolicy(t, id, at, 'policy_changed')
      const change = { before: { ...shown(before) }, after: { ...shown(after) } }
      await record(t, ctx, { event: 'delegation_policy.updated', actor: byUser(caller), target: target(id), ...change })
      return shown(after)
    }),
  )

/** @throws AppError not_found */
export const removePolicy = (ctx: Ctx, caller: User, id: string): Promise<z.input<typeof DeletedPolicy>> =>
  atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    const before = await lockDelegationPolicy(t, id)
    if (before === undefined) throw missing()
    await revokeDelegationsOfPolicy(t, id, ctx.clock.now(), 'policy_deleted')
    await deleteDelegationPolicy(t, id)
    await record(t, ctx, { event: 'delegation_policy.deleted', actor: byUser(caller), target: target(id), before: { ...shown(before) } })
    return { status: 'deleted', id }
  })
