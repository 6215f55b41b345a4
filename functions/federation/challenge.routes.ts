// Routes for signing in through a provider for an authorization request on a tenant's own front end.
import { open } from '#shared/platform/http/access'
import { outcomeError } from '#shared/platform/http/problem'
import { json } from '#shared/platform/http/route'
import { ChallengeAnswered, ChallengeCallback, ChallengeProviderPath, InitiatedForChallenge, InitiateForChallenge } from './challenge.schema.ts'
import { FEDERATED_SIGN_IN_ERRORS, FEDERATED_SIGN_IN_EVENTS, FEDERATED_SIGN_UP_EVENTS } from './exchange.routes.ts'
import { route } from './group.ts'

const rules = () => import('./challenge.ts')

export const federationChallengeRoutes = [
  route({
    id: 'federation.initiateForChallenge',
    on: 'POST /authsec/hmgr/auth/initiate/:provider',
    summary: 'Start a sign-in through a provider, for a front end with a login challenge.',
    access: open('A sign-in starts here; the provider authenticates the person.', { class: 'status' }),
    path: ChallengeProviderPath,
    body: InitiateForChallenge,
    reply: json(200, InitiatedForChallenge),
    errors: ['login_challenge_invalid', 'not_found', 'provider_not_enabled', 'provider_unavailable', 'origin_not_verified'],
    emits: 'nothing',
    render: outcomeError,
    handle: async ({ ctx, path, body }) => (await rules()).initiateForChallenge(ctx, path.provider, body),
  }),
  route({
    id: 'federation.answerChallenge',
    on: 'POST /authsec/hmgr/auth/callback',
    summary: 'Redeem a provider\u2019s response for the pending authorization request.',
    access: open('The code, the state and the cookie of the browser that started are the proof.', { class: 'credential' }),
    body: ChallengeCallback,
    reply: json(200, ChallengeAnswered),
    errors: [
      'invalid_request',
      'login_challenge_invalid',
      'federation_failed',
      'link_confirmation_required',
      'email_confirmation_required',
      'email_missing',
      'email_taken',
      'identity_taken',
      'tenant_mismatch',
      ...FEDERATED_SIGN_IN_ERRORS,
    ],
    emits: [...FEDERATED_SIGN_IN_EVENTS, ...FEDERATED_SIGN_UP_EVENTS, 'oauth.login_accepted'],
    render: outcomeError,
    handle: async ({ ctx, body }) => (await rules()).answerForChallenge(ctx, body),
  }),
]
