// Wire shapes of AuthSec's SDK: the policy that a resource server fetches, and the manifest of tools that it sends.
import * as z from 'zod'
import { Id } from '#shared/domains/administration/fields.schema'

const ToolName = z.string().trim().min(1).max(200)
const Members = z.record(z.string(), z.unknown())
const ManifestTool = z.object({
  name: ToolName,
  title: z.string().max(500).default(''),
  description: z.string().max(20_000).default(''),
  input_schema: Members.nullish(),
  /** Hints of the Model Context Protocol, such as `readOnlyHint` and `destructiveHint`. */
  annotations: Members.nullish(),
  suggested_scopes: z.array(z.string().max(120)).max(50).default([]),
})
export const SdkManifest = z
  .object({
    tools: z.array(ManifestTool).min(1).max(500),
    manifest_version: z.string().max(100).optional(),
    sdk_build_id: z.string().max(200).optional(),
  })
  .refine(({ tools }) => new Set(tools.map(({ name }) => name)).size === tools.length, { path: ['tools'], message: 'two tools have the same name' })
  .meta({ id: 'SdkManifest' })
export const ManifestAccepted = z.object({ status: z.literal('ok'), tools_seen: z.int(), generation: z.int() }).meta({ id: 'SdkManifestAccepted' })

const State = z.enum(['pending_scan', 'needs_setup', 'ready', 'scan_failed'])
export const SdkPolicy = z
  .object({
    state: State,
    /** Without it every tool is refused. */
    policy_complete: z.boolean(),
    reason: z.string(),
    rs_id: Id,
    generation: z.int(),
    scopes_supported: z.array(z.string()),
    /** For older SDKs: an empty list means public. */
    tools: z.record(z.string(), z.array(z.string())),
    /** A tool that is not listed may not be called. One of the required scopes is enough. */
    tool_policy: z.array(z.object({ name: z.string(), is_public: z.boolean(), required_scopes: z.array(z.string()) })),
    fetched_at: z.iso.datetime(),
    ttl_seconds: z.int(),
  })
  .meta({ id: 'SdkPolicy' })
