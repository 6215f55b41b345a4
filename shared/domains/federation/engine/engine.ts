// The authorization code flow with a provider, by openid-client (RFC 6749, RFC 7636, RFC 9207, OpenID Connect Core). Loaded with the first federated sign-in.
import type { ClientAuth, Configuration } from 'openid-client'
import type { BaseCtx } from '#shared/domains/context'
import { systemClock } from '#shared/kernel/clock'
import type { Outbound } from '#shared/platform/fetch/guarded'
import { checkOutboundUrl } from '#shared/platform/fetch/outbound-url'
import { documentCacheOf, readCached, storeCached } from './document-cache.ts'
import { fetchMetadata, outboundFetch } from './fetch.ts'
import { extraParameters, type GithubEndpoints, isEmailVerified, isRightDirectory } from './presets.ts'
import { type Profile, profileOf } from './profile.ts'

type Library = typeof import('openid-client')
export type EngineCtx = Pick<BaseCtx, 'clock'> & { readonly outbound: Outbound }

/** A provider and our client at it. */
export type UpstreamClient = {
  readonly issuer: string
  readonly clientId: string
  readonly secret: string | undefined
  readonly scopes: string
  /** Extra authorization parameters of the tenant; never one of the protocol's own. */
  readonly parameters?: Readonly<Record<string, string>>
  readonly github?: GithubEndpoints
}
export type AuthorizationFlow = { readonly state: string; readonly redirectUri: string; readonly verifier: string; readonly nonce: string }
export type StartedFlow = { readonly url: string; readonly issuer: string; readonly announcesIssuer: boolean }

const TIMEOUT_SECONDS = 10

const load = (): Promise<Library> => import('openid-client')

/** As the provider's metadata says; `client_secret_basic` by default (OpenID Connect Discovery section 3). */
const authentication = (library: Library, secret: string | undefined): ClientAuth => {
  if (secret === undefined) return library.None()
  const [post, basic] = [library.ClientSecretPost(secret), library.ClientSecretBasic(secret)]
  return (as, client, body, headers) =>
    (as.token_endpoint_auth_methods_supported?.includes('client_secret_post') ? post : basic)(as, client, body, headers)
}

const githubConfiguration = (library: Library, { issuer, clientId, secret, github }: UpstreamClient): Configuration | undefined => {
  if (github === undefined) return undefined
  const server = { issuer, authorization_endpoint: github.authorization, token_endpoint: github.token }
  return new library.Configuration(server, clientId, {}, secret === undefined ? library.None() : library.ClientSecretPost(secret))
}

const discover = async (library: Library, ctx: EngineCtx, peer: UpstreamClient): Promise<Configuration> => {
  const issuer = new URL(peer.issuer)
  const config = await library.discovery(issuer, peer.clientId, {}, authentication(library, peer.secret), {
    [library.customFetch]: fetchMetadata(ctx.outbound, ctx.clock),
    timeout: TIMEOUT_SECONDS,
    execute: ctx.outbound.loopback && issuer.protocol === 'http:' ? [library.allowInsecureRequests] : [],
  })
  // By default the library trusts the TLS connection of the token endpoint; this checks the signature as well.
  library.enableNonRepudiationChecks(config)
  return config
}

const configure = async (library: Library, ctx: EngineCtx, peer: UpstreamClient): Promise<Configuration> => {
  const config = githubConfiguration(library, peer) ?? (await discover(library, ctx, peer))
  config[library.customFetch] = outboundFetch(ctx.outbound)
  config.timeout = TIMEOUT_SECONDS
  if (ctx.outbound.loopback && peer.issuer.startsWith('http:')) library.allowInsecureRequests(config)
  return config
}

/** The URL to send the browser to. Errors of the library and of the outbound fetch pass through. */
export const startFlow = async (ctx: EngineCtx, peer: UpstreamClient, flow: AuthorizationFlow): Promise<StartedFlow> => {
  const library = await load()
  const config = await configure(library, ctx, peer)
  const server = config.serverMetadata()
  const url = library.buildAuthorizationUrl(config, {
    ...extraParameters(peer.issuer),
    ...peer.parameters,
    redirect_uri: flow.redirectUri,
    scope: peer.scopes,
    state: flow.state,
    code_challenge: await library.calculatePKCECodeChallenge(flow.verifier),
    code_challenge_method: 'S256',
    ...(peer.github === undefined ? { nonce: flow.nonce } : {}),
  })
  // The browser goes there, so `javascript:` and plain http are refused whatever the metadata says.
  if (typeof checkOutboundUrl(url.href.split('?')[0] ?? '', ctx.outbound) === 'string')
    throw new Error('The authorization endpoint is not an allowed URL.')
  return { url: url.href, issuer: server.issuer, announcesIssuer: server.authorization_response_iss_parameter_supported === true }
}

/**
 * Cached keys are passed as slightly old: the library then refetches them when a token names an unknown key, so a provider's key rotation works at once.
 */
const REPORTED_KEY_AGE_SECONDS = 61

const withKeys = async <T>(library: Library, ctx: EngineCtx, config: Configuration, work: () => Promise<T>): Promise<T> => {
  const { keys } = documentCacheOf(ctx.outbound)
  const address = config.serverMetadata().jwks_uri ?? ''
  const known = readCached(keys, address, ctx.clock)
  // The library uses the machine's clock.
  const reportedAt = Math.floor(systemClock.now().getTime() / 1000) - REPORTED_KEY_AGE_SECONDS
  if (known !== undefined) library.setJwksCache(config, { jwks: known, uat: reportedAt })
  try {
    const result = await work()
    const used = library.getJwksCache(config)
    if (used !== undefined && used.uat !== reportedAt) storeCached(keys, address, used.jwks, ctx.clock)
    return result
  } catch (error) {
    // The provider may have replaced keys under their ids.
    keys.delete(address)
    throw error
  }
}

const callbackOf = (flow: AuthorizationFlow, code: string, iss: string | undefined): URL => {
  const url = new URL(flow.redirectUri)
  url.search = new URLSearchParams({ code, state: flow.state, ...(iss === undefined ? {} : { iss }) }).toString()
  return url
}

const json = async (library: Library, config: Configuration, token: string, url: string): Promise<unknown> => {
  const answer = await library.fetchProtectedResource(config, token, new URL(url), 'GET', undefined, new Headers({ accept: 'application/json' }))
  if (answer.status !== 200) throw new Error(`The provider's API answered ${answer.status}.`)
  return answer.json()
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null

/** GitHub has no ID token; its API names the person. The numeric id never changes hands, the login does. */
const githubProfile = async (library: Library, config: Configuration, peer: UpstreamClient, github: GithubEndpoints, token: string) => {
  const user = await json(library, config, token, github.user)
  const emails = await json(library, config, token, `${github.user}/emails`)
  if (!isRecord(user) || !Number.isSafeInteger(user.id) || Number(user.id) <= 0 || !Array.isArray(emails)) return undefined
  const primary = emails.filter(isRecord).find((one) => one.primary === true && one.verified === true)
  return profileOf({
    issuer: peer.issuer,
    subject: String(user.id),
    email: primary?.email,
    emailVerified: primary !== undefined,
    name: user.name ?? user.login,
    picture: user.avatar_url,
    amr: undefined,
    acr: undefined,
  })
}

const openidProfile = async (
  library: Library,
  config: Configuration,
  peer: UpstreamClient,
  tokens: Awaited<ReturnType<Library['authorizationCodeGrant']>>,
) => {
  const claims = tokens.claims()
  if (claims === undefined || !isRightDirectory(peer.issuer, claims)) return undefined
  const needsUserInfo = claims.email === undefined && config.serverMetadata().userinfo_endpoint !== undefined
  // The library compares the subject (OpenID Connect Core section 5.3.2).
  const more = needsUserInfo ? await library.fetchUserInfo(config, tokens.access_token, claims.sub) : {}
  const reported: Readonly<Record<string, unknown>> = needsUserInfo ? more : claims
  return profileOf({
    issuer: claims.iss,
    subject: claims.sub,
    // The address and its verification must come from the same source.
    email: reported.email,
    emailVerified: isEmailVerified(peer.issuer, reported),
    name: claims.name ?? reported.name,
    picture: claims.picture ?? reported.picture,
    amr: claims.amr,
    acr: claims.acr,
  })
}

/** Redeems the code for the person's profile; undefined when the answer names no person. Errors of the library and the outbound fetch pass through. */
export const finishFlow = async (ctx: EngineCtx, peer: UpstreamClient, flow: AuthorizationFlow, code: string): Promise<Profile | undefined> => {
  const library = await load()
  const config = await configure(library, ctx, peer)
  const server = config.serverMetadata()
  // `iss` was compared at the callback.
  const url = callbackOf(flow, code, server.authorization_response_iss_parameter_supported === true ? server.issuer : undefined)
  return withKeys(library, ctx, config, async () => {
    const openid = peer.github === undefined ? { expectedNonce: flow.nonce, idTokenExpected: true } : {}
    const tokens = await library.authorizationCodeGrant(config, url, {
      expectedState: flow.state,
      pkceCodeVerifier: flow.verifier,
      ...openid,
    })
    return peer.github === undefined
      ? openidProfile(library, config, peer, tokens)
      : githubProfile(library, config, peer, peer.github, tokens.access_token)
  })
}

/**
 * Checks whether the provider knows our client by redeeming an invalid code: the answer is `invalid_grant` for a known client and an authentication error for an
 * unknown one (RFC 6749 section 5.2).
 */
export const probeTokenEndpoint = async (ctx: EngineCtx, peer: UpstreamClient): Promise<'known' | 'refused' | 'unclear'> => {
  const library = await load()
  try {
    const config = await configure(library, ctx, peer)
    await library.genericGrantRequest(config, 'authorization_code', { code: 'none', redirect_uri: peer.issuer, code_verifier: 'v'.repeat(43) })
    return 'unclear'
  } catch (error) {
    const reported = error instanceof library.ResponseBodyError ? error.error : undefined
    const isChallenge = error instanceof library.WWWAuthenticateChallengeError && error.status === 401
    if (isChallenge || reported === 'invalid_client' || reported === 'unauthorized_client') return 'refused'
    return reported === 'invalid_grant' ? 'known' : 'unclear'
  }
}
