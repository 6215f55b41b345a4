// All errors of a route: its declared ones, and those of access, parsing and mounting.

import { ERRORS, type ErrorCode } from '#shared/kernel/errors'
import {
  authorizationServerError,
  authsecError,
  type ErrorRenderer,
  oauthError,
  outcomeError,
  planeError,
  problem,
  registrationError,
  statusError,
} from '#shared/platform/http/problem'
import type { Route } from '#shared/platform/http/route'
import { pageError } from '#shared/platform/pages/error.tsx'
import { lazyPageError, outcomeErrorOrPage } from '#shared/platform/pages/lazy-error.tsx'
import type { JsonSchema } from './document.ts'

type Declared = Pick<Route<never>, 'access' | 'body' | 'form' | 'errors'>

const OF_PEOPLE: readonly ErrorCode[] = ['unauthorized', 'invalid_token', 'tenant_mismatch', 'quota_exceeded', 'password_change_required']

const OF_FORMS: readonly ErrorCode[] = ['cross_site', 'form_expired', 'tenant_mismatch', 'quota_exceeded']

const ofAccess = ({ access }: Declared): readonly ErrorCode[] => {
  switch (access.rule) {
    case 'open':
      return []
    case 'userOrNobody':
      return OF_PEOPLE
    case 'user':
      return [...OF_PEOPLE.filter((code) => !(access.withTemporaryPassword && code === 'password_change_required')), ...stepUp(access.stepUp)]
    case 'permission':
      return [...OF_PEOPLE, 'insufficient_scope', ...stepUp(access.stepUp)]
    case 'client':
      return [...(access.orUser ? OF_PEOPLE : (['tenant_mismatch', 'quota_exceeded'] as const)), 'client_authentication_failed', 'insufficient_scope']
    case 'workload':
      return ['unauthorized', 'invalid_token', 'tenant_mismatch', 'quota_exceeded']
    case 'page':
      return OF_FORMS
    case 'browser':
      return [...OF_FORMS, 'sign_in_required', 'quota_exceeded', ...stepUp(access.stepUp)]
    case 'metrics':
      return ['unauthorized', 'invalid_token', 'not_found']
  }
}
const stepUp = (requirement: object | undefined): readonly ErrorCode[] => (requirement === undefined ? [] : ['insufficient_user_authentication'])

const ofParsing = ({ body, form }: Declared): readonly ErrorCode[] => [
  'invalid_request',
  'payload_too_large',
  'too_many_members',
  ...(body === undefined ? [] : (['invalid_json', 'unsupported_media_type'] as const)),
  ...(form === undefined ? [] : (['unsupported_media_type'] as const)),
]

const OF_ALL: readonly ErrorCode[] = ['unknown_host', 'headers_too_large', 'rate_limited', 'unavailable', 'timeout', 'internal']

/** Codes by status, both ascending and without duplicates. */
export const failuresOf = (route: Declared): ReadonlyMap<number, readonly ErrorCode[]> => {
  const codes = [...new Set([...route.errors, ...ofAccess(route), ...ofParsing(route), ...OF_ALL])].sort()
  const byStatus = new Map<number, ErrorCode[]>()
  for (const code of codes) byStatus.set(ERRORS[code].status, [...(byStatus.get(ERRORS[code].status) ?? []), code])
  return new Map([...byStatus].sort(([a], [b]) => a - b))
}

/** Headers that tell a caller how to recover from the error. */
export const failureHeaders = (status: number, codes: readonly ErrorCode[]): readonly ('Retry-After' | 'WWW-Authenticate')[] => [
  ...(codes.some((code) => CHALLENGED.has(code)) ? (['WWW-Authenticate'] as const) : []),
  ...(status === 429 || codes.includes('unavailable') ? (['Retry-After'] as const) : []),
]
const CHALLENGED: ReadonlySet<ErrorCode> = new Set([
  'unauthorized',
  'invalid_token',
  'client_authentication_failed',
  'insufficient_scope',
  'insufficient_user_authentication',
])

export type ErrorShape = { readonly name: string; readonly type: string; readonly schema: JsonSchema }

const CODE = { type: 'string', description: 'Stable, for programs.' }
const FIELD = { type: 'string', description: 'The failing field, as a path: body.email.' }
const REQUEST_ID = { type: 'string', description: 'As in X-Request-ID.' }

const SHAPES: ReadonlyMap<ErrorRenderer, ErrorShape> = new Map([
  [
    authorizationServerError,
    {
      name: 'AuthorizationServerError',
      type: 'application/json',
      schema: {
        type: 'object',
        description: 'RFC 6749 section 5.2.',
        properties: {
          error: { type: 'string', description: 'The error name of the specification.' },
          error_description: { type: 'string', description: 'A sentence for people; it may change.' },
          message: { type: 'string' },
          code: CODE,
          field: FIELD,
          request_id: REQUEST_ID,
        },
        required: ['error', 'error_description', 'message', 'code', 'request_id'],
      },
    },
  ],
  [
    authsecError,
    {
      name: 'AuthsecError',
      type: 'application/json',
      schema: {
        type: 'object',
        properties: {
          error: { type: 'string', description: 'A sentence for people; it may change. insufficient_scope where a permission is missing.' },
          error_description: { type: 'string' },
          message: { type: 'string' },
          code: CODE,
          field: FIELD,
          request_id: REQUEST_ID,
        },
        required: ['error', 'message', 'code', 'request_id'],
      },
    },
  ],
  [
    outcomeError,
    {
      name: 'OutcomeError',
      type: 'application/json',
      schema: {
        type: 'object',
        properties: {
          success: { type: 'boolean', const: false },
          error: { type: 'string' },
          error_description: { type: 'string' },
          message: { type: 'string', description: 'A sentence for people; it may change.' },
          code: CODE,
          field: FIELD,
          request_id: REQUEST_ID,
        },
        required: ['success', 'error', 'message', 'code', 'request_id'],
      },
    },
  ],
  [
    planeError,
    {
      name: 'PlaneError',
      type: 'application/json',
      schema: {
        type: 'object',
        properties: {
          error: {
            type: 'object',
            properties: {
              code: { type: 'string', description: 'Follows from the status: BAD_REQUEST, NOT_FOUND, …' },
              message: { type: 'string', description: 'A sentence for people; it may change.' },
            },
            required: ['code', 'message'],
          },
          code: CODE,
          field: FIELD,
          request_id: REQUEST_ID,
        },
        required: ['error', 'code', 'request_id'],
      },
    },
  ],
  [
    statusError,
    {
      name: 'StatusError',
      type: 'application/json',
      schema: {
        type: 'object',
        properties: {
          error: CODE,
          message: { type: 'string', description: 'A sentence for people; it may change.' },
          code: { type: 'integer', description: 'The HTTP status.' },
          timestamp: { type: 'string', format: 'date-time' },
          field: FIELD,
          request_id: REQUEST_ID,
        },
        required: ['error', 'message', 'code', 'timestamp', 'request_id'],
      },
    },
  ],
  [
    oauthError,
    {
      name: 'OauthError',
      type: 'application/json',
      schema: {
        type: 'object',
        description: 'RFC 6749 section 5.2.',
        properties: {
          error: { type: 'string', description: 'The error code of the protocol.' },
          error_description: { type: 'string', description: 'A sentence for people; it may change.' },
          message: { type: 'string', description: 'The same sentence.' },
          code: CODE,
          field: FIELD,
          request_id: REQUEST_ID,
        },
        required: ['error', 'error_description', 'message', 'code', 'request_id'],
      },
    },
  ],
  [
    problem,
    {
      name: 'Problem',
      type: 'application/problem+json',
      schema: {
        type: 'object',
        description: 'RFC 9457.',
        properties: {
          type: { type: 'string', format: 'uri', description: 'The page of the error in the catalogue.' },
          title: { type: 'string' },
          status: { type: 'integer' },
          detail: { type: 'string' },
          code: CODE,
          field: FIELD,
          request_id: REQUEST_ID,
        },
        required: ['type', 'title', 'status', 'code', 'request_id'],
      },
    },
  ],
])

/** A page in the reader's language; programs read `data-code`. */
const PAGE: ErrorShape = { name: 'ErrorPage', type: 'text/html', schema: { type: 'string', description: 'A page that explains the error.' } }

/** Renderers with the same shape as another. */
const LIKE: ReadonlyMap<ErrorRenderer, ErrorRenderer> = new Map([
  [registrationError, authorizationServerError],
  [outcomeErrorOrPage, outcomeError],
])

/** The shape of a renderer's errors. A new renderer needs an entry here. */
export const errorShape = (render: ErrorRenderer): ErrorShape => {
  const shape = render === pageError || render === lazyPageError ? PAGE : SHAPES.get(LIKE.get(render) ?? render)
  if (shape === undefined) throw new Error('The shape of this renderer is not described.')
  return shape
}
