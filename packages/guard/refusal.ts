// How a resource server refuses: RFC 6750 section 3, RFC 9449 section 7.1, RFC 9470 section 3, with where to go for a token (RFC 9728 section 5.1).
import { CLIENT_SIGNING_ALGS } from '../../shared/domains/oauth/supported.ts'

/** What is needed to say whether a token counts cannot be reached. Nothing is let through meanwhile. */
export class AuthorizationServerUnavailable extends Error {}

export type Requirement = {
  /** All of them. */
  readonly scopes?: readonly string[]
  /** One of them. */
  readonly acrValues?: readonly string[]
  /** How long ago the person may have signed in, in seconds. */
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
  missing_token: 'An access token is needed.',
  invalid_request: 'The request carries more than one token, or a malformed one.',
  invalid_token: 'The access token is malformed, expired, revoked, or for another resource.',
  insufficient_scope: 'The access token does not carry the scope that this needs.',
  insufficient_user_authentication: 'The person has to sign in again, or more strongly.',
  invalid_dpop_proof: 'The proof of possession is missing, malformed, too old, or was used before.',
  foreign_origin: 'This server is called by the names of this machine alone, and not by pages from elsewhere.',
  unavailable: 'Whether the token still counts cannot be said right now.',
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

/** By which codes of ours go to the client. */
const NAMED: Partial<Readonly<Record<RefusalCode, string>>> = {
  missing_token: 'invalid_token',
  foreign_origin: 'invalid_request',
  unavailable: 'temporarily_unavailable',
}
/** Against these no other token helps. */
const UNCHALLENGED: ReadonlySet<RefusalCode> = new Set(['foreign_origin', 'unavailable'])

/** The refusal as it goes to the client. */
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
