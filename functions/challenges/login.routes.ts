// Signing in for an authorization request: where the browser goes, what the front end has to know, and whose sign-in counts.

import { open, page, user } from '#shared/platform/http/access'
import { problem } from '#shared/platform/http/problem'
import { empty, html, json } from '#shared/platform/http/route'
import { lazyPageError } from '#shared/platform/pages/lazy-error.tsx'
import { route } from './group.ts'
import { ChallengeClient, ErrorQuery, Health, LoginBody, LoginCompleted, LoginPageData, LoginQuery, Redirected, RejectLogin } from './login.schema.ts'

const HMGR = '/authsec/hmgr'
const rules = () => import('./login.ts')
const ASKING = open('A front end asks before anybody is known; the challenge is 256 random bits and says what the client asked for.', {
  class: 'general',
})
const LEADING = page('Leads on to where people sign in; it signs nobody in.', { class: 'general' })

export const loginChallengeRoutes = [
  route({
    id: 'challenges.health',
    on: `GET ${HMGR}/health`,
    summary: 'Whether this part answers.',
    access: open('Says nothing but that it answers.', { class: 'status' }),
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
    summary: 'Lead the browser to where people sign in for this request: the company\u2019s own front end, or the hosted pages.',
    access: LEADING,
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
    summary: 'Which client waits for a sign-in.',
    access: ASKING,
    query: LoginQuery,
    reply: json(200, ChallengeClient),
    errors: ['login_challenge_invalid', 'not_found'],
    emits: 'nothing',
    handle: async ({ ctx, query }) => (await rules()).showClient(ctx, query.login_challenge),
  }),
  route({
    id: 'challenges.pageData',
    on: `GET ${HMGR}/login/page-data`,
    summary: 'What a sign-in page shows: client, company, and the providers that people may sign in with.',
    access: ASKING,
    query: LoginQuery,
    reply: json(200, LoginPageData),
    errors: ['login_challenge_invalid', 'not_found'],
    emits: 'nothing',
    handle: async ({ ctx, query }) => (await rules()).showLogin(ctx, query.login_challenge),
  }),
  route({
    id: 'challenges.acceptLogin',
    on: `POST ${HMGR}/complete-local-login`,
    summary: 'The person of this session signed in for the request; the browser that began it goes on at the address of the answer.',
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
    summary: 'Nobody signs in for the request: the client is told access_denied.',
    access: open('The challenge is 256 random bits, and a no signs nobody in.', { class: 'general' }),
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
    summary: 'A page for what went wrong at the authorization server; it repeats nothing of the address.',
    access: page('Says in words of ours what an error of the protocol means.', { class: 'general' }),
    query: ErrorQuery,
    reply: html(200),
    errors: [],
    emits: 'nothing',
    render: lazyPageError,
    handle: async ({ ctx, query }) => (await import('./error.page.tsx')).errorPage(ctx, query.error),
  }),
]
