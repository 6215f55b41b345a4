// Refusals of a resource server: RFC 6750 section 3, RFC 9449 section 7.1, RFC 9470 section 3, with the URL of the metadata (RFC 9728 section 5.1).
import { CLIENT_SIGNING_ALGS } from '../../shared/domains/oauth/supported.ts'

/** A service that is needed to check a token is unreachable; requests are refused meanwhile. */
export class AuthorizationServerUnavailable extends Error {}

export type Requirement = {
  /** All of them. */
  readonly scopes?: readonly string[]
  /** One of them. */
  readonly acrValues?: readonly string[]
  /** The longest time since the sign-in of the person, in seconds. */
  readonly maxAge?: number
}

export type RefusalCode =
  | 'missing_token'
  | 'invalid_request'
  | 'invalid_token'
  | 'insufficient_scope'
  | 'insufficient_user_authentication'
  | 'invalid_dpop_proof'
  | 'foreign_origin'
  | 'unavailable'

const STATUS: Readonly<Record<RefusalCode, number>> = {
  missing_token: 401,
  invalid_request: 400,
  invalid_token: 401,
  insufficient_scope: 403,
  insufficient_user_authentication: 401,
  invalid_dpop_proof: 401,
  foreign_origin: 403,
  unavailable: 503,
}
const DESCRIPTION: Readonly<Record<RefusalCode, string>> = {
  missing_token: 'An access token is required.',
  invalid_request: 'The request carries more than one token, or a malformed one.',
  invalid_token: 'The access token is malformed, expired, revoked, or for another resource.',
  insufficient_scope: 'The access token does not have the required scope.',
  insufficient_user_authentication: 'A more recent or stronger sign-in is required.',
  invalid_dpop_proof: 'The proof of possession is missing, malformed, expired, or already used.',
  foreign_origin: 'This server accepts only loopback host names, and no requests from pages of other origins.',
  unavailable: 'The token cannot be checked at the moment.',
}

const quoted = (parameters: Readonly<Record<string, string | undefined>>): string =>
  Object.entries(parameters)
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name}="${value}"`]))
    .join(', ')

const challenges = (code: RefusalCode, metadata: string, { scopes, acrValues, maxAge }: Requirement): string => {
  const isNamed = code !== 'missing_token'
  const common = {
    error: isNamed ? code : undefined,
    error_description: isNamed ? DESCRIPTION[code] : undefined,
    scope: scopes === undefined || scopes.length === 0 ? undefined : scopes.join(' '),
    ...(code === 'insufficient_user_authentication' ? { acr_values: acrValues?.join(' '), max_age: maxAge?.toString() } : {}),
    resource_metadata: metadata,
  }
  const { error: _, error_description: __, ...quiet } = common
  const isOfProof = code === 'invalid_dpop_proof'
  return `Bearer ${quoted(isOfProof ? quiet : common)}, DPoP ${quoted({ ...(isOfProof ? common : quiet), algs: CLIENT_SIGNING_ALGS.join(' ') })}`
}

/** Maps our codes to the error codes of the response. */
const NAMED: Partial<Readonly<Record<RefusalCode, string>>> = {
  missing_token: 'invalid_token',
  foreign_origin: 'invalid_request',
  unavailable: 'temporarily_unavailable',
}
/** For these errors a different token does not help. */
const UNCHALLENGED: ReadonlySet<RefusalCode> = new Set(['foreign_origin', 'unavailable'])

/** The refusal as an HTTP response. */
export const refuse = (code: RefusalCode, metadata: string, requirement: Requirement): Response => {
  const error = NAMED[code] ?? code
  return Response.json(
    { error, error_description: DESCRIPTION[code] },
    {
      status: STATUS[code],
      headers: {
        'Cache-Control': 'no-store',
        ...(code === 'unavailable' ? { 'Retry-After': '1' } : {}),
        ...(UNCHALLENGED.has(code) ? {} : { 'WWW-Authenticate': challenges(code, metadata, requirement) }),
      },
    },
  )
}
