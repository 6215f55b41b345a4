// For authors of resource servers: lets a request through when it carries an access token of this issuer, for this resource, with what the place needs; says to
// everybody else how to get one.
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
  /** Address of the authorization server, as its metadata has it: `https://id.example.com`. */
  readonly issuer: string
  /** This resource server's own identifier (RFC 8707): the audience of its tokens, and the address it is reached at. */
  readonly resource: string
  /** For people, in the metadata. */
  readonly name?: string
  /** What can be asked for here, in the metadata. */
  readonly scopes?: readonly string[]
  /** Types of authorization details (RFC 9396) that it understands, in the metadata. */
  readonly detailTypes?: readonly string[]
  /** Of this resource server at the issuer: its id and introspection secret. Left out, nothing is learned of revocations: a token counts until it expires. */
  readonly credentials?: IntrospectionCredentials
  /**
   * `keys` (the default): tokens are checked here by the issuer's keys, and its revocations are read at most once a second, when a request comes; a token that
   * one of them means is asked about. `introspection`: every token is asked about.
   */
  readonly checkedBy?: 'keys' | 'introspection'
  /** Where shown proofs are noted; see `NoteOnce`. */
  readonly noteOnce?: NoteOnce
  readonly fetch?: typeof fetch
  readonly now?: () => Date
}

/** Either the token, or the refusal to send. */
export type Verdict = { readonly token: AccessToken; readonly refusal?: undefined } | { readonly token?: undefined; readonly refusal: Response }
export type Guarded = (request: Request, token: AccessToken) => Response | Promise<Response>

export type Guard = {
  /** Judges a request. */
  readonly check: (request: Request, requirement?: Requirement) => Promise<Verdict>
  /** The protected resource metadata (RFC 9728), where the request asks for it; undefined for any other request. */
  readonly metadata: (request: Request) => Response | undefined
  /** A fetch handler that serves the metadata, and hands the rest to yours with the token. */
  readonly protect: (requirement: Requirement, handler: Guarded) => (request: Request) => Promise<Response>
}

type Net = Pick<GuardOptions, 'issuer' | 'resource'> & { readonly fetch: typeof fetch; readonly now: () => Date }
type Scheme = 'bearer' | 'dpop'
type Shown = { readonly scheme: Scheme; readonly token: string }

/** RFC 6750 section 2.1; in a query or a form no token is looked for. */
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

/** Tokens by the issuer's keys; where it may be asked, those that a revocation means are. */
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
    // A bound token is no bearer token, nor the other way round (RFC 9449 section 7.1).
    if (token === undefined || (token.jkt === undefined) !== (shown.scheme === 'bearer')) return 'invalid_token'
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
