// The selectors by which an agent is recognised, and its SPIFFE id. All of them are validated before anything is stored.
import type { Config } from '#shared/kernel/config'
import { AppError } from '#shared/kernel/errors'

/** Keys that a platform's evidence can prove. */
export const SELECTOR_KEYS = {
  kubernetes: ['k8s:ns', 'k8s:sa', 'k8s:pod-label:app', 'k8s:container-name'],
  docker: ['docker:label:app', 'docker:image-id', 'docker:container-id'],
  unix: ['unix:uid', 'unix:gid'],
} as const satisfies Record<string, readonly string[]>
export type AgentPlatform = keyof typeof SELECTOR_KEYS
export const AGENT_PLATFORMS = Object.keys(SELECTOR_KEYS) as readonly AgentPlatform[]

export const platformOf = (name: string): AgentPlatform | undefined => AGENT_PLATFORMS.find((platform) => platform === name)

/** @throws AppError invalid_request with `supported_platforms` */
export const requirePlatform = (name: string, field: string): AgentPlatform => {
  const platform = platformOf(name)
  if (platform !== undefined) return platform
  throw new AppError('invalid_request', 'The platform is not supported.', { field, extra: { supported_platforms: AGENT_PLATFORMS } })
}

export type AgentRequest = {
  readonly agent_type?: string | undefined
  readonly platform?: string | undefined
  readonly selectors?: Readonly<Record<string, string>> | undefined
}
export type AgentAttestation = {
  readonly agentType: string
  readonly platform: AgentPlatform | undefined
  readonly selectors: Readonly<Record<string, string>> | undefined
}

const refuse = (field: string, why: string): never => {
  throw new AppError('invalid_request', `${field}: ${why}`, { field })
}

/** One segment of a SPIFFE path; never `.` or `..`. */
const SEGMENT = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,64}$/
const DEFAULT_AGENT = 'agent'
const MOST_SELECTORS = 20

/** @throws AppError invalid_request naming the invalid member */
export const agentOf = (request: AgentRequest): AgentAttestation => {
  const agentType = request.agent_type ?? DEFAULT_AGENT
  if (!SEGMENT.test(agentType)) refuse('body.agent_type', 'letters, digits, dots, hyphens and underscores, at most 64')
  const platform = request.platform === undefined ? undefined : requirePlatform(request.platform, 'body.platform')
  const selectors = Object.entries(request.selectors ?? {})
  if (selectors.length === 0) return { agentType, platform, selectors: undefined }
  if (platform === undefined) return refuse('body.platform', 'is required with selectors')
  const keys: readonly string[] = SELECTOR_KEYS[platform]
  if (selectors.length > MOST_SELECTORS) refuse('body.selectors', `at most ${MOST_SELECTORS}`)
  for (const [key, value] of selectors) {
    if (!keys.includes(key)) refuse('body.selectors', `on ${platform} only ${keys.join(', ')}`)
    if (value.trim() === '') refuse('body.selectors', `${key} must have a value`)
  }
  return { agentType, platform, selectors: Object.fromEntries(selectors) }
}

/**
 * Only agents have selectors. `agent_type` and `platform` are ignored, because AuthSec's UI sends them for every client.
 * @throws AppError invalid_request
 */
export const requireNoSelectors = ({ selectors }: AgentRequest): void => {
  if (Object.keys(selectors ?? {}).length > 0) refuse('body.selectors', 'only an ai_agent has selectors')
}

/** The SPIFFE id of an agent. */
export const spiffeIdOf = (config: Pick<Config, 'SPIFFE_TRUST_DOMAIN'>, tenantId: string, agentType: string, clientId: string): string =>
  `spiffe://${config.SPIFFE_TRUST_DOMAIN}/tenants/${tenantId}/agents/${agentType}/${clientId}`
