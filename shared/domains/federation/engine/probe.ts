// Checks whether people could sign in through a provider now: its metadata, its keys and our client. Results are fixed codes, never the provider's text.
import { FetchFailure, type FetchFailureReason } from '#shared/platform/fetch/guarded'
import { checkOutboundUrl } from '#shared/platform/fetch/outbound-url'
import { type EngineCtx, probeTokenEndpoint, type UpstreamClient } from './engine.ts'
import type { GithubEndpoints } from './presets.ts'
import { isSigningKey, type Metadata, readJson, readMetadata } from './responses.ts'

export type ProbeError =
  | 'metadata_unreachable'
  | 'metadata_malformed'
  | 'issuer_differs'
  | 'endpoint_refused'
  | 'code_flow_missing'
  | 'keys_unreachable'
  | 'keys_missing'
  | 'client_refused'
export type ProbeWarning = 'pkce_not_announced' | 'issuer_not_announced' | 'client_unproved' | 'scope_email_missing' | 'scope_openid_missing'
export type ProbeResult = {
  readonly errors: readonly ProbeError[]
  readonly warnings: readonly ProbeWarning[]
  /** Why the provider could not be reached. */
  readonly reason?: FetchFailureReason
  readonly metadata?: Metadata
}

const reasonOf = (error: unknown): FetchFailureReason => {
  for (let e: unknown = error; e instanceof Error; e = e.cause) if (e instanceof FetchFailure) return e.reason
  return 'connection'
}

const wellKnown = (issuer: string): string => `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`

/** Microsoft's shared issuers contain a placeholder for the directory. */
const isIssuer = (issuer: string, reported: string): boolean =>
  reported === issuer || reported.replace('{tenantid}', new URL(issuer).pathname.split('/')[1] ?? '') === issuer

const checkMetadata = (ctx: EngineCtx, peer: UpstreamClient, metadata: Metadata): ProbeError[] => {
  const endpoints = [metadata.authorization_endpoint, metadata.token_endpoint, metadata.jwks_uri]
  const refused = endpoints.some((url) => url === undefined || typeof checkOutboundUrl(url, ctx.outbound) === 'string')
  return [
    ...(isIssuer(peer.issuer, metadata.issuer) ? [] : (['issuer_differs'] as const)),
    ...(refused ? (['endpoint_refused'] as const) : []),
    ...(metadata.response_types_supported?.includes('code') === false ? (['code_flow_missing'] as const) : []),
  ]
}

const checkKeys = async (ctx: EngineCtx, url: string): Promise<ProbeError | undefined> => {
  const answer = await ctx.outbound.send({ url, method: 'GET', headers: { accept: 'application/json' } }).catch(() => undefined)
  if (answer?.status !== 200) return 'keys_unreachable'
  const keys = (readJson(answer.body) as { readonly keys?: unknown } | undefined)?.keys
  return Array.isArray(keys) && keys.some(isSigningKey) ? undefined : 'keys_missing'
}

const warningsOf = (peer: UpstreamClient, metadata: Metadata): ProbeWarning[] => [
  ...(metadata.code_challenge_methods_supported?.includes('S256') === true ? [] : (['pkce_not_announced'] as const)),
  ...(metadata.authorization_response_iss_parameter_supported === true ? [] : (['issuer_not_announced'] as const)),
  ...(peer.scopes.split(' ').includes('email') ? [] : (['scope_email_missing'] as const)),
  ...(peer.scopes.split(' ').includes('openid') ? [] : (['scope_openid_missing'] as const)),
]

const clientResult = (answer: 'known' | 'refused' | 'unclear'): Pick<ProbeResult, 'errors' | 'warnings'> => ({
  errors: answer === 'refused' ? ['client_refused'] : [],
  warnings: answer === 'unclear' ? ['client_unproved'] : [],
})

/** GitHub answers 200 with an error that tells whether the client or the code is wrong. */
const probeGithub = async (ctx: EngineCtx, { clientId, secret }: UpstreamClient, { token }: GithubEndpoints): Promise<ProbeResult> => {
  const form = { client_id: clientId, client_secret: secret ?? '', code: 'none' }
  const headers = { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' }
  try {
    const answer = await ctx.outbound.send({ url: token, method: 'POST', headers, body: new URLSearchParams(form).toString() })
    const error = (readJson(answer.body) as { readonly error?: unknown } | undefined)?.error
    return clientResult(error === 'bad_verification_code' ? 'known' : error === 'incorrect_client_credentials' ? 'refused' : 'unclear')
  } catch (error) {
    return { errors: ['metadata_unreachable'], warnings: [], reason: reasonOf(error) }
  }
}

/** Bypasses the cache, because the result is about the present. Changes nothing. */
export const probeProvider = async (ctx: EngineCtx, peer: UpstreamClient): Promise<ProbeResult> => {
  if (peer.github !== undefined) return probeGithub(ctx, peer, peer.github)
  const sent = await ctx.outbound.send({ url: wellKnown(peer.issuer), method: 'GET', headers: { accept: 'application/json' } }).then(
    (answer) => ({ answer }),
    (error: unknown) => ({ reason: reasonOf(error) }),
  )
  if ('reason' in sent) return { errors: ['metadata_unreachable'], warnings: [], reason: sent.reason }
  if (sent.answer.status !== 200) return { errors: ['metadata_unreachable'], warnings: [] }
  const metadata = readMetadata(sent.answer.body)
  if (metadata === undefined) return { errors: ['metadata_malformed'], warnings: [] }
  const errors = checkMetadata(ctx, peer, metadata)
  if (errors.length > 0) return { errors, warnings: warningsOf(peer, metadata), metadata }
  const keys = await checkKeys(ctx, metadata.jwks_uri ?? '')
  const client = clientResult(await probeTokenEndpoint(ctx, peer))
  return {
    errors: [...(keys === undefined ? [] : [keys]), ...client.errors],
    warnings: [...warningsOf(peer, metadata), ...client.warnings],
    metadata,
  }
}
