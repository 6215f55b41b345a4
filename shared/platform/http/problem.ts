// Renders an AppError as a response body. A group chooses its renderer; no rule builds an error response.

import type { RequestInfo } from '#shared/kernel/context'
import { AppError, ERRORS, type ErrorCode } from '#shared/kernel/errors'

export type RenderedError = {
  /** A JSON body, or the text of a page. */
  readonly body: Readonly<Record<string, unknown>> | string
  readonly type: string
  readonly headers: Readonly<Record<string, string>>
  /** Status, when it differs from the error's own. */
  readonly status?: number
}
/** The failed request, and its body as sent. */
export type ErrorContext = {
  /** Undefined when the path is unknown. */
  readonly request: RequestInfo | undefined
  readonly sent: unknown
  /** A header of the request. */
  readonly header: (name: string) => string | undefined
  readonly baseUrl: string
  /** Whether the request was for a hosted page or for a form of one. */
  readonly isOfPage: boolean
  /** Whether pages explain the error to a developer. */
  readonly isDevelopment: boolean
  /** Where the page of the error leads, when that is not the requested page. */
  readonly next?: string
}
/** `at` is the time of the failure. */
export type ErrorRenderer = (error: AppError, requestId: string, at: Date, context?: ErrorContext) => RenderedError | Promise<RenderedError>

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

/** Unavailable dependencies usually recover soon (RFC 9110 section 10.2.3). */
export const UNAVAILABLE_HEADERS = { 'Retry-After': '2' } as const

export const headersOf = (error: AppError): Readonly<Record<string, string>> => ({
  ...challenge(error),
  ...(error.details.retryAfterSeconds === undefined ? {} : { 'Retry-After': String(error.details.retryAfterSeconds) }),
  ...(error.code === 'unavailable' && error.details.retryAfterSeconds === undefined ? UNAVAILABLE_HEADERS : {}),
  ...error.details.headers,
})

/** AuthSec's error format, below /authsec: `error` is a sentence, `code` is stable. */
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

/** Where the catalogue explains an error. */
export const errorTypePath = (code: ErrorCode): string => `/errors/${code}`

/** Problem details (RFC 9457), for paths of our own. */
export const problem: ErrorRenderer = (error, requestId, _at, context) => ({
  type: 'application/problem+json',
  headers: headersOf(error),
  body: {
    type: `${context?.baseUrl ?? ''}${errorTypePath(error.code)}`,
    title: ERRORS[error.code].title,
    status: error.status,
    ...(error.message === ERRORS[error.code].title ? {} : { detail: error.message }),
    code: error.code,
    ...(error.details.field === undefined ? {} : { field: error.details.field }),
    request_id: requestId,
    ...error.details.extra,
  },
})

/** AuthSec's second error format, where `code` is the status: `error` is the stable code, `message` the sentence. */
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

/** Protocol names of our codes, where they differ (RFC 6749 section 5.2, RFC 6750 section 3.1, RFC 8628 section 3.5, OpenID CIBA Core section 13). */
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
/** Our codes that are protocol names. */
const PROTOCOL_CODES: ReadonlySet<string> = new Set([
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
  'spend_id_reused',
])

/** The protocol name of a code; a code without one becomes `invalid_request`. */
export const oauthName = (code: ErrorCode): string => PROTOCOL_NAMES[code] ?? (PROTOCOL_CODES.has(code) ? code : 'invalid_request')
/** RFC 6749 Appendix A.8 allows neither quotes nor backslashes nor non-ASCII characters. */
export const oauthDescription = (text: string): string => text.replaceAll(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, "'")

/** `error` is the protocol's code and `error_description` its sentence. Further members are our own, with `message` for clients that read it. */
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

/** The authorization server's endpoints: error names exactly as in the specifications. */
export const authorizationServerError = protocolError(oauthName)

/** Malformed client metadata has the error names of RFC 7591 section 3.2.2. */
export const registrationError: ErrorRenderer = (error, ...more) => {
  const { field = '' } = error.details
  if (error.code !== 'invalid_request' || !field.startsWith('body')) return authorizationServerError(error, ...more)
  const code = field.startsWith('body.redirect_uris') ? 'invalid_redirect_uri' : 'invalid_client_metadata'
  return authorizationServerError(new AppError(code, error.message, error.details), ...more)
}

/** Error names of AuthSec's endpoints for the same grants, where they differ. */
const AUTHSEC_NAMES: Readonly<Partial<Record<ErrorCode, string>>> = {
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
/** Below /authsec: as above, but a code without a protocol name stays unchanged. */
const PROTOCOL_BELOW_AUTHSEC: ReadonlySet<string> = new Set(['authorization_denied', 'client_unauthenticated', 'internal'])
export const oauthError = protocolError((code) => AUTHSEC_NAMES[code] ?? (PROTOCOL_BELOW_AUTHSEC.has(code) ? oauthName(code) : code))

const PLANE_CODES: Readonly<Record<number, string>> = {
  400: 'BAD_REQUEST',
  401: 'UNAUTHORIZED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  409: 'CONFLICT',
  429: 'RATE_LIMITED',
  500: 'INTERNAL_ERROR',
  503: 'SERVICE_UNAVAILABLE',
}

/** The format of AuthSec's identity plane: `error` is an object whose code follows from the status. The top-level members are our own. */
export const planeError: ErrorRenderer = (error, requestId) => ({
  type: 'application/json',
  headers: headersOf(error),
  body: {
    error: { code: PLANE_CODES[error.status] ?? 'BAD_REQUEST', message: error.message },
    code: error.code,
    ...(error.details.field === undefined ? {} : { field: error.details.field }),
    request_id: requestId,
    ...error.details.extra,
  },
})

/** AuthSec's third error format, where the body has a `success` member. */
export const outcomeError: ErrorRenderer = (error, requestId) => {
  const { type, headers, body } = authsecError(error, requestId)
  return { type, headers, body: { success: false, ...(typeof body === 'string' ? {} : body) } }
}
