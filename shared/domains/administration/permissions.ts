// Permissions: pairs of resource and action that a tenant defines.
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

/** Only platform administrators may define wildcards and permissions of the platform. */
const requireUnreserved = (caller: User, pair: PermissionPair): void => {
  if (isPlatformAdministrator(caller)) return
  for (const name of ['resource', 'action'] as const) if (pair[name].includes('*')) throw refuse(`body.${name}`, 'must not contain an asterisk')
  if (pair.resource === 'platform') throw refuse('body.resource', 'platform is reserved for the deployment')
}

/** @throws AppError invalid_request, quota_exceeded, permission_exists */
export const registerPermission = async (
  ctx: RequestCtx,
  caller: User,
  given: z.output<typeof NewPermission>,
): Promise<z.input<typeof RegisteredPermission>> => {
  requireUnreserved(caller, given)
  const id = ctx.random.id()
  const { resource, action, description = '' } = given
  await actAsGrantor(ctx, caller, async (t) => {
    await requireQuotaRoom(t, 'permissions')
    // No role holds it yet, so no decision changes and the policy version stays.
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
    (page) =>
      page.map((row) => ({
        id: row.id,
        resource: row.resource,
        action: row.action,
        full_permission_string: permissionName(row),
        description: row.description,
        roles_assigned: roles.get(row.id) ?? 0,
      })),
  )
}

const MAX_RESOURCES = 1000
export const showResources = async (ctx: RequestCtx, caller: User): Promise<z.input<typeof Resources>> => ({
  resources: await listResources(forTenant(ctx.db, caller.tenantId), MAX_RESOURCES),
})

/**
 * Deletes a permission with its links from roles and scopes. A scope that required it no longer does, so the caller must then hold it.
 * @throws AppError not_found, system_permission, cannot_grant
 */
export const removePermission = async (
  ctx: RequestCtx,
  caller: User,
  selector: { readonly id: string } | PermissionPair,
): Promise<{ message: string }> => {
  await changeAccess(ctx, caller, async (t, grantable) => {
    const found = await findPermission(t, selector)
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

/**
 * Resolves `resource:action`, or AuthSec's `resource.action`, in which any dot may be the separator. No part contains a colon, so the two forms cannot collide.
 */
const resolveTexts = async (t: TenantTx, texts: readonly string[], field: string): Promise<NamedPermission[]> => {
  const found = new Map<string, NamedPermission[]>()
  for (const row of await findPermissionsByText(t, texts))
    for (const text of [permissionName(row), `${row.resource}.${row.action}`]) found.set(text, [...(found.get(text) ?? []), row])
  return texts.map((text, at) => {
    const [one, another] = found.get(text) ?? []
    if (one === undefined) throw refuse(`${field}.${at}`, 'the permission does not exist')
    if (another !== undefined) throw refuse(`${field}.${at}`, 'matches several permissions; use resource:action')
    return one
  })
}

const resolveIds = async (t: TenantTx, ids: readonly string[], field: string): Promise<NamedPermission[]> => {
  const found = new Map((await findPermissionsById(t, ids)).map((row) => [row.id, row]))
  return ids.map((id, at) => {
    const row = found.get(id)
    if (row === undefined) throw refuse(`${field}.${at}`, 'the permission does not exist')
    return row
  })
}

type PermissionSelectors = {
  readonly ids?: readonly string[]
  readonly idsField: string
  readonly texts?: readonly string[]
  readonly textsField: string
}

/**
 * The tenant's permissions that a body gives by id or text, without duplicates.
 * @throws AppError invalid_request for an unknown permission
 */
export const resolvePermissions = async (t: TenantTx, given: PermissionSelectors): Promise<NamedPermission[]> => {
  const ids = await resolveIds(t, given.ids ?? [], `body.${given.idsField}`)
  const texts = await resolveTexts(t, given.texts ?? [], `body.${given.textsField}`)
  return [...new Map([...ids, ...texts].map((row) => [row.id, row])).values()]
}
