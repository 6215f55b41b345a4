// Routes of the authorization endpoint, its consent form, and pushed authorization requests.

import { ENDPOINTS } from '#shared/domains/oauth/supported'
import { browser, open, page } from '#shared/platform/http/access'
import { empty, HttpResult, htmlOrRedirect, json } from '#shared/platform/http/route'
import { lazyPageError } from '#shared/platform/pages/lazy-error.tsx'
import { AuthorizationForm, AuthorizeQuery, ConsentForm, PushedAnswer, PushedForm } from './authorize.schema.ts'
import { route } from './group.ts'

/** RFC 8707 section 2 */
const REPEATABLE = ['resource'] as const

const authorizationByGet = {
  access: page('The client sends a person here who may have to sign in first.', { class: 'general' }),
  query: AuthorizeQuery,
  repeatable: REPEATABLE,
  reply: htmlOrRedirect(),
  errors: ['sign_in_required', 'invalid_request_uri', 'login_challenge_invalid', 'consent_challenge_invalid', 'quota_exceeded'],
  emits: [
    'oauth.authorized',
    'client.registered',
    'client.registration_changed',
    'client.consents_ended',
    'resource_access.requested',
    'role_binding.assigned',
    'token.reissued',
    'user.signed_out',
  ],
  render: lazyPageError,
} as const
const authorizationByForm = {
  access: open('Redirects to the same by GET, and changes nothing.', { class: 'general' }),
  form: AuthorizationForm,
  repeatable: REPEATABLE,
  reply: empty(303),
  errors: [],
  emits: 'nothing',
  render: lazyPageError,
} as const

const withoutUndefined = (query: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))

const redirectToGet = (form: Readonly<Record<string, string | undefined>>): HttpResult<undefined> =>
  new HttpResult(undefined, { headers: { Location: `${ENDPOINTS.authorization}?${new URLSearchParams(withoutUndefined(form))}` } })

export const authorizeRoutes = [
  route({
    ...authorizationByGet,
    id: 'oauth.authorize',
    on: 'GET /oauth/authorize',
    summary: 'Start an authorization (RFC 6749 section 4.1.1).',
    handle: async ({ ctx, principal, query }) => (await import('./authorize.ts')).authorize(ctx, principal, withoutUndefined(query)),
  }),
  route({
    ...authorizationByGet,
    id: 'oauth.authorize.alias',
    on: 'GET /oauth2/auth',
    summary: 'The authorization endpoint under its older name.',
    handle: async ({ ctx, principal, query }) => (await import('./authorize.ts')).authorize(ctx, principal, withoutUndefined(query)),
  }),
  route({
    ...authorizationByForm,
    id: 'oauth.authorize.post',
    on: 'POST /oauth/authorize',
    summary:
      'The same, sent as a form (OpenID Connect Core section 3.1.2.1). From another site no session comes along, so the browser is led to GET.',
    handle: async ({ form }) => redirectToGet(form),
  }),
  route({
    ...authorizationByForm,
    id: 'oauth.authorize.post.alias',
    on: 'POST /oauth2/auth',
    summary: 'The same under its older name.',
    handle: async ({ form }) => redirectToGet(form),
  }),
  route({
    id: 'oauth.consent',
    on: 'POST /oauth/consent',
    summary: 'Submit the decision of the consent page.',
    access: browser({ form: ENDPOINTS.authorization }),
    form: ConsentForm,
    // The URL has the query of the authorization request that the page was rendered for.
    repeatable: REPEATABLE,
    reply: htmlOrRedirect(),
    errors: ['form_expired', 'quota_exceeded'],
    emits: ['oauth.authorized', 'mcp_session.closed'],
    render: lazyPageError,
    handle: async ({ ctx, principal, form }) => (await import('./consent.ts')).decideConsent(ctx, principal, form),
  }),
  route({
    id: 'oauth.push',
    on: 'POST /oauth/par',
    summary: 'Push an authorization request (RFC 9126).',
    access: open('Clients authenticate in the form or by HTTP Basic; failures are counted by address, successes by client and tenant.', {
      class: 'decision',
      countedByRule: true,
    }),
    form: PushedForm,
    repeatable: REPEATABLE,
    reply: json(201, PushedAnswer),
    errors: [
      'client_authentication_failed',
      'unauthorized_client',
      'unsupported_response_type',
      'request_not_supported',
      'invalid_scope',
      'invalid_target',
      'invalid_authorization_details',
      'invalid_dpop_proof',
      'use_dpop_nonce',
      'quota_exceeded',
      'access_pending',
      'authorization_denied',
    ],
    emits: ['client.registered', 'client.registration_changed', 'client.consents_ended', 'resource_access.requested'],
    handle: async ({ ctx, form }) => (await import('./par.ts')).push(ctx, form),
  }),
]
