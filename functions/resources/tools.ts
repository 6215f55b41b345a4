// The tools of a resource server for administrators: which scopes let a caller use a tool, and which tools are public.
import type * as z from 'zod'
import { forTenant, type TenantDb, type TenantTx } from '#db/engine/tenant'
import { findResourceServer, listRegisteredScopes, type RegisteredScope, type ResourceServer } from '#db/store/resource-servers'
import {
  findResourceSetup,
  insertResourceTools,
  listResourceTools,
  lockResourceSetup,
  type ResourceSetup,
  type ResourceTool,
  updateResourceSetup,
  updateResourceTool,
} from '#db/store/resource-tools'
import { actAsGrantor, type GrantorPermissions, requireGrantable } from '#shared/domains/authority/access-change'
import { AppError } from '#shared/kernel/errors'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import { callableTools, definitionHash, guardingPermissions, isListed, requiredScopes } from './tool-state.ts'
import type { ManifestStatus, NewTool, ScopeMatrix, ToolAdded, ToolPublic, ToolPublicSet, ToolScopeMap, Tools, ToolsMapped } from './tools.schema.ts'

const MOST_TOOLS = 1000

export type ToolWorld = {
  readonly server: ResourceServer
  readonly setup: ResourceSetup | undefined
  readonly tools: readonly ResourceTool[]
  readonly scopes: readonly RegisteredScope[]
}

/** @throws AppError not_found */
export const loadToolWorld = async (t: TenantDb, id: string): Promise<ToolWorld> => {
  const server = await findResourceServer(t, id)
  if (server === undefined) throw new AppError('not_found')
  return { server, setup: await findResourceSetup(t, id), tools: await listResourceTools(t, id), scopes: await listRegisteredScopes(t, id) }
}

export const readToolWorld = (ctx: Ctx, caller: User, id: string): Promise<ToolWorld> => loadToolWorld(forTenant(ctx.db, caller.tenantId), id)

/** Runs a change of a server's tools, one at a time. @throws AppError not_found */
export const changeTools = <T>(
  ctx: Ctx,
  caller: User,
  id: string,
  work: (t: TenantTx, world: ToolWorld, grantable: GrantorPermissions) => Promise<T>,
): Promise<T> =>
  actAsGrantor(ctx, caller, async (t, grantable) => {
    if ((await findResourceServer(t, id)) === undefined) throw new AppError('not_found')
    await lockResourceSetup(t, id)
    return work(t, await loadToolWorld(t, id), grantable)
  })

export const toolResponses = (tools: readonly ResourceTool[], scopes: readonly RegisteredScope[]): z.input<typeof Tools> => {
  const callable = new Set(callableTools(tools, scopes).map(({ id }) => id))
  return tools.map((tool) => ({
    id: tool.id,
    name: tool.name,
    title: tool.definition.title,
    description: tool.definition.description,
    ...(tool.definition.inputSchema === null ? {} : { input_schema: { ...tool.definition.inputSchema } }),
    ...(tool.definition.annotations === null ? {} : { annotations: { ...tool.definition.annotations } }),
    scopes: scopes
      .filter(({ name }) => tool.scopes.includes(name))
      .map((scope) => ({
        scope_id: scope.id,
        scope_string: scope.name,
        display_name: scope.displayName || scope.name,
        risk_level: scope.riskLevel,
        auto_matched: false as const,
        source: 'admin_override' as const,
      })),
    is_public: tool.isPublic,
    inventory_source: tool.source,
    suggested_scopes: tool.suggestedScopes,
    callable: callable.has(tool.id),
    activated: tool.activated !== null,
  }))
}

/** @throws AppError not_found */
export const listTools = async (ctx: Ctx, caller: User, id: string): Promise<z.input<typeof Tools>> => {
  const { tools, scopes } = await readToolWorld(ctx, caller, id)
  return toolResponses(tools.filter(isListed), scopes)
}

/** @throws AppError not_found */
export const readScopeMatrix = async (ctx: Ctx, caller: User, id: string): Promise<z.input<typeof ScopeMatrix>> => {
  const { server, setup, tools: known, scopes } = await readToolWorld(ctx, caller, id)
  const tools = known.filter(isListed)
  const all = scopes.map((scope) => ({
    id: scope.id,
    scope_string: scope.name,
    display_name: scope.displayName || scope.name,
    description: scope.description,
    risk_level: scope.riskLevel,
    is_auto_discovered: false as const,
  }))
  const scannedAt = setup?.scannedAt?.toISOString() ?? null
  return {
    resource_server: {
      id,
      name: server.name,
      url: server.resource,
      status: server.active ? 'ready' : 'inactive',
      last_scan_status: setup?.scanStatus ?? null,
      scan_generation: setup?.generation ?? 0,
      last_successful_generation: setup?.generation ?? 0,
      last_scan_started_at: scannedAt,
      last_scan_completed_at: scannedAt,
    },
    tools: toolResponses(tools, scopes),
    scopes: all,
    unmapped_scopes: all.filter(({ scope_string }) => !tools.some((tool) => tool.scopes.includes(scope_string))),
    total_scopes: scopes.length,
    total_tools: tools.length,
  }
}

/** @throws AppError not_found */
export const readManifestStatus = async (ctx: Ctx, caller: User, id: string): Promise<z.input<typeof ManifestStatus>> => {
  const { setup } = await readToolWorld(ctx, caller, id)
  if (setup?.manifestAt == null) return { last_attempt: null, last_success: null, never_seen: true }
  // A manifest that is refused leaves no trace, so the last attempt is the last success.
  const attempt = {
    id,
    rs_id: id,
    attempted_at: setup.manifestAt.toISOString(),
    status: 'success' as const,
    tool_count: setup.manifestTools,
    ...(setup.manifestVersion === null ? {} : { manifest_version: setup.manifestVersion }),
    ...(setup.sdkBuildId === null ? {} : { sdk_build_id: setup.sdkBuildId }),
  }
  return { last_attempt: attempt, last_success: attempt, never_seen: false }
}

/** For tools that neither the SDK nor a scan reports. @throws AppError not_found, conflict */
export const addTool = (ctx: Ctx, caller: User, id: string, request: z.output<typeof NewTool>): Promise<z.input<typeof ToolAdded>> =>
  changeTools(ctx, caller, id, async (t, { tools }) => {
    const known = tools.find(({ name }) => name === request.name)
    if (known !== undefined && isListed(known)) throw new AppError('conflict', 'The server has a tool of this name.', { field: 'body.name' })
    if (tools.filter(isListed).length >= MOST_TOOLS) throw new AppError('conflict', 'The server has too many tools.')
    const [toolId, at] = [known?.id ?? ctx.random.id(), ctx.clock.now()]
    const definition = { title: '', description: request.description, inputSchema: null, annotations: null }
    const row = { source: 'manual' as const, definition, definitionHash: definitionHash(definition), present: true, changedAt: at }
    if (known !== undefined) await updateResourceTool(t, toolId, row)
    else await insertResourceTools(t, [{ ...row, id: toolId, resourceServerId: id, name: request.name, createdAt: at }])
    await updateResourceSetup(t, id, {}, true)
    const target = { type: 'resource_server', id }
    await recordEvent(t, ctx, { event: 'resource_server.tool_added', actor: byUser(caller), target, after: { tool: request.name } })
    return { tool_id: toolId, name: request.name, inventory_source: 'manual' }
  })

/**
 * Changing the scopes of a tool, or making it public, lets others call it. So the change requires the permissions that its callers need now.
 * @throws AppError cannot_grant
 */
const requireMayLoosen = (grantable: GrantorPermissions, tool: ResourceTool, scopes: readonly RegisteredScope[]): void =>
  requireGrantable(grantable, guardingPermissions(tool, scopes))

type Access = Pick<ResourceTool, 'scopes' | 'isPublic'>
const auditedAccess = ({ name }: ResourceTool, { scopes, isPublic }: Access) => ({ tool: name, scopes: [...scopes], public: isPublic })

const saveAccess = async (t: TenantTx, ctx: Ctx, caller: User, tool: ResourceTool, to: Access): Promise<void> => {
  await updateResourceTool(t, tool.id, { scopes: [...to.scopes], isPublic: to.isPublic })
  await recordEvent(t, ctx, {
    event: 'resource_server.tool_changed',
    actor: byUser(caller),
    target: { type: 'resource_server', id: tool.resourceServerId },
    before: auditedAccess(tool, tool),
    after: auditedAccess(tool, to),
  })
}

/** @throws AppError not_found, invalid_request, cannot_grant */
export const setToolPublic = (
  ctx: Ctx,
  caller: User,
  path: { readonly id: string; readonly tool_id: string },
  request: z.output<typeof ToolPublic>,
): Promise<z.input<typeof ToolPublicSet>> =>
  changeTools(ctx, caller, path.id, async (t, { tools, scopes }, grantable) => {
    const tool = tools.find(({ id }) => id === path.tool_id)
    if (tool === undefined) throw new AppError('not_found')
    if (request.is_public && request.confirmation_token?.trim() !== tool.name)
      throw new AppError('invalid_request', 'body.confirmation_token: must be the name of the tool', { field: 'body.confirmation_token' })
    if (request.is_public === tool.isPublic) return { tool_id: tool.id, is_public: tool.isPublic }
    requireMayLoosen(grantable, tool, scopes)
    await saveAccess(t, ctx, caller, tool, { scopes: tool.scopes, isPublic: request.is_public })
    await updateResourceSetup(t, path.id, {}, true)
    return { tool_id: tool.id, is_public: request.is_public }
  })

type Mapping = z.output<typeof ToolScopeMap>['mappings'][number]

/** The scopes of each tool after all mappings, in their order. @throws AppError not_found */
const mapped = (mappings: readonly Mapping[], { tools, scopes }: ToolWorld): Map<ResourceTool, ReadonlySet<string>> => {
  const after = new Map<ResourceTool, Set<string>>()
  for (const [at, { tool_id, scope_id, remove }] of mappings.entries()) {
    const [tool, scope] = [tools.find(({ id }) => id === tool_id), scopes.find(({ id }) => id === scope_id)]
    if (tool === undefined) throw new AppError('not_found', undefined, { field: `body.mappings.${at}.tool_id` })
    if (scope === undefined) throw new AppError('not_found', undefined, { field: `body.mappings.${at}.scope_id` })
    const names = after.get(tool) ?? new Set(tool.scopes)
    if (remove) names.delete(scope.name)
    else names.add(scope.name)
    after.set(tool, names)
  }
  return after
}

/** All mappings or none. @throws AppError not_found, cannot_grant */
export const mapTools = (ctx: Ctx, caller: User, id: string, { mappings }: z.output<typeof ToolScopeMap>): Promise<z.input<typeof ToolsMapped>> =>
  changeTools(ctx, caller, id, async (t, world, grantable) => {
    const after = [...mapped(mappings, world)].map(([tool, names]) => [tool, [...names].toSorted()] as const)
    const changed = after.filter(([tool, names]) => names.join(' ') !== tool.scopes.toSorted().join(' '))
    for (const [tool, names] of changed) {
      if (requiredScopes(tool, world.scopes).length > 0) requireMayLoosen(grantable, tool, world.scopes)
      await saveAccess(t, ctx, caller, tool, { scopes: names, isPublic: tool.isPublic })
    }
    if (changed.length > 0) await updateResourceSetup(t, id, {}, true)
    return { status: 'updated', applied: mappings.length, requested: mappings.length }
  })
