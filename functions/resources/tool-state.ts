// What a tool may do and how it differs from what an administrator activated. Pure.
import type { RegisteredScope } from '#db/store/resource-servers'
import type { ResourceSetup, ResourceTool, ToolDefinition } from '#db/store/resource-tools'
import { sha256 } from '#shared/platform/crypto/sha256'

type Scopes = readonly Pick<RegisteredScope, 'name' | 'permission'>[]

/** Sorts the members, so that the order in which a server sends them makes no difference. */
const canonical = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(canonical)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => [name, canonical(member)]),
  )
}
export const definitionHash = (definition: ToolDefinition): Uint8Array => sha256(JSON.stringify(canonical(definition)))

const hex = (bytes: Uint8Array | null): string => Buffer.from(bytes ?? []).toString('hex')
export const isSameDigest = (one: Uint8Array | null, other: Uint8Array | null): boolean => hex(one) === hex(other)

/** The scopes of the tool that still exist; a caller needs one of them. */
export const requiredScopes = ({ scopes }: Pick<ResourceTool, 'scopes'>, known: Scopes): string[] =>
  scopes.filter((name) => known.some((scope) => scope.name === name)).toSorted()

/** Whether anyone can call the tool once it is active. */
export const isMapped = (tool: Pick<ResourceTool, 'scopes' | 'isPublic'>, known: Scopes): boolean =>
  tool.isPublic || requiredScopes(tool, known).length > 0

/** Tools that may be called: activated, still declared, and public or mapped to a scope. All others are left out, which SDKs read as a refusal. */
export const callableTools = (tools: readonly ResourceTool[], known: Scopes): ResourceTool[] =>
  tools.filter((tool) => tool.activated !== null && tool.present && isMapped(tool, known))

/** The permissions that callers of the tool need: those of the scopes that let them call it. None where it is public. */
export const guardingPermissions = (tool: ResourceTool, known: Scopes): string[] =>
  tool.isPublic ? [] : requiredScopes(tool, known).flatMap((name) => known.find((scope) => scope.name === name)?.permission ?? [])

/** Whether administrators see the tool. A tool keeps its row after its removal was accepted, so that it returns with its scopes. */
export const isListed = ({ present, activated }: Pick<ResourceTool, 'present' | 'activated'>): boolean => present || activated !== null

export type SetupState = 'pending_scan' | 'needs_setup' | 'ready' | 'scan_failed'
export const setupState = (setup: ResourceSetup | undefined, hasTools: boolean): SetupState => {
  if (setup?.activatedAt != null) return 'ready'
  if (hasTools) return 'needs_setup'
  return setup?.scanStatus === 'failed' ? 'scan_failed' : 'pending_scan'
}

export type Drift = { readonly id: string; readonly type: 'tool_added' | 'tool_changed' | 'tool_removed'; readonly tool: ResourceTool }

const driftType = (tool: ResourceTool): Drift['type'] | undefined => {
  if (tool.activated === null) return tool.present ? 'tool_added' : undefined
  if (!tool.present) return 'tool_removed'
  return isSameDigest(tool.activatedHash, tool.definitionHash) ? undefined : 'tool_changed'
}

/** The same difference has the same id, also when the server sends its manifest again. */
const driftId = (tool: ResourceTool, type: Drift['type']): string => {
  const digest = hex(sha256(`${tool.id} ${type} ${hex(tool.definitionHash)}`))
  return `${digest.slice(0, 8)}-${digest.slice(8, 12)}-8${digest.slice(13, 16)}-a${digest.slice(17, 20)}-${digest.slice(20, 32)}`
}

/** How the declared tools differ from the activated ones, except for what an administrator dismissed. Empty before the first activation. */
export const driftOf = (setup: ResourceSetup | undefined, tools: readonly ResourceTool[]): Drift[] =>
  setup?.activatedAt == null
    ? []
    : tools.flatMap((tool) => {
        const type = driftType(tool)
        const id = type === undefined ? '' : driftId(tool, type)
        return type === undefined || tool.dismissed === id ? [] : [{ id, type, tool }]
      })
