// The checks of an authorization request. Their order is the security property: before the redirect URI is validated an error goes to the person, on a page;
// after that it goes to the client, at the redirect URI.
import type { OauthClient, RequestedResource } from '#db/store/oauth-clients'
import { type Details, parseDetails } from '#shared/domains/oauth/details'
import type { ResponseMode } from '#shared/domains/oauth/supported'
import { AppError } from '#shared/kernel/errors'
import { mayAnswerBy } from './redirect.ts'
import { defaultScopes, parseScopes, requireKnownScopes, resourceFor } from './scopes.ts'

/** Parameters that mean something here; others are ignored (RFC 6749 section 3.1). */
export const PARAMETERS = [
  'response_type',
  'redirect_uri',
  'scope',
  'state',
  'code_challenge',
  'code_challenge_method',
  'resource',
  'nonce',
  'prompt',
  'max_age',
  'login_hint',
  'acr_values',
  'response_mode',
  'dpop_jkt',
  'request',
  'id_token_hint',
  'ui_locales',
  'authorization_details',
] as const
export type Parameters = Partial<Readonly<Record<(typeof PARAMETERS)[number], string>>>

export const pickParameters = (sent: Readonly<Record<string, unknown>>): Parameters =>
  Object.fromEntries(
    PARAMETERS.flatMap((name) => {
      const value = sent[name]
      return typeof value === 'string' && value !== '' ? [[name, value]] : []
    }),
  )

export type Prompt = 'none' | 'login' | 'consent' | 'select_account'
const PROMPTS: readonly string[] = ['none', 'login', 'consent', 'select_account']

/** A request that passed every check that does not depend on the person. */
export type ValidatedRequest = {
  readonly client: OauthClient
  readonly redirectUri: string
  readonly responseMode: ResponseMode
  readonly state: string | undefined
  readonly resource: RequestedResource | undefined
  /** The requested scopes, or the client's default scopes where it requests none. */
  readonly scopes: readonly string[]
  readonly codeChallenge: string
  readonly nonce: string | undefined
  readonly prompts: readonly Prompt[]
  readonly maxAgeSeconds: number | undefined
  readonly acrValues: readonly string[]
  readonly loginHint: string | undefined
  readonly jkt: string | undefined
  readonly idTokenHint: string | undefined
  readonly uiLocales: string | undefined
  /** RFC 9396 */
  readonly details: Details
}

/** Where the response to a request goes, and how. */
export type ResponsePlace = Pick<ValidatedRequest, 'redirectUri' | 'responseMode' | 'state'>

/** In the query, unless the client requests another mode that it may use. */
export const responsePlaceOf = (client: OauthClient, { response_mode: mode = 'query', state }: Parameters, redirectUri: string): ResponsePlace => ({
  redirectUri,
  responseMode: mayAnswerBy(client, redirectUri, mode) ? mode : 'query',
  state,
})

type Checked = { readonly client: OauthClient; readonly parameters: Parameters; readonly pushed: boolean }
type Check = (request: Checked & { readonly redirectUri: string }) => void

const hasNoRequestObject: Check = ({ parameters }) => {
  if (parameters.request !== undefined) throw new AppError('request_not_supported')
}
const isPushedWhereRequired: Check = ({ client, pushed }) => {
  if (client.requiresPar && !pushed) throw new AppError('invalid_request', 'This client must push its requests (RFC 9126).')
}
const requestsCode: Check = ({ parameters: { response_type: type } }) => {
  if (type === undefined) throw new AppError('invalid_request', 'response_type is missing.')
  if (type !== 'code') throw new AppError('unsupported_response_type')
}
const hasAllowedResponseMode: Check = ({ client, redirectUri, parameters: { response_mode: mode = 'query' } }) => {
  if (!mayAnswerBy(client, redirectUri, mode)) throw new AppError('invalid_request', 'This response_mode is not offered to this client.')
}
const mayUseCodes: Check = ({ client }) => {
  if (!client.grantTypes.includes('authorization_code')) throw new AppError('unauthorized_client')
}
const hasChallenge: Check = ({ parameters: { code_challenge: challenge, code_challenge_method: method } }) => {
  if (challenge === undefined) throw new AppError('invalid_request', 'code_challenge is missing.')
  if (method !== 'S256') throw new AppError('invalid_request', 'code_challenge_method must be S256.')
  if (!/^[\w-]{43}$/.test(challenge)) throw new AppError('invalid_request', 'code_challenge is malformed.')
}
const hasKnownPrompts: Check = ({ parameters: { prompt } }) => {
  const named = prompt?.split(' ') ?? []
  if (named.some((name) => !PROMPTS.includes(name))) throw new AppError('invalid_request', 'prompt is not known.')
  if (named.includes('none') && named.length > 1) throw new AppError('invalid_request', 'prompt=none stands alone.')
}
const hasPlainValues: Check = ({ parameters: { max_age: age, dpop_jkt: jkt } }) => {
  if (age !== undefined && !/^\d{1,9}$/.test(age)) throw new AppError('invalid_request', 'max_age is not a number of seconds.')
  if (jkt !== undefined && !/^[\w-]{43}$/.test(jkt)) throw new AppError('invalid_request', 'dpop_jkt is malformed.')
}

const CHECKS: readonly Check[] = [
  hasNoRequestObject,
  isPushedWhereRequired,
  requestsCode,
  hasAllowedResponseMode,
  mayUseCodes,
  hasChallenge,
  hasKnownPrompts,
  hasPlainValues,
]

/**
 * Validates scope, resource and details of a request at any endpoint. The types of details are validated where the store is read.
 * @throws AppError invalid_scope, invalid_target, invalid_authorization_details
 */
export const validateRequestedAccess = (
  client: OauthClient,
  p: Pick<Parameters, 'scope' | 'resource' | 'authorization_details'>,
): Pick<ValidatedRequest, 'resource' | 'scopes' | 'details'> => {
  const requested = parseScopes(p.scope)
  const details = parseDetails(p.authorization_details) ?? []
  const resource = resourceFor(client, p.resource, requested)
  requireKnownScopes(client, resource, requested)
  if (details.length > 0 && resource === undefined) throw new AppError('invalid_target', 'authorization_details need a resource server.')
  const scopes = requested.length > 0 || details.length > 0 ? requested : defaultScopes(client, resource)
  // RFC 6749 section 3.3: without a scope and without a default the request fails for every person.
  if (scopes.length === 0 && details.length === 0) throw new AppError('invalid_scope', 'scope is missing, and this client has no default scope.')
  return { resource, scopes, details }
}

/**
 * Validates a request whose redirect URI is already validated.
 * @throws AppError what RFC 6749 section 4.1.2.1 and its extensions name
 */
export const validateAuthorizationRequest = (checked: Checked, redirectUri: string): ValidatedRequest => {
  for (const check of CHECKS) check({ ...checked, redirectUri })
  const { client, parameters: p } = checked
  return {
    client,
    ...responsePlaceOf(client, p, redirectUri),
    ...validateRequestedAccess(client, p),
    codeChallenge: p.code_challenge ?? '',
    nonce: p.nonce,
    prompts: (p.prompt?.split(' ') ?? []) as Prompt[],
    maxAgeSeconds: p.max_age === undefined ? undefined : Number(p.max_age),
    acrValues: p.acr_values?.split(' ').filter((name) => name !== '') ?? [],
    loginHint: p.login_hint,
    jkt: p.dpop_jkt,
    idTokenHint: p.id_token_hint,
    uiLocales: p.ui_locales,
  }
}
