// Wire shapes of the tools of a resource server, for the administration UI.
import * as z from 'zod'
import { Id } from '#shared/domains/administration/fields.schema'
import { ServerPath } from './servers.schema.ts'

const Members = z.record(z.string(), z.unknown())
export const ToolPath = ServerPath.extend({ tool_id: Id })
export const DriftPath = ServerPath.extend({ event_id: Id })

const Risk = z.enum(['low', 'medium', 'high', 'critical'])
const MappedScope = z.object({
  scope_id: Id,
  scope_string: z.string(),
  display_name: z.string(),
  risk_level: Risk,
  auto_matched: z.literal(false),
  source: z.literal('admin_override'),
})
const tool = {
  id: Id,
  name: z.string(),
  title: z.string(),
  description: z.string(),
  input_schema: Members.optional(),
  annotations: Members.optional(),
  /** One of them is enough. */
  scopes: z.array(MappedScope),
  is_public: z.boolean(),
  inventory_source: z.enum(['sdk_manifest', 'mcp_scan', 'manual']),
  suggested_scopes: z.array(z.string()),
  /** Whether it may be called: activated, still declared, and public or mapped. */
  callable: z.boolean(),
  activated: z.boolean(),
}
export const Tools = z.array(z.object(tool).meta({ id: 'ResourceTool' }))
export const NewTool = z
  .object({
    name: z.string().trim().min(1).max(200),
    description: z.string().max(4000).default(''),
    inventory_source: z.literal('manual').default('manual'),
  })
  .meta({ id: 'NewResourceTool' })
export const ToolAdded = z.object({ tool_id: Id, name: z.string(), inventory_source: z.literal('manual') }).meta({ id: 'ResourceToolAdded' })
export const ToolPublic = z
  .object({
    is_public: z.boolean(),
    /** The name of the tool, to make it public. */
    confirmation_token: z.string().max(200).optional(),
  })
  .meta({ id: 'ResourceToolPublic' })
export const ToolPublicSet = z.object({ tool_id: Id, is_public: z.boolean() }).meta({ id: 'ResourceToolPublicSet' })
export const ToolScopeMap = z
  .object({ mappings: z.array(z.object({ tool_id: Id, scope_id: Id, remove: z.boolean().default(false) })).max(2000) })
  .meta({ id: 'ToolScopeMap' })
export const ToolsMapped = z.object({ status: z.literal('updated'), applied: z.int(), requested: z.int() }).meta({ id: 'ToolScopeMapUpdated' })

const MatrixScope = z.object({
  id: Id,
  scope_string: z.string(),
  display_name: z.string(),
  description: z.string(),
  risk_level: Risk,
  is_auto_discovered: z.literal(false),
})
export const ScopeMatrix = z
  .object({
    resource_server: z.object({
      id: Id,
      name: z.string(),
      url: z.string(),
      status: z.string(),
      last_scan_status: z.string().nullable(),
      scan_generation: z.int(),
      last_successful_generation: z.int(),
      last_scan_started_at: z.string().nullable(),
      last_scan_completed_at: z.string().nullable(),
    }),
    tools: Tools,
    scopes: z.array(MatrixScope),
    unmapped_scopes: z.array(MatrixScope),
    total_scopes: z.int(),
    total_tools: z.int(),
  })
  .meta({ id: 'ScopeMatrix' })

const Attempt = z.object({
  id: Id,
  rs_id: Id,
  attempted_at: z.string(),
  status: z.literal('success'),
  tool_count: z.int(),
  manifest_version: z.string().optional(),
  sdk_build_id: z.string().optional(),
})
export const ManifestStatus = z
  .object({ last_attempt: Attempt.nullable(), last_success: Attempt.nullable(), never_seen: z.boolean() })
  .meta({ id: 'SdkManifestStatus' })

export const SetupChecklist = z
  .object({
    steps: z.array(z.object({ step: z.int(), name: z.string(), complete: z.boolean(), detail: z.string() })),
    can_activate: z.boolean(),
  })
  .meta({ id: 'ResourceServerSetup' })

/** What a tool can do, and who would be able to call it. */
const Effect = z.object({
  tool_id: Id,
  name: z.string(),
  title: z.string(),
  description: z.string(),
  input_schema: Members.nullable(),
  annotations: Members.nullable(),
  is_public: z.boolean(),
  required_scopes: z.array(z.string()),
  suggested_scopes: z.array(z.string()),
  /** Needed for the required scopes. */
  permissions: z.array(z.string()),
  /** Roles with one of these permissions; empty for a caller who may not read roles. */
  roles: z.array(z.string()),
  /** Whether a required scope needs no permission, so that every person of the tenant can get it. */
  open_to_everyone: z.boolean(),
})
export const ActivationPreview = z
  .object({
    tools: z.object({ total: z.int(), public: z.int(), mapped: z.int(), unmapped: z.int() }),
    scopes: z.array(z.object({ scope_string: z.string(), display_name: z.string(), tool_count: z.int() })),
    scope_count: z.int(),
    default_role: z.string(),
    viewer_scopes: z.array(z.string()),
    public_tool_names: z.array(z.string()),
    first_time_user_grant: z.array(z.string()),
    can_activate: z.boolean(),
    /** Sent to `activate`, it makes sure that nothing was declared since. */
    generation: z.int(),
    /** May not be called before the activation. */
    new_tools: z.array(Effect),
    changed_tools: z.array(Effect),
    removed_tools: z.array(z.string()),
  })
  .meta({ id: 'ActivationPreview' })
export const Activate = z.object({ generation: z.int().min(0).optional() }).meta({ id: 'ActivateResourceServer' })
export const Activated = z.object({ status: z.literal('ready'), generation: z.int() }).meta({ id: 'ResourceServerActivated' })

export const DriftEvents = z
  .object({
    events: z.array(
      z.object({
        id: Id,
        rs_id: Id,
        event_type: z.enum(['tool_added', 'tool_changed', 'tool_removed']),
        event_payload: z.object({ tool_name: z.string(), activated: Members.nullable(), declared: Effect.nullable() }),
        occurred_at: z.iso.datetime(),
      }),
    ),
  })
  .meta({ id: 'DriftEvents' })
export const DriftDismissed = z.object({ status: z.literal('dismissed') }).meta({ id: 'DriftDismissed' })

const State = z.enum(['pending_scan', 'needs_setup', 'ready', 'scan_failed'])
export const TestLogin = z
  .object({
    resource_server: z.object({ id: Id, name: z.string(), state: State, status: z.string() }),
    oauth: z.object({ state: State, ready_since: z.string().optional() }),
    sdk_enforcement: z.object({ sdk_policy_state: State, tool_count: z.int(), unmapped_tools: z.int() }),
  })
  .meta({ id: 'ResourceServerTestLogin' })

export const Rescan = z
  .object({
    /** Sent to the server with this one request, never stored. */
    mcp_token: z.string().max(8192).optional(),
  })
  .meta({ id: 'RescanResourceServer' })
export const Rescanned = z
  .object({
    status: z.enum(['ok', 'failed']),
    last_scan_status: z.enum(['ok', 'failed']),
    result: z.object({ tools: z.int(), added: z.array(z.string()), changed: z.array(z.string()), removed: z.array(z.string()) }),
  })
  .meta({ id: 'ResourceServerRescanned' })
