// The tools that a resource server declares, and the policy by which its SDK lets people call them. What the server sends changes no permission: a tool may be called
// after an administrator activated it.
import type * as z from 'zod'
import { atomically, type TenantDb, type TenantTx } from '#db/engine/tenant'
import { listRegisteredScopes } from '#db/store/resource-servers'
import {
  deleteResourceTools,
  findResourceSetup,
  insertResourceTools,
  listResourceTools,
  lockResourceSetup,
  type ResourceTool,
  type ToolDefinition,
  type ToolSource,
  updateResourceSetup,
  updateResourceTool,
} from '#db/store/resource-tools'
import { authenticateResourceServer } from '#shared/domains/oauth/resource-server-authentication'
import type { Actor } from '#shared/platform/audit/audit-log'
import { recordEvent } from '#shared/platform/audit/audit-log'
import { clientAuthenticationFailed } from '#shared/platform/http/basic-auth'
import type { Ctx } from './group.ts'
import type { ManifestAccepted, SdkManifest, SdkPolicy } from './manifest.schema.ts'
import { callableTools, definitionHash, isSameDigest, requiredScopes, setupState } from './tool-state.ts'

/** SDKs fetch the policy again after this time; changes by an administrator take effect then. */
const POLICY_SECONDS = 30
const REASONS = { pending_scan: 'rs_pending_scan', needs_setup: 'rs_needs_setup', scan_failed: 'rs_scan_failed', ready: '' } as const

/** The tenant of the server in the path, which authenticates with its own secret. @throws AppError client_authentication_failed, rate_limited */
const authenticatedServer = async (ctx: Ctx, id: string): Promise<TenantDb> => {
  const { t, id: authenticatedId } = await authenticateResourceServer(ctx)
  if (authenticatedId.toLowerCase() !== id.toLowerCase()) throw clientAuthenticationFailed()
  return t
}

/** @throws AppError client_authentication_failed, rate_limited */
export const readSdkPolicy = async (ctx: Ctx, id: string): Promise<z.input<typeof SdkPolicy>> => {
  const t = await authenticatedServer(ctx, id)
  const [setup, tools, scopes] = [await findResourceSetup(t, id), await listResourceTools(t, id), await listRegisteredScopes(t, id)]
  const state = setupState(
    setup,
    tools.some(({ present }) => present),
  )
  const policy = (state === 'ready' ? callableTools(tools, scopes) : []).map((tool) => ({
    name: tool.name,
    is_public: tool.isPublic,
    required_scopes: tool.isPublic ? [] : requiredScopes(tool, scopes),
  }))
  return {
    state,
    policy_complete: state === 'ready',
    reason: REASONS[state],
    rs_id: id,
    generation: setup?.generation ?? 0,
    scopes_supported: state === 'ready' ? scopes.map(({ name }) => name) : [],
    tools: Object.fromEntries(policy.map(({ name, required_scopes }) => [name, required_scopes])),
    tool_policy: policy,
    fetched_at: ctx.clock.now().toISOString(),
    ttl_seconds: POLICY_SECONDS,
  }
}

export type DeclaredTool = { readonly name: string; readonly definition: ToolDefinition; readonly suggestedScopes: readonly string[] }
type Changes = { readonly added: string[]; readonly changed: string[]; readonly removed: string[] }

const newRow = (ctx: Ctx, serverId: string, source: ToolSource, { name, definition, suggestedScopes }: DeclaredTool) => {
  const [id, at] = [ctx.random.id(), ctx.clock.now()]
  const declared = { definition, definitionHash: definitionHash(definition), suggestedScopes: [...suggestedScopes] }
  return { id, resourceServerId: serverId, name, source, ...declared, createdAt: at, changedAt: at }
}

const isAsDeclared = (known: ResourceTool, tool: DeclaredTool): boolean =>
  known.present && isSameDigest(known.definitionHash, definitionHash(tool.definition))

/** Brings the tools of one source up to date. A tool that was never activated and is no longer declared is deleted. Call under the lock of the setup. */
export const declareTools = async (
  t: TenantTx,
  ctx: Ctx,
  serverId: string,
  source: ToolSource,
  declared: readonly DeclaredTool[],
): Promise<Changes> => {
  const known = new Map((await listResourceTools(t, serverId)).map((tool) => [tool.name, tool]))
  const changes: Changes = { added: [], changed: [], removed: [] }
  for (const tool of declared) {
    const before = known.get(tool.name)
    if (before === undefined) {
      changes.added.push(tool.name)
      continue
    }
    const isSame = isAsDeclared(before, tool)
    if (!isSame) changes.changed.push(tool.name)
    if (isSame && before.source === source && before.suggestedScopes.join(' ') === tool.suggestedScopes.join(' ')) continue
    const set = { source, definition: tool.definition, definitionHash: definitionHash(tool.definition), present: true }
    const moment = isSame ? {} : { changedAt: ctx.clock.now() }
    await updateResourceTool(t, before.id, { ...set, suggestedScopes: [...tool.suggestedScopes], ...moment })
  }
  await insertResourceTools(
    t,
    declared.filter(({ name }) => !known.has(name)).map((tool) => newRow(ctx, serverId, source, tool)),
  )
  const names = new Set(declared.map(({ name }) => name))
  const gone = [...known.values()].filter((tool) => tool.source === source && tool.present && !names.has(tool.name))
  changes.removed.push(...gone.map(({ name }) => name))
  await deleteResourceTools(
    t,
    gone.filter(({ activatedHash }) => activatedHash === null).map(({ id }) => id),
  )
  for (const { id } of gone.filter(({ activatedHash }) => activatedHash !== null))
    await updateResourceTool(t, id, { present: false, changedAt: ctx.clock.now() })
  return changes
}

export const isChange = ({ added, changed, removed }: Changes): boolean => added.length + changed.length + removed.length > 0

const toDeclared = (tool: z.output<typeof SdkManifest>['tools'][number]): DeclaredTool => ({
  name: tool.name,
  definition: {
    title: tool.title,
    description: tool.description,
    inputSchema: tool.input_schema ?? null,
    annotations: tool.annotations ?? null,
  },
  suggestedScopes: [...new Set(tool.suggested_scopes)].toSorted(),
})

/** An SDK sends its manifest at every start; sending the same tools again changes and records nothing. @throws AppError client_authentication_failed, rate_limited */
export const putManifest = async (ctx: Ctx, id: string, manifest: z.output<typeof SdkManifest>): Promise<z.input<typeof ManifestAccepted>> => {
  const server = await authenticatedServer(ctx, id)
  return atomically(server, async (t) => {
    await lockResourceSetup(t, id)
    const changes = await declareTools(t, ctx, id, 'sdk_manifest', manifest.tools.map(toDeclared))
    const setup = await updateResourceSetup(
      t,
      id,
      {
        manifestAt: ctx.clock.now(),
        manifestTools: manifest.tools.length,
        manifestVersion: manifest.manifest_version ?? null,
        sdkBuildId: manifest.sdk_build_id ?? null,
      },
      isChange(changes),
    )
    const actor: Actor = { type: 'client', id }
    if (isChange(changes))
      await recordEvent(t, ctx, { event: 'resource_server.tools_declared', actor, target: { type: 'resource_server', id }, after: { ...changes } })
    return { status: 'ok', tools_seen: manifest.tools.length, generation: setup.generation }
  })
}
