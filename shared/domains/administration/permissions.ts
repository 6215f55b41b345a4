// Permissions: the pairs of resource and action that a tenant speaks of.
import type * as z from 'zod'
import { forTenant, type TenantTx } from '#db/engine/tenant'
import {
  countRolesOfPermissions,
  deletePermission,
  findPermission,
  findPermissionsById,
  findPermissionsByText,
  findUsesOfPermission,
  insertPermission,
  listPermissions,
  listResources,
  type NamedPermission,
  type PermissionPair,
} from '#db/store/permissions'
import { actAsGrantor, changeAccess, requireGrantable } from '#shared/domains/authority/access-change'
import type { RequestCtx } from '#shared/domains/context'
import { requireQuotaRoom } from '#shared/domains/tenancy/quotas'
import { AppError } from '#shared/kernel/errors'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import type { HttpResult } from '#shared/platform/http/route'
import { isPlatformAdministrator } from '#shared/platform/http/tenant-rule'
import type { User } from '#shared/platform/principals/principal'
import { pageReply, toPage } from './page.ts'
import type { NewPermission, PermissionQuery, Permissions, RegisteredPermission, Resources } from './permissions.schema.ts'

export const permissionName = ({ resource, action }: PermissionPair): string => `${resource}:${action}`

const refuse = (field: string, why: string): AppError => new AppError('invalid_request', `${field}: ${why}`, { field })

/** What only a platform administrator may speak of: everything at once, and the platform. */
const requireOrdinary = (caller: User, pair: PermissionPair): void => {
  if (isPlatformAdministrator(caller)) return
  for (const name of ['resource', 'action'] as const) if (pair[name].includes('*')) throw refuse(`body.${name}`, 'may not have an asterisk')
  if (pair.resource === 'platform') throw refuse('body.resource', 'platform is a resource of the deployment alone')
}

/** @throws AppError invalid_request, quota_exceeded, permission_exists */
export const registerPermission = async (
  ctx: RequestCtx,
  caller: User,
  given: z.output<typeof NewPermission>,
): Promise<z.input<typeof RegisteredPermission>> => {
  requireOrdinary(caller, given)
  const id = ctx.random.id()
  const { resource, action, description = '' } = given
  await actAsGrantor(ctx, caller, async (t) => {
    await requireQuotaRoom(t, 'permissions')
    // No role has it yet, so no decision changes and the policy's version stays.
    if (!(await insertPermission(t, { id, resource, action, description }, ctx.clock.now()))) throw new AppError('permission_exists')
    await recordEvent(t, ctx, {
      event: 'permission.registered',
      actor: byUser(caller),
      target: { type: 'permission', id },
      after: { resource, action, description },
    })
  })
  return { id, full_string: `${resource}.${action}` }
}

export const showPermissions = async (
  ctx: RequestCtx,
  caller: User,
  query: z.output<typeof PermissionQuery>,
): Promise<HttpResult<z.input<typeof Permissions>>> => {
  const t = forTenant(ctx.db, caller.tenantId)
  const { resource, search, sort } = query
  const page = toPage<'resource' | 'created_at'>(query, sort)
  const rows = await listPermissions(t, { page, ...(resource === undefined ? {} : { resource }), ...(search === undefined ? {} : { search }) })
  const roles = await countRolesOfPermissions(
    t,
    rows.map((row) => row.id),
  )
  return pageReply(
    query,
    sort,
    rows,
    (row) => (page.sort === 'resource' ? row.resource : row.createdAt),
    (shown) =>
      shown.map((row) => ({
        id: row.id,
        resource: row.resource,
        action: row.action,
        full_permission_string: permissionName(row),
        description: row.description,
        roles_assigned: roles.get(row.id) ?? 0,
      })),
  )
}

const MOST_RESOURCES = 1000
export const showResources = async (ctx: RequestCtx, caller: User): Promise<z.input<typeof Resources>> => ({
  resources: await listResources(forTenant(ctx.db, caller.tenantId), MOST_RESOURCES),
})

/**
 * Its links from roles and scopes go with it. A scope that took it takes it no longer, so whoever deletes it there must hold it.
 * @throws AppError not_found, system_permission, cannot_grant
 */
export const removePermission = async (
  ctx: RequestCtx,
  caller: User,
  wanted: { readonly id: string } | PermissionPair,
): Promise<{ message: string }> => {
  await changeAccess(ctx, caller, async (t, grantable) => {
    const found = await findPermission(t, wanted)
    if (found === undefined) throw new AppError('not_found')
    if (found.isSystem) throw new AppError('system_permission')
    const uses = await findUsesOfPermission(t, found.id)
    if (uses.scopes.length > 0) requireGrantable(grantable, [permissionName(found)])
    await deletePermission(t, found.id)
    const { resource, action, description } = found
    await recordEvent(t, ctx, {
      event: 'permission.deleted',
      actor: byUser(caller),
      target: { type: 'permission', id: found.id },
      before: { resource, action, description, ...uses },
    })
  })
  return { message: 'Permission deleted' }
}

/** `resource:action`; else, as the original accepts it, `resource.action`, where any dot may be the one that joins. No part has a colon, so the two never meet. */
const byText = async (t: TenantTx, texts: readonly string[], field: string): Promise<NamedPermission[]> => {
  const found = new Map<string, NamedPermission[]>()
  for (const row of await findPermissionsByText(t, texts))
    for (const text of [permissionName(row), `${row.resource}.${row.action}`]) found.set(text, [...(found.get(text) ?? []), row])
  return texts.map((text, at) => {
    const [one, another] = found.get(text) ?? []
    if (one === undefined) throw refuse(`${field}.${at}`, 'there is no such permission')
    if (another !== undefined) throw refuse(`${field}.${at}`, 'means more than one permission; write resource:action')
    return one
  })
}

const byId = async (t: TenantTx, ids: readonly string[], field: string): Promise<NamedPermission[]> => {
  const found = new Map((await findPermissionsById(t, ids)).map((row) => [row.id, row]))
  return ids.map((id, at) => {
    const row = found.get(id)
    if (row === undefined) throw refuse(`${field}.${at}`, 'there is no such permission')
    return row
  })
}

type Named = { readonly ids?: readonly string[]; readonly idsField: string; readonly texts?: readonly string[]; readonly textsField: string }

/**
 * The tenant's permissions that a body names by id and by text, each once.
 * @throws AppError invalid_request for one that the tenant does not have
 */
export const resolvePermissions = async (t: TenantTx, given: Named): Promise<NamedPermission[]> => {
  const ids = await byId(t, given.ids ?? [], `body.${given.idsField}`)
  const texts = await byText(t, given.texts ?? [], `body.${given.textsField}`)
  return [...new Map([...ids, ...texts].map((row) => [row.id, row])).values()]
}
