// Health, what a token is worth, and one's own token again.

import { VERSION } from '#shared/kernel/version'
import { open, user } from '#shared/platform/http/access'
import { json } from '#shared/platform/http/route'
import { route } from './group.ts'
import { AuthHealth, ExchangeOidcToken, GeneratedToken, GenerateToken, VerifiedToken, VerifyToken } from './tokens.schema.ts'
import { generateToken, verifyToken } from './tokens.ts'

const byToken = () => import('./oidc.ts')

export const sessionTokenRoutes = [
  route({
    id: 'tokens.health',
    on: 'GET /authsec/authmgr/health',
    summary: 'Whether the token service answers.',
    access: open('Load balancers and monitors carry no credential.', { class: 'general' }),
    reply: json(200, AuthHealth),
    errors: [],
    emits: 'nothing',
    handle: async () => ({ status: 'healthy', service: 'auth-manager', version: VERSION }) as const,
  }),
  route({
    id: 'tokens.verify',
    on: 'POST /authsec/authmgr/token/verify',
    summary: 'Whether a session token counts now, whose it is and what it may do.',
    access: open('The token in the body is the credential.', { class: 'general' }),
    body: VerifyToken,
    reply: json(200, VerifiedToken),
    errors: ['invalid_token'],
    emits: 'nothing',
    handle: ({ ctx, body }) => verifyToken(ctx, body.token),
  }),
  route({
    id: 'tokens.oidc',
    on: 'POST /authsec/authmgr/token/oidc',
    summary: 'The token of the session in which a person signed in for the tenant\u2019s main client. It lives no longer and may do no more.',
    access: open('The access token in the body is the credential.', { class: 'credential' }),
    body: ExchangeOidcToken,
    reply: json(200, GeneratedToken),
    errors: ['invalid_token'],
    emits: ['token.reissued'],
    handle: async ({ ctx, body }) => (await byToken()).sessionTokenFor(ctx, body.oidc_token),
  }),
  route({
    id: 'tokens.generate',
    on: 'POST /authsec/authmgr/token/generate',
    summary: 'The token of the caller\u2019s own session, written again. It lives no longer and may do no more.',
    access: { ...user(), limit: { class: 'status' } },
    body: GenerateToken,
    reply: json(200, GeneratedToken),
    errors: ['identity_mismatch', 'not_found', 'invalid_credentials', 'invalid_token'],
    emits: ['token.reissued'],
    handle: ({ ctx, principal, body }) => generateToken(ctx, principal, body),
  }),
]
