// better-auth with its OAuth provider on the same PostgreSQL, set up as its documentation describes: ES256 access tokens for an API, opaque ones for introspection,
// and pages supplied by the host application. Its cookie cache of sessions is on.
import { oauthProvider } from '@better-auth/oauth-provider'
import { serve } from '@hono/node-server'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { jwt } from 'better-auth/plugins'
import pg from 'pg'

const BASE = 'http://127.0.0.1'
export const BETTER_AUTH_API = 'https://api.example.com'
export const BETTER_AUTH_CALLBACK = 'https://app.example.com/callback'

const library = (pool: pg.Pool) =>
  betterAuth({
    baseURL: BASE,
    secret: 'o7c0sJq2vXhTz5nWmUe8kLr4yB1pDfGa',
    database: pool,
    emailAndPassword: { enabled: true },
    session: { cookieCache: { enabled: true, maxAge: 3600 } },
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    disabledPaths: ['/token'],
    plugins: [
      jwt({ jwks: { keyPairConfig: { alg: 'ES256' } } }),
      oauthProvider({
        loginPage: '/login',
        consentPage: '/consent',
        scopes: ['openid', 'offline_access', 'tools:read'],
        clientPrivileges: async () => true,
      }),
    ],
  })

export const serveBetterAuth = async (url: string, ready: (port: number) => void): Promise<void> => {
  const { handler } = library(new pg.Pool({ connectionString: url, max: 10 }))
  serve({ fetch: (request) => handler(request), port: 0, hostname: '127.0.0.1' }, ({ port }) => ready(port))
}

export type BetterAuthClient = { readonly authorization: string; readonly id: string; readonly cookie: string }

/** Its tables, a client, an API, and a person's session. */
export const fillBetterAuth = async (pool: pg.Pool): Promise<BetterAuthClient> => {
  const { api, options, handler } = library(pool)
  await (await getMigrations(options)).runMigrations()
  const signedUp = await handler(
    new Request(`${BASE}/api/auth/sign-up/email`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: BASE },
      body: JSON.stringify({ email: 'ana@example.com', password: 'correct-horse-battery', name: 'Ana' }),
    }),
  )
  const cookie = signedUp.headers
    .getSetCookie()
    .map((line) => line.slice(0, line.indexOf(';')))
    .join('; ')
  const headers = new Headers({ cookie })
  await api.adminCreateOAuthResource({ body: { identifier: BETTER_AUTH_API, name: 'API' }, headers })
  const { client_id: id, client_secret: secret } = await api.adminCreateOAuthClient({
    body: {
      client_name: 'bench',
      redirect_uris: [BETTER_AUTH_CALLBACK],
      grant_types: ['client_credentials', 'authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'client_secret_basic',
      scope: 'openid offline_access tools:read',
      client_credentials_scopes: ['tools:read'],
    },
    headers,
  })
  await api.adminLinkClientResource({ params: { identifier: BETTER_AUTH_API, client_id: id }, headers })
  return { id, cookie, authorization: `Basic ${btoa(`${id}:${secret}`)}` }
}
