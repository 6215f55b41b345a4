// Where providers send the browser back to.

import { page } from '#shared/platform/http/access'
import { htmlOrGo } from '#shared/platform/http/route'
import { pageErrorOnDemand } from '#shared/platform/pages/on-demand.tsx'
import { CallbackQuery } from './callback.schema.ts'
import { CREATES, ENTERS, SIGNS_IN } from './exchange.routes.ts'
import { route } from './group.ts'

export const callbackRoutes = [
  route({
    id: 'federation.callback',
    on: 'GET /authsec/uflow/oidc/callback',
    summary: "Take a provider's answer: our own pages go on with it, any other gets it handed over.",
    access: page('The state and the cookie of the browser that began are the proof.', { class: 'polling' }),
    query: CallbackQuery,
    reply: htmlOrGo(),
    errors: [
      'federation_failed',
      'federation_unknown',
      'email_missing',
      'email_taken',
      'identity_taken',
      'federation_ticket_invalid',
      'too_many_codes',
      ...ENTERS,
    ],
    emits: [...SIGNS_IN, ...CREATES, 'user.signed_out', 'federation.code_requested'],
    render: pageErrorOnDemand,
    handle: async ({ ctx, query, principal }) => (await import('./callback.ts')).answerCallback(ctx, query, principal),
  }),
]
