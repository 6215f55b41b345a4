// Routes for health, token verification and reissuing the caller's own token.

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
    summary: 'Check that the token service is up.',
    access: open('Load balancers and monitors carry no credential.', { class: 'general' }),
    reply: json(200, AuthHealth),
    errors: [],
    emits: 'nothing',
    handle: async () => ({ status: 'healthy', service: 'auth-manager', version: VERSION }) as const,
  }),
  route({
    id: 'tokens.verify',
    on: 'POST /authsec/authmgr/token/verify',
    summary: 'Verify a session token: whether it is valid, its person and its permissions.',
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
    summary: 'Issue a session token for a sign-in at the tenant’s main client. It has the lifetime and permissions of that session.',
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
    summary: 'Reissue the token of the caller’s own session, with the same expiry and no further permissions.',
    access: { ...user(), limit: { class: 'status' } },
    body: GenerateToken,
    reply: json(200, GeneratedToken),
    errors: ['identity_mismatch', 'not_found', 'invalid_credentials', 'invalid_token'],
    emits: ['token.reissued'],
    handle: ({ ctx, principal, body }) => generateToken(ctx, principal, body),
  }),
]
