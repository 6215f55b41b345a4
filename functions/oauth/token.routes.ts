// Routes for tokens: issue, introspect, revoke, spend and userinfo. Some also have the paths of AuthSec's OAuth server.
import { open } from '#shared/platform/http/access'
import { json, text } from '#shared/platform/http/route'
import { route } from './group.ts'
import { IntrospectionForm, RevocationForm, RevocationsQuery, SpendAnswer, SpendForm, TokenDescription, Userinfo } from './introspection.schema.ts'
import { TokenForm, TokenResponse } from './token.schema.ts'
import { issueTokens } from './token.ts'

const CLIENT = open('Clients authenticate in the form or by HTTP Basic; failures are counted by address, successes by client and tenant.', {
  class: 'decision',
  countedByRule: true,
})
/** Events of polling a grant that a person decided on another device. */
const POLLED = [
  'device_grant.redeemed',
  'device_grant.denied',
  'ciba.redeemed',
  'ciba.denied',
  'session.created',
  'user.signed_in',
  'resource_access.requested',
] as const
const BOUND = ['invalid_dpop_proof', 'use_dpop_nonce'] as const

const token = {
  access: CLIENT,
  form: TokenForm,
  /** RFC 8707 section 2, RFC 8693 section 2.1 */
  repeatable: ['resource', 'audience'],
  reply: json(200, TokenResponse),
  errors: [
    'client_authentication_failed',
    'unsupported_grant_type',
    'unauthorized_client',
    'invalid_grant',
    'invalid_scope',
    'invalid_target',
    'invalid_authorization_details',
    'quota_exceeded',
    'authorization_pending',
    'slow_down',
    'authorization_denied',
    'expired_token',
    'access_pending',
    ...BOUND,
  ],
  emits: [
    'oauth.tokens_issued',
    'oauth.authorization_revoked',
    'oauth.token_exchanged',
    'oauth.assertion_redeemed',
    'oauth.identity_asserted',
    ...POLLED,
  ],
} as const
const introspection = {
  access: CLIENT,
  form: IntrospectionForm,
  reply: json(200, TokenDescription),
  errors: ['client_authentication_failed'],
  emits: 'nothing',
} as const
const revocation = {
  access: CLIENT,
  form: RevocationForm,
  reply: text(200, 'application/json'),
  errors: ['client_authentication_failed', 'quota_exceeded'],
  emits: ['oauth.authorization_revoked', 'token.revoked'],
} as const
const userinfoMembers = {
  access: open('The rule checks the access token, which is not a session token.', { class: 'decision' }),
  reply: json(200, Userinfo),
  errors: ['unauthorized', 'invalid_token', 'insufficient_scope', ...BOUND],
  emits: 'nothing',
} as const

export const tokenRoutes = [
  route({
    ...token,
    id: 'oauth.token',
    on: 'POST /oauth/token',
    summary: 'Exchange a grant for tokens (RFC 6749 section 3.2).',
    handle: ({ ctx, form }) => issueTokens(ctx, form),
  }),
  route({
    ...token,
    id: 'oauth.token.alias',
    on: 'POST /oauth2/token',
    summary: 'The token endpoint under its older name.',
    handle: ({ ctx, form }) => issueTokens(ctx, form),
  }),
  route({
    ...introspection,
    id: 'oauth.introspect',
    on: 'POST /oauth/introspect',
    summary: 'Introspect a token (RFC 7662), as the resource server in its audience.',
    handle: async ({ ctx, form }) => (await import('./introspection.ts')).introspect(ctx, form),
  }),
  route({
    ...introspection,
    id: 'oauth.introspect.alias',
    on: 'POST /oauth2/introspect',
    summary: 'Introspection under its older name.',
    handle: async ({ ctx, form }) => (await import('./introspection.ts')).introspect(ctx, form),
  }),
  route({
    ...revocation,
    id: 'oauth.revoke',
    on: 'POST /oauth/revoke',
    summary: 'Revoke a token of the calling client (RFC 7009).',
    handle: async ({ ctx, form }) => (await import('./revocation.ts')).revoke(ctx, form),
  }),
  route({
    ...revocation,
    id: 'oauth.revoke.alias',
    on: 'POST /oauth2/revoke',
    summary: 'Revocation under its older name.',
    handle: async ({ ctx, form }) => (await import('./revocation.ts')).revoke(ctx, form),
  }),
  route({
    id: 'oauth.spend',
    on: 'POST /oauth/spend',
    summary: 'Spend from the limits of a token and of all its parents, as the resource server in its audience.',
    access: CLIENT,
    form: SpendForm,
    reply: json(200, SpendAnswer),
    errors: ['client_authentication_failed', 'invalid_grant', 'limit_exceeded', 'spend_id_reused'],
    emits: ['oauth.limit_spent'],
    handle: async ({ ctx, form }) => (await import('./spend.ts')).spendLimit(ctx, form),
  }),
  route({
    id: 'oauth.revocations',
    on: 'GET /oauth/revocations',
    summary: 'The signed revocation feed for resource servers that verify tokens themselves, to be polled each second.',
    access: CLIENT,
    query: RevocationsQuery,
    reply: text(200, 'application/jwt'),
    cache: 'private, no-cache',
    errors: ['client_authentication_failed', 'invalid_request'],
    emits: 'nothing',
    handle: async ({ ctx, query }) => (await import('./revocations.ts')).revocationFeed(ctx, query),
  }),
  route({
    ...userinfoMembers,
    id: 'oauth.userinfo',
    on: 'GET /oauth/userinfo',
    summary: 'Claims about the person (OpenID Connect Core section 5.3).',
    handle: async ({ ctx }) => (await import('./userinfo.ts')).userinfo(ctx),
  }),
  route({
    ...userinfoMembers,
    id: 'oauth.userinfo.post',
    on: 'POST /oauth/userinfo',
    summary: 'The same, by POST.',
    handle: async ({ ctx }) => (await import('./userinfo.ts')).userinfo(ctx),
  }),
]
