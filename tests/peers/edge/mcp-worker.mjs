// An MCP server on Cloudflare's provider that accepts people of a company's identity provider (identity assertions, draft-ietf-oauth-identity-assertion-authz-grant).
import { OAuthProvider } from '@cloudflare/workers-oauth-provider'

const worker = (env) => {
  const { issuer, trusted } = JSON.parse(env.SETTINGS)
  return new OAuthProvider({
    apiRoute: '/mcp',
    apiHandler: { fetch: async (_, __, ctx) => Response.json({ props: ctx.props, scope: ctx.auth.scope }) },
    defaultHandler: { fetch: async () => new Response('nothing here', { status: 404 }) },
    authorizeEndpoint: '/authorize',
    tokenEndpoint: '/oauth/token',
    clientRegistrationEndpoint: '/oauth/register',
    scopesSupported: ['mcp:read', 'mcp:write'],
    resourceMetadata: { resource: `${issuer}/mcp`, authorization_servers: [issuer] },
    // biome-ignore lint/suspicious/noConsole: a worker can only log to the console.
    onError: ({ code, internal }) => void console.log(JSON.stringify({ code, internal })),
    enterpriseManagedAuthorization: {
      trustedIssuers: async ({ iss }) => trusted.find((one) => one.issuer === iss) ?? null,
      // One issuer may assert people of many companies: this server serves one of them.
      mapClaims: async ({ claims, requestedScope }) =>
        trusted.find(({ issuer: iss }) => iss === claims.iss)?.tenant !== claims.tenant
          ? null
          : { userId: encodeURIComponent(claims.sub), scope: requestedScope, props: { subject: claims.sub, tenant: claims.tenant } },
    },
  })
}

// biome-ignore lint/style/noDefaultExport: workerd requires it.
export default { fetch: (request, env, ctx) => worker(env).fetch(request, env, ctx) }
