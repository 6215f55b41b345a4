// The scopes of a resource server, one at a time.
import type * as z from 'zod'
import { forTenant, type TenantDb, type TenantTx } from '#db/engine/tenant'
import { findPermissionsById, findPermissionsByText, type NamedPermission } from '#db/store/permissions'
import {
  findRegisteredScope,
  findResourceServer,
  insertServerScope,
  listRegisteredScopes,
  putServerScopes,
  type RegisteredScope,
  updateServerScope,
} from '#db/store/resource-servers'
import { actAsGrantor, type GrantorPermissions } from '#shared/domains/authority/access-change'
import { AppError } from '#shared/kernel/errors'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import type { NewServerScope, ServerScope, ServerScopeChange, ServerScopes } from './scopes.schema.ts'
import { requireStillBound } from './servers.ts'

const MOST_SCOPES = 200

const named = ({ resource, action }: NamedPermission): string => `${resource}:${action}`

const toResponses = async (t: TenantDb, rows: readonly RegisteredScope[]): Promise<z.input<typeof ServerScopes>> => {
  const permissions = await findPermissionsByText(
    t,
    rows.flatMap(({ permission }) => permission ?? []),
  )
  return rows.map((row) => ({
    id: row.id,
    tenant_id: row.tenantId,
    resource_server_id: row.resourceServerId,
    scope_string: row.name,
    display_name: row.displayName || row.name,
    description: row.description,
    risk_level: row.riskLevel,
    is_auto_discovered: false,
    source: 'manual',
    permissions: permissions.filter((one) => named(one) === row.permission).map(({ id, resource, action }) => ({ id, resource, action })),
  }))
}
const toResponse = async (t: TenantDb, row: RegisteredScope): Promise<z.input<typeof ServerScope>> => {
  const [out] = await toResponses(t, [row])
  if (out === undefined) throw new AppError('internal')
  return out
}

/** The permission in the list; undefined without a list, so that a scope keeps its permission. @throws AppError invalid_request */
const permissionIn = async (t: TenantTx, ids: readonly string[] | undefined): Promise<string | null | undefined> => {
  if (ids === undefined) return undefined
  const [id] = ids
  if (id === undefined) return null
  const [found] = await findPermissionsById(t, [id])
  if (found === undefined)
    throw new AppError('invalid_request', 'body.permission_ids.0: the permission does not exist', { field: 'body.permission_ids.0' })
  return named(found)
}

/** @throws AppError not_found */
export const listScopes = async (ctx: Ctx, caller: User, id: string): Promise<z.input<typeof ServerScopes>> => {
  const t = forTenant(ctx.db, caller.tenantId)
  if ((await findResourceServer(t, id)) === undefined) throw new AppError('not_found')
  return toResponses(t, await listRegisteredScopes(t, id))
}

const audited = (rows: readonly RegisteredScope[]) => ({
  scopes: rows.map(({ name, description, permission }) => ({ name, description, permission })),
})

/** Runs a change of a server's scopes and records it. */
const changeScopes = async <T>(
  t: TenantTx,
  ctx: Ctx,
  caller: User,
  serverId: string,
  work: (before: readonly RegisteredScope[]) => Promise<T>,
): Promise<T> => {
  const before = await listRegisteredScopes(t, serverId)
  const done = await work(before)
  await recordEvent(t, ctx, {
    event: 'resource_server.updated',
    actor: byUser(caller),
    target: { type: 'resource_server', id: serverId },
    before: audited(before),
    after: audited(await listRegisteredScopes(t, serverId)),
  })
  return done
}

/** @throws AppError not_found, invalid_request, scope_exists, conflict */
export const createScope = (ctx: Ctx, caller: User, id: string, request: z.output<typeof NewServerScope>): Promise<z.input<typeof ServerScope>> =>
  actAsGrantor(ctx, caller, async (t) => {
    if ((await findResourceServer(t, id)) === undefined) throw new AppError('not_found')
    const permission = (await permissionIn(t, request.permission_ids)) ?? null
    return changeScopes(t, ctx, caller, id, async (before) => {
      if (before.length >= MOST_SCOPES) throw new AppError('conflict', 'The server has too many scopes.')
      const text = { name: request.scope_string, description: request.description ?? '', permission }
      const display = { displayName: request.display_name, riskLevel: request.risk_level ?? ('low' as const) }
      const scopeId = ctx.random.id()
      if (!(await insertServerScope(t, { id: scopeId, resourceServerId: id, ...text, ...display }))) throw new AppError('scope_exists')
      const row = await findRegisteredScope(t, scopeId)
      if (row === undefined) throw new AppError('internal')
      return toResponse(t, row)
    })
  })

const lockedScope = (
  ctx: Ctx,
  caller: User,
  scopeId: string,
  work: (t: TenantTx, row: RegisteredScope, grantable: GrantorPermissions) => Promise<z.input<typeof ServerScope> | undefined>,
) =>
  actAsGrantor(ctx, caller, async (t, grantable) => {
    const row = await findRegisteredScope(t, scopeId)
    if (row === undefined) throw new AppError('not_found')
    return changeScopes(t, ctx, caller, row.resourceServerId, () => work(t, row, grantable))
  })

/** @throws AppError not_found, invalid_request, cannot_grant */
export const updateScope = async (
  ctx: Ctx,
  caller: User,
  scopeId: string,
  request: z.output<typeof ServerScopeChange>,
): Promise<z.input<typeof ServerScope>> => {
  const out = await lockedScope(ctx, caller, scopeId, async (t, row, grantable) => {
    const permission = await permissionIn(t, request.permission_ids)
    if (permission !== undefined) requireStillBound(grantable, [row], [{ ...row, permission }])
    const changed = await updateServerScope(t, scopeId, {
      description: request.description ?? row.description,
      displayName: request.display_name ?? row.displayName,
      riskLevel: request.risk_level ?? row.riskLevel,
      permission: permission === undefined ? row.permission : permission,
    })
    return changed === undefined ? undefined : toResponse(t, changed)
  })
  if (out === undefined) throw new AppError('not_found')
  return out
}

/** @throws AppError not_found, cannot_grant */
export const deleteScope = async (ctx: Ctx, caller: User, scopeId: string): Promise<undefined> => {
  await lockedScope(ctx, caller, scopeId, async (t, row, grantable) => {
    requireStillBound(grantable, [row], [])
    const rest = (await listRegisteredScopes(t, row.resourceServerId)).filter(({ id }) => id !== scopeId)
    await putServerScopes(
      t,
      row.resourceServerId,
      rest.map(({ name, description, permission }) => ({ name, description, permission })),
    )
    return undefined
  })
  return undefined
}
