// Routes for signing in with an identity from a SAML provider.
import { FirstStep } from '#shared/domains/sign-in/login-response'
import { SignInContextQuery } from '#shared/domains/sign-in/sign-in-context.schema'
import { open, page } from '#shared/platform/http/access'
import { htmlOrRedirect, json } from '#shared/platform/http/route'
import { lazyPageError } from '#shared/platform/pages/lazy-error.tsx'
import { FEDERATED_SIGN_IN_ERRORS, FEDERATED_SIGN_IN_EVENTS, FEDERATED_SIGN_UP_EVENTS } from './exchange.routes.ts'
import { route } from './group.ts'
import { SamlLogin } from './saml.schema.ts'

export const samlLoginRoutes = [
  route({
    id: 'user.samlLogin',
    on: 'POST /authsec/uflow/user/saml/login',
    summary: 'First step of a sign-in with an identity from a SAML provider; the last step returns the token.',
    access: open('The ticket of the SAML response is the proof.', { class: 'credential', account: 'email' }),
    body: SamlLogin,
    reply: json(200, FirstStep),
    errors: [
      'federation_ticket_invalid',
      'invalid_client',
      'link_confirmation_required',
      'email_confirmation_required',
      'email_taken',
      'identity_taken',
      ...FEDERATED_SIGN_IN_ERRORS,
    ],
    emits: [...FEDERATED_SIGN_IN_EVENTS, 'user.created', 'identity.linked'],
    handle: async ({ ctx, body }) => (await import('./saml.ts')).loginBySaml(ctx, body),
  }),
  route({
    id: 'federation.finishSamlOnPage',
    on: 'GET /signin/saml/finish',
    summary: 'Sign in with an identity from a SAML provider.',
    access: page('The ticket of the SAML response, in the cookie of this browser, is the proof.', { class: 'credential' }),
    query: SignInContextQuery,
    reply: htmlOrRedirect(),
    errors: ['federation_ticket_invalid', 'email_missing', 'too_many_codes', 'identity_taken', 'email_taken', ...FEDERATED_SIGN_IN_ERRORS],
    emits: [...FEDERATED_SIGN_IN_EVENTS, ...FEDERATED_SIGN_UP_EVENTS, 'federation.code_requested', 'user.signed_out'],
    render: lazyPageError,
    handle: async ({ ctx, query, principal }) => (await import('./saml.ts')).finishSamlOnPage(ctx, query, principal),
  }),
]
