// Route of the redirect back from a provider.
import { page } from '#shared/platform/http/access'
import { htmlOrRedirect } from '#shared/platform/http/route'
import { lazyPageError } from '#shared/platform/pages/lazy-error.tsx'
import { CallbackQuery } from './callback.schema.ts'
import { FEDERATED_SIGN_IN_ERRORS, FEDERATED_SIGN_IN_EVENTS, FEDERATED_SIGN_UP_EVENTS } from './exchange.routes.ts'
import { route } from './group.ts'

export const callbackRoutes = [
  route({
    id: 'federation.callback',
    on: 'GET /authsec/uflow/oidc/callback',
    summary: 'Receive the response of a provider; hosted pages continue with it, other front ends get it passed on.',
    access: page('The state and the cookie of the browser that started are the proof.', { class: 'polling' }),
    query: CallbackQuery,
    reply: htmlOrRedirect(),
    errors: [
      'federation_failed',
      'federation_unknown',
      'email_missing',
      'email_taken',
      'identity_taken',
      'federation_ticket_invalid',
      'too_many_codes',
      ...FEDERATED_SIGN_IN_ERRORS,
    ],
    emits: [...FEDERATED_SIGN_IN_EVENTS, ...FEDERATED_SIGN_UP_EVENTS, 'user.signed_out', 'federation.code_requested'],
    render: lazyPageError,
    handle: async ({ ctx, query, principal }) => (await import('./callback.ts')).answerCallback(ctx, query, principal),
  }),
]
