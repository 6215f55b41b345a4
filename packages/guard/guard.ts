// For authors of resource servers: lets a request pass if it has an access token of this issuer, for this resource, that meets the requirements of the route; all
// other requests are refused with instructions for getting a token.
import { checkByIntrospection, type IntrospectionCredentials } from './check-by-introspection.ts'
import { checkByKeys } from './check-by-keys.ts'
import { metadataPath, metadataResponse } from './metadata.ts'
import { type NoteOnce, noteInMemory, verifyProof } from './proof.ts'
import { isRebound } from './rebinding.ts'
import { AuthorizationServerUnavailable, type RefusalCode, type Requirement, refuse } from './refusal.ts'
import { revocationFeed } from './revocations.ts'
import type { AccessToken, Check } from './token.ts'

export type { IntrospectionCredentials } from './check-by-introspection.ts'
export { authInfo, type McpAuthInfo } from './mcp.ts'
export type { NoteOnce } from './proof.ts'
export type { Requirement } from './refusal.ts'
export type { AccessToken, Actor, Claims } from './token.ts'

export type GuardOptions = {
  /** URL of the authorization server, as in its metadata: `https://id.example.com`. */
  readonly issuer: string
  /** This resource server's identifier (RFC 8707): the audience of its tokens, and the URL at which it is reached. */
  readonly resource: string
  /**
   * Id of your tenant at the issuer. Tokens of another tenant are refused. The issuer serves many tenants, and an identifier whose domain is not verified may have
   * been taken by another one: name the tenant wherever the tokens are not introspected.
   */
  readonly tenant?: string
  /** Display name, in the metadata. */
  readonly name?: string
  /** Scopes that clients can request, in the metadata. */
  readonly scopes?: readonly string[]
  /** Supported types of authorization details (RFC 9396), in the metadata. */
  readonly detailTypes?: readonly string[]
  /** Id and introspection secret of this resource server at the issuer. Without them no revocations are read: a token is accepted until it expires. */
  readonly credentials?: IntrospectionCredentials
  /**
   * `keys` (the default): tokens are checked locally with the issuer's keys, and its revocations are read at most once a second, when a request comes; a token that
   * a revocation affects is introspected. `introspection`: every token is introspected.
   */
  readonly checkedBy?: 'keys' | 'introspection'
  /** Where used proofs are recorded; see `NoteOnce`. */
  readonly noteOnce?: NoteOnce
  readonly fetch?: typeof fetch
  readonly now?: () => Date
}

/** Either the token, or the refusal to send. */
export type Verdict = { readonly token: AccessToken; readonly refusal?: undefined } | { readonly token?: undefined; readonly refusal: Response }
export type Guarded = (request: Request, token: AccessToken) => Response | Promise<Response>

export type Guard = {
  /** Checks a request. */
  readonly check: (request: Request, requirement?: Requirement) => Promise<Verdict>
  /** The protected resource metadata (RFC 9728) if the request is for it; undefined for any other request. */
  readonly metadata: (request: Request) => Response | undefined
  /** A fetch handler that serves the metadata and passes other requests to yours, with the token. */
  readonly protect: (requirement: Requirement, handler: Guarded) => (request: Request) => Promise<Response>
}

type Net = Pick<GuardOptions, 'issuer' | 'resource'> & { readonly fetch: typeof fetch; readonly now: () => Date }
type Scheme = 'bearer' | 'dpop'
type Shown = { readonly scheme: Scheme; readonly token: string }

/** RFC 6750 section 2.1; tokens in the query or a form are not accepted. */
const shownIn = (request: Request): Shown | RefusalCode => {
  const header = request.headers.get('authorization')
  const [scheme = '', token = '', ...rest] = (header ?? '').split(' ')
  const kind = scheme.toLowerCase()
  if (header === null || (kind !== 'bearer' && kind !== 'dpop')) return 'missing_token'
  return rest.length > 0 || !/^[\w.~+/-]+=*$/.test(token) ? 'invalid_request' : { scheme: kind, token }
}

const missing = (token: AccessToken, { scopes = [], acrValues = [], maxAge }: Requirement, now: Date): RefusalCode | undefined => {
  if (!scopes.every((scope) => token.scopes.includes(scope))) return 'insufficient_scope'
  if (acrValues.length === 0 && maxAge === undefined) return undefined
  const { authentication } = token
  if (authentication === undefined) return 'insufficient_user_authentication'
  const isOld = maxAge !== undefined && (now.getTime() - authentication.authTime.getTime()) / 1000 > maxAge
  return isOld || (acrValues.length > 0 && !acrValues.includes(authentication.acr)) ? 'insufficient_user_authentication' : undefined
}

/** Checks tokens with the issuer's keys; tokens that a revocation affects are introspected where credentials allow it. */
const checkFor = (options: GuardOptions, net: Net): Check => {
  const { credentials, checkedBy = 'keys' } = options
  const jwksUri = `${net.issuer}/.well-known/jwks.json`
  if (credentials === undefined && checkedBy === 'introspection') throw new TypeError('Introspection needs credentials.')
  const byKeys = checkByKeys({ ...net, jwksUri })
  if (credentials === undefined) return byKeys
  const ask = checkByIntrospection({ ...net, endpoint: `${net.issuer}/oauth/introspect`, credentials })
  if (checkedBy === 'introspection') return ask
  const revocations = revocationFeed({ ...net, jwksUri, credentials })
  return async (shown) => {
    const token = await byKeys(shown)
    return token !== undefined && (await revocations.mean(token)) ? ask(shown) : token
  }
}

export const guard = (options: GuardOptions): Guard => {
  const { issuer, resource, fetch: given = fetch, now = () => new Date() } = options
  const { origin } = new URL(resource)
  const metadataUrl = `${origin}${metadataPath(resource)}`
  const noteOnce = options.noteOnce ?? noteInMemory(now)
  const checkToken = checkFor(options, { issuer, resource, fetch: given, now })

  const judge = async (request: Request, requirement: Requirement): Promise<AccessToken | RefusalCode> => {
    if (isRebound(request, resource)) return 'foreign_origin'
    const shown = shownIn(request)
    if (typeof shown === 'string') return shown
    const token = await checkToken(shown.token)
    // A bound token is not a bearer token, and a bearer token is not a bound one (RFC 9449 section 7.1).
    if (token === undefined || (options.tenant !== undefined && token.tenantId !== options.tenant)) return 'invalid_token'
    if ((token.jkt === undefined) !== (shown.scheme === 'bearer')) return 'invalid_token'
    if (token.jkt !== undefined) {
      const called = { proof: request.headers.get('dpop'), method: request.method, url: `${origin}${new URL(request.url).pathname}` }
      if (!(await verifyProof({ ...called, token: shown.token, jkt: token.jkt }, now, noteOnce))) return 'invalid_dpop_proof'
    }
    return missing(token, requirement, now()) ?? token
  }

  const check = async (request: Request, requirement: Requirement = {}): Promise<Verdict> => {
    try {
      const checked = await judge(request, requirement)
      return typeof checked === 'string' ? { refusal: refuse(checked, metadataUrl, requirement) } : { token: checked }
    } catch (error) {
      if (!(error instanceof AuthorizationServerUnavailable)) throw error
      return { refusal: refuse('unavailable', metadataUrl, requirement) }
    }
  }
  const metadata = (request: Request): Response | undefined => metadataResponse(options, request)

  return {
    check,
    metadata,
    protect: (requirement, handler) => async (request) => {
      const document = metadata(request)
      if (document !== undefined) return document
      const { token, refusal } = await check(request, requirement)
      return refusal ?? handler(request, token)
    },
  }
}
