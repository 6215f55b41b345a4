// Providers that need no row of their own to be spoken to, and what is peculiar to them.
import { isUuid } from '#shared/kernel/ids'

export type Preset = {
  readonly displayName: string
  readonly issuer: string
  readonly scopes: string
  /** Without an ID token: who signed in is asked of the provider's API. */
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
 * A GitHub server of one's own: everything on one origin, so that nobody but that origin can speak of its people. The issuer is that origin's, never one that a
 * row claims.
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
 * The issuer of a provider that is named by its authorization endpoint alone, where the two are known to belong together: of Google, Microsoft Entra,
 * LinkedIn, Okta and Auth0.
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

/** What is asked beside the protocol's own parameters. */
export const extraParameters = (issuer: string): Readonly<Record<string, string>> => {
  if (issuer === PRESETS.google?.issuer) return { access_type: 'offline', prompt: 'select_account' }
  return isEntra(issuer) ? { response_mode: 'query' } : {}
}

/** The directory in which Microsoft keeps personal accounts. */
const CONSUMERS = '9188040d-6c67-4c5b-b112-36a304b66dad'

type Claims = Readonly<Record<string, unknown>>

/** Microsoft's many directories share one address: the directory that the token names must be one, its issuer, and of the kind that was asked for. */
export const isRightDirectory = (issuer: string, claims: Claims): boolean => {
  if (!isEntra(issuer)) return true
  const { tid, iss } = claims
  if (!isUuid(tid) || iss !== `${ENTRA_ORIGIN}/${tid}/v2.0`) return false
  const kind = new URL(issuer).pathname.split('/')[1]
  if (kind === 'organizations') return tid !== CONSUMERS
  return kind !== 'consumers' || tid === CONSUMERS
}

const says = (value: unknown): boolean => value === true || value === 1 || value === 'true' || value === '1'

/**
 * Whether the provider has verified the address. Microsoft's `email` is whatever a directory's administrator typed: there `xms_edov` says whether the owner of
 * the domain was verified, and nothing else does.
 */
export const isEmailVerified = (issuer: string, claims: Claims): boolean => says(isEntra(issuer) ? claims.xms_edov : claims.email_verified)
