// Activates a resource server: an administrator reviews what its tools can do and allows them to be called. Tools declared later are drift until they are activated
// too.
import type * as z from 'zod'
import { forTenant, type TenantDb } from '#db/engine/tenant'
import { activateResourceTools, type ResourceTool, updateResourceSetup, updateResourceTool } from '#db/store/resource-tools'
import { findRole, findRolePermissions, findRolesWithPermissions } from '#db/store/roles'
import { AppError } from '#shared/kernel/errors'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import { driftOf, isMapped, isSameDigest, requiredScopes, setupState } from './tool-state.ts'
import type { Activate, Activated, ActivationPreview, DriftDismissed, DriftEvents, SetupChecklist, TestLogin } from './tools.schema.ts'
import { changeTools, loadToolWorld, readToolWorld, type ToolWorld } from './tools.ts'

type Gate = 'tools' | 'scopes' | 'tools_mapped'
const declared = ({ tools }: ToolWorld): ResourceTool[] => tools.filter(({ present }) => present)

/** What is missing before the server can be activated. */
const missingFor = (world: ToolWorld): Gate[] => {
  const tools = declared(world)
  const needsScopes = tools.some(({ isPublic }) => !isPublic)
  return [
    ...(tools.length === 0 ? (['tools'] as const) : []),
    ...(world.scopes.length === 0 && needsScopes ? (['scopes'] as const) : []),
    ...(tools.every((tool) => isMapped(tool, world.scopes)) ? [] : (['tools_mapped'] as const)),
  ]
}

/** @throws AppError not_found */
export const readSetup = async (ctx: Ctx, caller: User, id: string): Promise<z.input<typeof SetupChecklist>> => {
  const world = await readToolWorld(ctx, caller, id)
  const missing = missingFor(world)
  const tools = declared(world)
  const unmapped = tools.filter((tool) => !isMapped(tool, world.scopes))
  const steps: readonly (readonly [string, boolean, string])[] = [
    ['Resource server registered', true, world.server.resource],
    ['Tools declared', tools.length > 0, `${tools.length} tools`],
    ['Scopes defined', world.scopes.length > 0 || !missing.includes('scopes'), `${world.scopes.length} scopes`],
    ['Tools mapped to scopes', tools.length > 0 && unmapped.length === 0, unmapped.map(({ name }) => name).join(', ')],
    ['Access policy decided', true, world.server.accessPolicyEnabled ? 'People get a role with their first authorization.' : 'Off.'],
    ['Activated', world.setup?.activatedAt != null, world.setup?.activatedAt?.toISOString() ?? ''],
  ]
  return {
    steps: steps.map(([name, complete, detail], at) => ({ step: at + 1, name, complete, detail })),
    can_activate: missing.length === 0,
  }
}

type Effect = z.input<typeof ActivationPreview>['new_tools'][number]

/** What each tool can do, and who would be able to call it. */
const effectsOf = async (t: TenantDb, caller: User, { scopes }: ToolWorld, tools: readonly ResourceTool[]): Promise<Effect[]> => {
  const holders = caller.permissions.has('roles:read')
    ? await findRolesWithPermissions(
        t,
        scopes.flatMap(({ permission }) => permission ?? []),
      )
    : []
  return tools.map((tool) => {
    const required = scopes.filter(({ name }) => requiredScopes(tool, scopes).includes(name))
    const permissions = [...new Set(required.flatMap(({ permission }) => permission ?? []))]
    return {
      tool_id: tool.id,
      name: tool.name,
      title: tool.definition.title,
      description: tool.definition.description,
      input_schema: tool.definition.inputSchema === null ? null : { ...tool.definition.inputSchema },
      annotations: tool.definition.annotations === null ? null : { ...tool.definition.annotations },
      is_public: tool.isPublic,
      required_scopes: required.map(({ name }) => name),
      suggested_scopes: tool.suggestedScopes,
      permissions,
      roles: [...new Set(holders.filter(({ permission }) => permissions.includes(permission)).map(({ role }) => role))].toSorted(),
      open_to_everyone: tool.isPublic || required.some(({ permission }) => permission === null),
    }
  })
}

/** @throws AppError not_found */
export const previewActivation = async (ctx: Ctx, caller: User, id: string): Promise<z.input<typeof ActivationPreview>> => {
  const t = forTenant(ctx.db, caller.tenantId)
  const world = await loadToolWorld(t, id)
  const { server, scopes, setup } = world
  const tools = declared(world)
  const role = server.accessPolicyEnabled && server.accessPolicyRoleId !== null ? await findRole(t, server.accessPolicyRoleId) : undefined
  const given = new Set((role === undefined ? [] : await findRolePermissions(t, role.id)).map(({ resource, action }) => `${resource}:${action}`))
  const ofRole = scopes.filter(({ permission }) => permission !== null && given.has(permission)).map(({ name }) => name)
  const changed = tools.filter((tool) => tool.activated !== null && !isSameDigest(tool.activatedHash, tool.definitionHash))
  return {
    tools: {
      total: tools.length,
      public: tools.filter(({ isPublic }) => isPublic).length,
      mapped: tools.filter((tool) => !tool.isPublic && isMapped(tool, scopes)).length,
      unmapped: tools.filter((tool) => !isMapped(tool, scopes)).length,
    },
    scopes: scopes.map(({ name, displayName }) => ({
      scope_string: name,
      display_name: displayName || name,
      tool_count: tools.filter((tool) => tool.scopes.includes(name)).length,
    })),
    scope_count: scopes.length,
    default_role: role?.name ?? '',
    viewer_scopes: ofRole,
    public_tool_names: tools.filter(({ isPublic }) => isPublic).map(({ name }) => name),
    first_time_user_grant: [...ofRole, ...scopes.filter(({ permission }) => permission === null).map(({ name }) => name)].toSorted(),
    can_activate: missingFor(world).length === 0,
    generation: setup?.generation ?? 0,
    new_tools: await effectsOf(
      t,
      caller,
      world,
      tools.filter(({ activated }) => activated === null),
    ),
    changed_tools: await effectsOf(t, caller, world, changed),
    removed_tools: world.tools.filter(({ present, activated }) => !present && activated !== null).map(({ name }) => name),
  }
}

/**
 * From now on callers with one of its scopes may call a declared tool. A generation in the request makes sure that the administrator saw the current tools.
 * @throws AppError not_found, conflict, activation_blocked
 */
export const activate = (ctx: Ctx, caller: User, id: string, request: z.output<typeof Activate>): Promise<z.input<typeof Activated>> =>
  changeTools(ctx, caller, id, async (t, world) => {
    const failed = missingFor(world)
    if (failed.length > 0) throw new AppError('activation_blocked', undefined, { extra: { failed } })
    if (request.generation !== undefined && request.generation !== (world.setup?.generation ?? 0))
      throw new AppError('conflict', 'The tools have changed since you read them. Read them again.', { field: 'body.generation' })
    await activateResourceTools(t, id)
    const setup = await updateResourceSetup(t, id, { activatedAt: ctx.clock.now(), activatedBy: caller.userId }, true)
    const access = (tool: ResourceTool) => (tool.isPublic ? 'public' : requiredScopes(tool, world.scopes))
    await recordEvent(t, ctx, {
      event: 'resource_server.activated',
      actor: byUser(caller),
      target: { type: 'resource_server', id },
      before: { tools: world.tools.filter(({ activated }) => activated !== null).map(({ name }) => name) },
      after: { tools: Object.fromEntries(declared(world).map((tool) => [tool.name, access(tool)])) },
    })
    return { status: 'ready', generation: setup.generation }
  })

/** @throws AppError not_found */
export const listDrift = async (ctx: Ctx, caller: User, id: string): Promise<z.input<typeof DriftEvents>> => {
  const t = forTenant(ctx.db, caller.tenantId)
  const world = await loadToolWorld(t, id)
  const drift = driftOf(world.setup, world.tools)
  const effects = await effectsOf(
    t,
    caller,
    world,
    drift.filter(({ type }) => type !== 'tool_removed').map(({ tool }) => tool),
  )
  return {
    events: drift.map(({ id: eventId, type, tool }) => ({
      id: eventId,
      rs_id: id,
      event_type: type,
      event_payload: {
        tool_name: tool.name,
        activated: tool.activated === null ? null : { ...tool.activated },
        declared: effects.find(({ tool_id }) => tool_id === tool.id) ?? null,
      },
      occurred_at: tool.changedAt.toISOString(),
    })),
  }
}

/** Hides the difference until the tool changes again; a new tool still may not be called. @throws AppError not_found */
export const dismissDrift = (
  ctx: Ctx,
  caller: User,
  path: { readonly id: string; readonly event_id: string },
): Promise<z.input<typeof DriftDismissed>> =>
  changeTools(ctx, caller, path.id, async (t, { setup, tools }) => {
    const drift = driftOf(setup, tools).find(({ id }) => id === path.event_id)
    if (drift === undefined) throw new AppError('not_found')
    await updateResourceTool(t, drift.tool.id, { dismissed: drift.id })
    await recordEvent(t, ctx, {
      event: 'resource_server.drift_dismissed',
      actor: byUser(caller),
      target: { type: 'resource_server', id: path.id },
      after: { tool: drift.tool.name, drift: drift.type },
    })
    return { status: 'dismissed' }
  })

/** Whether people can sign in for the server now, and whether its SDK lets them call tools. @throws AppError not_found */
export const testLogin = async (ctx: Ctx, caller: User, id: string): Promise<z.input<typeof TestLogin>> => {
  const { server, setup, tools, scopes } = await readToolWorld(ctx, caller, id)
  const listed = tools.filter((tool) => tool.present)
  const state = setupState(setup, listed.length > 0)
  return {
    resource_server: { id, name: server.name, state, status: server.active ? 'ready' : 'inactive' },
    oauth: { state, ...(setup?.activatedAt == null ? {} : { ready_since: setup.activatedAt.toISOString() }) },
    sdk_enforcement: {
      sdk_policy_state: state,
      tool_count: listed.length,
      unmapped_tools: listed.filter((tool) => !isMapped(tool, scopes)).length,
    },
  }
}
