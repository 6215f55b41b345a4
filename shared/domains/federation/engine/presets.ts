// Built-in providers and the peculiarities of known ones.
import { isUuid } from '#shared/kernel/ids'

export type Preset = {
  readonly displayName: string
  readonly issuer: string
  readonly scopes: string
  /** Set for providers without an ID token, whose API names the person. */
  readonly github?: GithubEndpoints
}
export type GithubEndpoints = { readonly authorization: string; readonly token: string; readonly user: string }

const GITHUB_SCOPES = 'read:user user:email'

export const PRESETS: Readonly<Record<string, Preset>> = {
  google: { displayName: 'Google', issuer: 'https://accounts.google.com', scopes: 'openid email profile' },
  microsoft: { displayName: 'Microsoft', issuer: 'https://login.microsoftonline.com/common/v2.0', scopes: 'openid email profile' },
  github: {
    displayName: 'GitHub',
    issuer: 'https://github.com/login/oauth',
    scopes: GITHUB_SCOPES,
    github: {
      authorization: 'https://github.com/login/oauth/authorize',
      token: 'https://github.com/login/oauth/access_token',
      user: 'https://api.github.com/user',
    },
  },
}

/**
 * A GitHub Enterprise server. All endpoints and the issuer are on the origin of its authorization endpoint, so that no other origin can speak for its people.
 */
export const githubEnterprise = (authorizationUrl: string): Omit<Preset, 'displayName'> | undefined => {
  if (!URL.canParse(authorizationUrl)) return undefined
  const { origin, pathname } = new URL(authorizationUrl)
  if (pathname !== '/login/oauth/authorize' || origin === 'https://github.com') return undefined
  return {
    issuer: `${origin}/login/oauth`,
    scopes: GITHUB_SCOPES,
    github: { authorization: authorizationUrl, token: `${origin}/login/oauth/access_token`, user: `${origin}/api/v3/user` },
  }
}

export const ENTRA_ORIGIN = 'https://login.microsoftonline.com'
const isEntra = (issuer: string): boolean => new URL(issuer).origin === ENTRA_ORIGIN

/**
 * The issuer of a provider known only by its authorization endpoint: Google, Microsoft Entra, LinkedIn, Okta or Auth0.
 */
export const issuerOfEndpoint = (authorizationUrl: string): string | undefined => {
  if (!URL.canParse(authorizationUrl)) return undefined
  const { origin, host, pathname } = new URL(authorizationUrl)
  if (host === 'accounts.google.com') return PRESETS.google?.issuer
  if (origin === 'https://www.linkedin.com') return `${origin}/oauth`
  const directory = /^\/([\w.-]+)\/oauth2\/v2\.0\/authorize$/.exec(pathname)?.[1]
  if (origin === ENTRA_ORIGIN && directory !== undefined) return `${ENTRA_ORIGIN}/${directory}/v2.0`
  if (/\.(okta|oktapreview|okta-emea)\.com$/.test(host)) return `${origin}${/^\/oauth2\/(?!v1\/)[\w-]+/.exec(pathname)?.[0] ?? ''}`
  return /\.auth0\.com$/.test(host) ? `${origin}/` : undefined
}

/** Authorization parameters that a provider needs beside the protocol's. */
export const extraParameters = (issuer: string): Readonly<Record<string, string>> => {
  if (issuer === PRESETS.google?.issuer) return { access_type: 'offline', prompt: 'select_account' }
  return isEntra(issuer) ? { response_mode: 'query' } : {}
}

/** Microsoft's tenant for personal accounts. */
const CONSUMERS = '9188040d-6c67-4c5b-b112-36a304b66dad'

type Claims = Readonly<Record<string, unknown>>

/** Microsoft's directories share one address: `tid` must be a directory, match the issuer, and be of the configured kind. */
export const isRightDirectory = (issuer: string, claims: Claims): boolean => {
  if (!isEntra(issuer)) return true
  const { tid, iss } = claims
  if (!isUuid(tid) || iss !== `${ENTRA_ORIGIN}/${tid}/v2.0`) return false
  const kind = new URL(issuer).pathname.split('/')[1]
  if (kind === 'organizations') return tid !== CONSUMERS
  return kind !== 'consumers' || tid === CONSUMERS
}

const isTrue = (value: unknown): boolean => value === true || value === 1 || value === 'true' || value === '1'

/**
 * Whether the provider verified the address. Microsoft's `email` is any text of a directory's administrator; only `xms_edov` says whether the domain's owner was
 * verified.
 */
export const isEmailVerified = (issuer: string, claims: Claims): boolean => isTrue(isEntra(issuer) ? claims.xms_edov : claims.email_verified)
