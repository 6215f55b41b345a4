// Sign-in for an authorization request on a tenant's own front end: the redirect, the data for the page, and completion.
import { open, page, user } from '#shared/platform/http/access'
import { problem } from '#shared/platform/http/problem'
import { empty, html, json } from '#shared/platform/http/route'
import { lazyPageError } from '#shared/platform/pages/lazy-error.tsx'
import { route } from './group.ts'
import { ChallengeClient, ErrorQuery, Health, LoginBody, LoginCompleted, LoginPageData, LoginQuery, Redirected, RejectLogin } from './login.schema.ts'

const HMGR = '/authsec/hmgr'
const rules = () => import('./login.ts')
const WITH_CHALLENGE = open('A front end reads this before sign-in; the challenge is 256 random bits and reveals only what the client requested.', {
  class: 'general',
})
const REDIRECT = page('Only redirects to the sign-in page; it starts no session.', { class: 'general' })

export const loginChallengeRoutes = [
  route({
    id: 'challenges.health',
    on: `GET ${HMGR}/health`,
    summary: 'Health of the login service.',
    access: open('Returns only that the service responds.', { class: 'status' }),
    reply: json(200, Health),
    errors: [],
    emits: 'nothing',
    handle: async ({ ctx }) => ({
      status: 'healthy' as const,
      service: 'oauth-login-service-api' as const,
      timestamp: ctx.clock.now().toISOString(),
    }),
  }),
  route({
    id: 'challenges.login',
    on: `GET ${HMGR}/login`,
    summary: 'Redirect the browser to sign-in for this request: on the tenant\u2019s own front end, or on the hosted pages.',
    access: REDIRECT,
    query: LoginQuery,
    reply: empty(302),
    errors: ['login_challenge_invalid', 'origin_not_verified'],
    emits: 'nothing',
    render: lazyPageError,
    handle: async ({ ctx, query }) => (await rules()).redirectToLogin(ctx, query.login_challenge),
  }),
  route({
    id: 'challenges.client',
    on: `GET ${HMGR}/challenge`,
    summary: 'Return the client that waits for a sign-in.',
    access: WITH_CHALLENGE,
    query: LoginQuery,
    reply: json(200, ChallengeClient),
    errors: ['login_challenge_invalid', 'not_found'],
    emits: 'nothing',
    handle: async ({ ctx, query }) => (await rules()).showClient(ctx, query.login_challenge),
  }),
  route({
    id: 'challenges.pageData',
    on: `GET ${HMGR}/login/page-data`,
    summary: 'Return the content of a sign-in page: client, tenant, and the providers to sign in with.',
    access: WITH_CHALLENGE,
    query: LoginQuery,
    reply: json(200, LoginPageData),
    errors: ['login_challenge_invalid', 'not_found'],
    emits: 'nothing',
    handle: async ({ ctx, query }) => (await rules()).showLogin(ctx, query.login_challenge),
  }),
  route({
    id: 'challenges.acceptLogin',
    on: `POST ${HMGR}/complete-local-login`,
    summary: 'Complete the sign-in with the session of the caller; the browser continues at the returned address.',
    access: user(),
    body: LoginBody,
    reply: json(200, LoginCompleted),
    errors: ['login_challenge_invalid', 'tenant_mismatch', 'insufficient_user_authentication'],
    emits: ['oauth.login_accepted'],
    handle: async ({ ctx, principal, body }) => (await rules()).completeLogin(ctx, principal, body.login_challenge),
  }),
  route({
    id: 'challenges.rejectLogin',
    on: 'POST /challenges/login/reject',
    summary: 'Reject the sign-in: the client gets access_denied.',
    access: open('The challenge is 256 random bits, and a rejection starts no session.', { class: 'general' }),
    body: RejectLogin,
    reply: json(200, Redirected),
    errors: ['login_challenge_invalid'],
    emits: ['oauth.login_rejected'],
    render: problem,
    handle: async ({ ctx, body }) => ({
      redirect_to: await (await import('#shared/domains/oauth/login-challenge')).rejectLogin(ctx, body.login_challenge),
    }),
  }),
  route({
    id: 'challenges.error',
    on: `GET ${HMGR}/error`,
    summary: 'The page for an authorization error; it repeats nothing of the query.',
    access: page('Displays only fixed texts.', { class: 'general' }),
    query: ErrorQuery,
    reply: html(200),
    errors: [],
    emits: 'nothing',
    render: lazyPageError,
    handle: async ({ ctx, query }) => (await import('./error.page.tsx')).errorPage(ctx, query.error),
  }),
]
