// AppError -> response body. A group picks its renderer; no rule builds an error response.

import type { RequestInfo } from '#shared/kernel/context'
import { AppError, ERRORS, type ErrorCode } from '#shared/kernel/errors'

export type RenderedError = {
  /** JSON, or the text of a page. */
  readonly body: Readonly<Record<string, unknown>> | string
  readonly type: string
  readonly headers: Readonly<Record<string, string>>
  /** Where it is not the error's own. */
  readonly status?: number
}
/** The request that failed, and what its body said. */
export type ErrorContext = { readonly request: RequestInfo; readonly sent: unknown }
/** `at` is when it happened. `asked` is missing where the path is unknown. */
export type ErrorRenderer = (error: AppError, requestId: string, at: Date, asked?: ErrorContext) => RenderedError | Promise<RenderedError>

const challenge = (error: AppError): Readonly<Record<string, string>> => {
  switch (error.code) {
    case 'unauthorized':
      return { 'WWW-Authenticate': 'Bearer realm="authsec", error="invalid_request"' }
    case 'invalid_token':
      return { 'WWW-Authenticate': 'Bearer realm="authsec", error="invalid_token"' }
    case 'insufficient_scope':
      return { 'WWW-Authenticate': 'Bearer realm="authsec", error="insufficient_scope"' }
    default:
      return {}
  }
}

/** What is away comes back by itself, usually soon (RFC 9110 section 10.2.3). */
export const UNAVAILABLE_HEADERS = { 'Retry-After': '2' } as const

export const headersOf = (error: AppError): Readonly<Record<string, string>> => ({
  ...challenge(error),
  ...(error.details.retryAfterSeconds === undefined ? {} : { 'Retry-After': String(error.details.retryAfterSeconds) }),
  ...(error.code === 'unavailable' && error.details.retryAfterSeconds === undefined ? UNAVAILABLE_HEADERS : {}),
  ...error.details.headers,
})

/** The shape below /authsec: `error` is a sentence, `code` is stable (AuthSec's shape). */
export const authsecError = (error: AppError, requestId: string): RenderedError => {
  const scope = error.code === 'insufficient_scope'
  return {
    type: 'application/json',
    headers: headersOf(error),
    body: {
      error: scope ? 'insufficient_scope' : error.message,
      ...(scope ? { error_description: error.message } : {}),
      message: error.code === 'internal' ? 'An unexpected error occurred' : error.message,
      code: error.code,
      ...(error.details.field === undefined ? {} : { field: error.details.field }),
      request_id: requestId,
      ...error.details.extra,
    },
  }
}

/** RFC 9457, for paths of our own. */
export const problem: ErrorRenderer = (error, requestId) => ({
  type: 'application/problem+json',
  headers: headersOf(error),
  body: {
    type: 'about:blank',
    title: ERRORS[error.code].title,
    status: error.status,
    ...(error.message === ERRORS[error.code].title ? {} : { detail: error.message }),
    code: error.code,
    ...(error.details.field === undefined ? {} : { field: error.details.field }),
    request_id: requestId,
    ...error.details.extra,
  },
})

/** Where AuthSec's `code` is the status (E2): `error` is the stable code, `message` the sentence. */
export const statusError: ErrorRenderer = (error, requestId, at) => ({
  type: 'application/json',
  headers: headersOf(error),
  body: {
    error: error.code,
    message: error.message,
    code: error.status,
    timestamp: at.toISOString(),
    ...(error.details.field === undefined ? {} : { field: error.details.field }),
    request_id: requestId,
    ...error.details.extra,
  },
})

/** What the protocols call our codes, where they have another name for them (RFC 6749 section 5.2, RFC 6750 section 3.1, RFC 8628 section 3.5, OpenID CIBA Core section 13). */
const PROTOCOL_NAMES: Partial<Record<ErrorCode, string>> = {
  client_authentication_failed: 'invalid_client',
  client_unauthenticated: 'invalid_client',
  unauthorized: 'invalid_token',
  authorization_denied: 'access_denied',
  access_pending: 'access_denied',
  ciba_user_unknown: 'unknown_user_id',
  ciba_no_device: 'unknown_user_id',
  registration_refused: 'access_denied',
  rate_limited: 'temporarily_unavailable',
  quota_exceeded: 'temporarily_unavailable',
  too_many_requests_pending: 'temporarily_unavailable',
  unavailable: 'temporarily_unavailable',
  timeout: 'temporarily_unavailable',
  internal: 'server_error',
}
/** Codes of ours that are the protocols’ own words. */
const AS_THEY_ARE: ReadonlySet<string> = new Set([
  'invalid_token',
  'insufficient_scope',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'unsupported_response_type',
  'invalid_scope',
  'invalid_target',
  'invalid_dpop_proof',
  'use_dpop_nonce',
  'invalid_request_uri',
  'access_denied',
  'request_not_supported',
  'login_required',
  'consent_required',
  'unmet_authentication_requirements',
  'authorization_pending',
  'slow_down',
  'expired_token',
  'invalid_binding_message',
  'invalid_redirect_uri',
  'invalid_client_metadata',
  'invalid_authorization_details',
  'limit_exceeded',
])

/** The protocols’ name of a code; what none of them knows is a malformed request. */
export const oauthName = (code: ErrorCode): string => PROTOCOL_NAMES[code] ?? (AS_THEY_ARE.has(code) ? code : 'invalid_request')
/** Appendix A.8 of RFC 6749 leaves out quotes, backslashes and what is not ASCII. */
export const oauthDescription = (text: string): string => text.replaceAll(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, "'")

/** `error` is the protocol’s code, its sentence `error_description`; what else stands beside them is ours, and `message` for clients that read that. */
const protocolError =
  (nameOf: (code: ErrorCode) => string): ErrorRenderer =>
  (error, requestId) => ({
    type: 'application/json',
    headers: { ...headersOf(error), 'Cache-Control': 'no-store', Pragma: 'no-cache' },
    body: {
      error: nameOf(error.code),
      error_description: oauthDescription(error.message),
      message: error.message,
      code: error.code,
      ...(error.details.field === undefined ? {} : { field: error.details.field }),
      request_id: requestId,
      ...error.details.extra,
    },
  })

/** The authorization server’s own endpoints: the error of the specification, letter for letter. */
export const authorizationServerError = protocolError(oauthName)

/** What cannot be read of a client’s metadata is called as RFC 7591 section 3.2.2 calls it. */
export const registrationError: ErrorRenderer = (error, ...more) => {
  const { field = '' } = error.details
  if (error.code !== 'invalid_request' || !field.startsWith('body')) return authorizationServerError(error, ...more)
  const code = field.startsWith('body.redirect_uris') ? 'invalid_redirect_uri' : 'invalid_client_metadata'
  return authorizationServerError(new AppError(code, error.message, error.details), ...more)
}

/** Where the original’s doors to the same grants have words of their own. */
const ORIGINAL_NAMES: Readonly<Partial<Record<ErrorCode, string>>> = {
  ciba_user_unknown: 'user_not_found',
  ciba_no_device: 'no_device_registered',
  voice_invalid_request: 'invalid_request',
  voice_expired: 'expired_token',
  voice_invalid_grant: 'invalid_grant',
  invalid_credentials: 'invalid_grant',
  password_reset_required: 'invalid_grant',
  temporary_password_expired: 'invalid_grant',
  email_not_verified: 'invalid_grant',
}
/** Below /authsec: the same, and a code that no protocol knows stays as it is. */
const PROTOCOL_AT_THE_DOORS: ReadonlySet<string> = new Set(['authorization_denied', 'client_unauthenticated', 'internal'])
export const oauthError = protocolError((code) => ORIGINAL_NAMES[code] ?? (PROTOCOL_AT_THE_DOORS.has(code) ? oauthName(code) : code))

/** Where AuthSec tells success in the body (E4). */
export const outcomeError: ErrorRenderer = (error, requestId) => {
  const { type, headers, body } = authsecError(error, requestId)
  return { type, headers, body: { success: false, ...(typeof body === 'string' ? {} : body) } }
}
