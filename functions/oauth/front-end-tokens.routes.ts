// The exchange of a code by a front end that is a client itself.
import { open } from '#shared/platform/http/access'
import { outcomeError } from '#shared/platform/http/problem'
import { json } from '#shared/platform/http/route'
import { ExchangedToken, ExchangeToken } from './front-end-tokens.schema.ts'
import { route } from './group.ts'

export const frontEndTokenRoutes = [
  route({
    id: 'oauth.exchangeToken',
    on: 'POST /authsec/hmgr/auth/exchange-token',
    summary: 'Exchange a code at a front end, with the PKCE verifier of its request.',
    access: open('The code, the challenge and the PKCE verifier of the request are the proof.', { class: 'credential' }),
    body: ExchangeToken,
    reply: json(200, ExchangedToken),
    errors: ['invalid_request', 'login_challenge_invalid', 'unauthorized_client', 'invalid_grant', 'invalid_target', 'quota_exceeded'],
    emits: ['oauth.tokens_issued', 'oauth.authorization_revoked'],
    render: outcomeError,
    handle: async ({ ctx, body }) => (await import('./front-end-tokens.ts')).exchangeToken(ctx, body),
  }),
]
