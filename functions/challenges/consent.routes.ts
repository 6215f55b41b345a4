// Consent for an authorization request on a tenant's own front end: the redirect, the prompt, and the person's decision.
import { page, user } from '#shared/platform/http/access'
import { problem } from '#shared/platform/http/problem'
import { empty, json } from '#shared/platform/http/route'
import { lazyPageError } from '#shared/platform/pages/lazy-error.tsx'
import { AcceptConsent, ConsentQuery, ConsentQuestion, ConsentQuestionQuery, RejectConsent } from './consent.schema.ts'
import { route } from './group.ts'
import { Redirected } from './login.schema.ts'

const rules = () => import('./consent.ts')
const shared = { access: user(), render: problem } as const

export const consentChallengeRoutes = [
  route({
    id: 'challenges.consent',
    on: 'GET /authsec/hmgr/consent',
    summary: 'Redirect the browser to the tenant\u2019s own front end for consent.',
    access: page('Only redirects to the consent page; it grants nothing.', { class: 'general' }),
    query: ConsentQuery,
    reply: empty(302),
    errors: ['consent_challenge_invalid', 'origin_not_verified'],
    emits: 'nothing',
    render: lazyPageError,
    handle: async ({ ctx, query }) => (await rules()).redirectToConsent(ctx, query.consent_challenge),
  }),
  route({
    ...shared,
    id: 'challenges.readConsent',
    on: 'GET /challenges/consent',
    summary: 'What the client requests of the person of this session, and where the response goes.',
    query: ConsentQuestionQuery,
    reply: json(200, ConsentQuestion),
    errors: ['consent_challenge_invalid'],
    emits: 'nothing',
    handle: async ({ ctx, principal, query }) => (await rules()).showConsent(ctx, principal, query.consent_challenge),
  }),
  route({
    ...shared,
    id: 'challenges.acceptConsent',
    on: 'POST /challenges/consent/accept',
    summary: 'Grant all or part of the request, never more.',
    body: AcceptConsent,
    reply: json(200, Redirected),
    errors: ['consent_challenge_invalid', 'invalid_scope', 'invalid_target', 'invalid_authorization_details'],
    emits: ['oauth.consent_accepted'],
    handle: async ({ ctx, principal, body }) => ({ redirect_to: await (await rules()).acceptConsent(ctx, principal, body) }),
  }),
  route({
    ...shared,
    id: 'challenges.rejectConsent',
    on: 'POST /challenges/consent/reject',
    summary: 'Deny the request: the client gets access_denied.',
    body: RejectConsent,
    reply: json(200, Redirected),
    errors: ['consent_challenge_invalid'],
    emits: ['oauth.consent_rejected'],
    handle: async ({ ctx, principal, body }) => ({ redirect_to: await (await rules()).rejectConsent(ctx, principal, body.consent_challenge) }),
  }),
]
