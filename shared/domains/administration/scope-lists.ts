// Lists of scopes in their wire shapes.
import type * as z from 'zod'
import { asTenantId, forTenant, type TenantDb } from '#db/engine/tenant'
import { countPermissionsOfScopes, findPermissionsOfScopes, listScopes, type Scope, type ScopedPermission, type ScopeSort } from '#db/store/scopes'
import { findTenant } from '#db/store/tenants'
import type { RequestCtx } from '#shared/domains/context'
import { AppError } from '#shared/kernel/errors'
import { HttpResult } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import { pageReply, toPage } from './page.ts'
import { permissionName } from './permissions.ts'
import type { ApiScope, ApiScopeQuery, ApiScopes, MappingQuery, SavedScope, ScopeMappings, ScopeNames, ScopeQuery } from './scopes.schema.ts'
import { API_SCOPES, INTERNAL_SCOPES, type ScopeKind, type ScopeWithPermissions, scopeTag } from './scopes.ts'

type Query = z.output<typeof ScopeQuery>

const listPage = async <Out>(
  t: TenantDb,
  side: ScopeKind,
  query: Query,
  search: string | undefined,
  toResponse: (rows: readonly Scope[]) => Out,
): Promise<HttpResult<Out>> => {
  const page = toPage<ScopeSort>(query, query.sort)
  const rows = await listScopes(t, { usages: side.usages, page, ...(search === undefined ? {} : { search }) })
  return pageReply(query, query.sort, rows, (row) => (page.sort === 'name' ? row.name : row.createdAt), toResponse)
}

/** Names only, newest first by default. */
export const showScopeNames = async (ctx: RequestCtx, caller: User, query: Query): Promise<HttpResult<z.input<typeof ScopeNames>>> =>
  listPage(forTenant(ctx.db, caller.tenantId), INTERNAL_SCOPES, query, query.search, (rows) => rows.map((row) => row.name))

/**
 * Like `showScopeNames`, for the tenant in the path: the caller's own, or any for a platform administrator.
 * @throws AppError not_found
 */
export const showScopeNamesOf = async (
  ctx: RequestCtx,
  caller: User,
  tenantId: string,
  query: Query,
): Promise<HttpResult<z.input<typeof ScopeNames>>> => {
  if (tenantId === caller.tenantId) return showScopeNames(ctx, caller, query)
  // Only a platform administrator gets here: the tenant rule has refused other callers.
  const t = forTenant(ctx.db, asTenantId(tenantId))
  if ((await findTenant(t)) === undefined) throw new AppError('not_found')
  return listPage(t, INTERNAL_SCOPES, query, query.search, (rows) => rows.map((row) => row.name))
}

export const showMappings = async (
  ctx: RequestCtx,
  caller: User,
  query: z.output<typeof MappingQuery>,
): Promise<HttpResult<z.input<typeof ScopeMappings>>> => {
  const t = forTenant(ctx.db, caller.tenantId)
  const page = toPage<ScopeSort>(query, query.sort)
  const rows = await listScopes(t, { usages: INTERNAL_SCOPES.usages, page, ...(query.search === undefined ? {} : { search: query.search }) })
  const permissions = new Map<string, ScopedPermission[]>(rows.map((row) => [row.id, []]))
  for (const permission of await findPermissionsOfScopes(t, [...permissions.keys()])) permissions.get(permission.scopeId)?.push(permission)
  const toResponse = (scope: Scope): z.input<typeof ScopeMappings>[number] => {
    const own = permissions.get(scope.id) ?? []
    return {
      scope_name: scope.name,
      usage: scope.usage,
      ...(scope.description === '' ? {} : { description: scope.description }),
      resources: own.map(permissionName),
      permission_ids: own.map((row) => row.id),
      permission_strings: own.map(permissionName),
    }
  }
  return pageReply(
    query,
    query.sort,
    rows,
    (row) => (page.sort === 'name' ? row.name : row.createdAt),
    (some) => some.map(toResponse),
  )
}

const toListedApiScope = (scope: Scope, linked: number): z.input<typeof ApiScopes>[number] => ({
  id: scope.id,
  name: scope.name,
  description: scope.description,
  usage: scope.usage,
  permissions_linked: linked,
  created_at: scope.createdAt.toISOString(),
  updated_at: scope.updatedAt.toISOString(),
})

export const showApiScopes = async (
  ctx: RequestCtx,
  caller: User,
  query: z.output<typeof ApiScopeQuery>,
): Promise<HttpResult<z.input<typeof ApiScopes>>> => {
  const t = forTenant(ctx.db, caller.tenantId)
  const page = toPage<ScopeSort>(query, query.sort)
  const search = query.name ?? query.search
  const rows = await listScopes(t, { usages: API_SCOPES.usages, page, ...(search === undefined ? {} : { search }) })
  const linked = await countPermissionsOfScopes(
    t,
    rows.map((row) => row.id),
  )
  return pageReply(
    query,
    query.sort,
    rows,
    (row) => (page.sort === 'name' ? row.name : row.createdAt),
    (some) => some.map((row) => toListedApiScope(row, linked.get(row.id) ?? 0)),
  )
}

export const apiScopeOf = ({ scope, permissions }: ScopeWithPermissions): z.input<typeof ApiScope> => ({
  ...toListedApiScope(scope, permissions.length),
  permission_ids: permissions.map((row) => row.id),
  permission_strings: permissions.map(permissionName),
  resources: permissions.map(permissionName),
})

export const taggedApiScope = (found: ScopeWithPermissions): HttpResult<z.input<typeof ApiScope>> =>
  new HttpResult(apiScopeOf(found), { headers: { ETag: scopeTag(found) } })

export const savedScopeOf =
  (message: string) =>
  ({ scope }: ScopeWithPermissions): z.input<typeof SavedScope> => ({ message, scope_id: scope.id, scope_name: scope.name })
