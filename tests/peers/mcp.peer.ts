// The MCP SDK: its client signs in at a server of which it has only the address; its server is behind the guard.
import { createServer, type Server } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { type OAuthClientProvider, UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js'
import { ClientCredentialsProvider, PrivateKeyJwtProvider } from '@modelcontextprotocol/sdk/client/auth-extensions.js'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { OAuthTokens } from '@modelcontextprotocol/sdk/shared/auth.js'
import { exportJWK, exportPKCS8, generateKeyPair } from 'jose'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { mcpServer } from '../../packages/guard/example.ts'
import type { GuardOptions } from '../../packages/guard/guard.ts'
import { changeClient, newOauthClient, newResource, REDIRECT, type ResourceServer } from '../support/oauth.ts'
import { type AuthorizationServer, startAuthorizationServer } from './oauth-system.ts'
import { unmetChecks } from './unmet-checks.ts'

let server: AuthorizationServer
let api: ResourceServer
let http: Server
let address: URL
let handle: (request: Request) => Promise<Response>
beforeAll(async () => {
  server = await startAuthorizationServer()
  http = createServer(getRequestListener((request) => handle(request)))
  const port = await new Promise<number>((resolve) => {
    http.listen(0, '127.0.0.1', () => {
      const bound = http.address()
      resolve(typeof bound === 'object' && bound !== null ? bound.port : 0)
    })
  })
  address = new URL(`http://127.0.0.1:${port}/mcp`)
  api = await newResource(server.where, server.company, [{ name: 'clock:read', description: 'Ask the time' }], { origin: address.origin })
}, 180_000)
afterAll(async () => {
  http?.closeAllConnections()
  http?.close()
  await server?.stop()
})

const behind = (more: Partial<GuardOptions> = {}): void => {
  const options = {
    issuer: server.issuer,
    resource: api.resource,
    scopes: ['clock:read'],
    fetch: unmetChecks as typeof fetch,
    credentials: { id: api.id, secret: api.secret },
    ...more,
  }
  handle = mcpServer(options)
}
beforeEach(() => behind())

const connect = async (authProvider: OAuthClientProvider) => {
  const transport = new StreamableHTTPClientTransport(address, { authProvider, fetch: (url, init) => fetch(url, init) })
  const client = new Client({ name: 'tester', version: '1.0.0' })
  await client.connect(transport as Parameters<typeof client.connect>[0])
  return client
}
const askTime = async (client: Client): Promise<string> => {
  const { content } = await client.callTool({ name: 'now', arguments: {} })
  return (content as readonly { readonly text: string }[])[0]?.text ?? ''
}

test('smoke: a service with a secret discovers everything from the server and is authorized', async () => {
  const made = await newOauthClient(server.where, server.company, { at: [api] })
  const provider = new ClientCredentialsProvider({ clientId: made.id, clientSecret: made.secret, scope: 'clock:read', expectedIssuer: server.issuer })
  const client = await connect(provider)
  expect(await askTime(client)).toBe(`noon, says the clock to ${made.id}`)
  await client.close()
})

test('a service with a key is authorized', async () => {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const made = await newOauthClient(server.where, server.company, {
    at: [api],
    tokenEndpointAuthMethod: 'private_key_jwt',
    jwks: { keys: [{ ...(await exportJWK(publicKey)) }] },
  })
  const provider = new PrivateKeyJwtProvider({
    clientId: made.id,
    privateKey: await exportPKCS8(privateKey),
    algorithm: 'ES256',
    scope: 'clock:read',
    expectedIssuer: server.issuer,
  })
  const client = await connect(provider)
  expect(await askTime(client)).toContain(made.id)
  await client.close()
})

test('an introspected token is accepted', async () => {
  behind({ checkedBy: 'introspection' })
  const made = await newOauthClient(server.where, server.company, { at: [api] })
  const client = await connect(new ClientCredentialsProvider({ clientId: made.id, clientSecret: made.secret, expectedIssuer: server.issuer }))
  expect(await askTime(client)).toContain(made.id)
  await client.close()
})

test('a person gives consent on our pages, then the tool can be called', async () => {
  const made = await newOauthClient(server.where, server.company, { at: [api], isPublic: true, name: 'Inspector' })
  const kept: { tokens?: OAuthTokens; verifier?: string; to?: URL } = {}
  const provider: OAuthClientProvider = {
    redirectUrl: REDIRECT,
    clientMetadata: { redirect_uris: [REDIRECT], grant_types: ['authorization_code', 'refresh_token'], token_endpoint_auth_method: 'none' },
    state: () => 'st-1',
    clientInformation: () => ({ client_id: made.id }),
    tokens: () => kept.tokens,
    saveTokens: (tokens) => {
      kept.tokens = tokens
    },
    redirectToAuthorization: (to) => {
      kept.to = to
    },
    saveCodeVerifier: (verifier) => {
      kept.verifier = verifier
    },
    codeVerifier: () => kept.verifier ?? '',
  }
  await expect(connect(provider)).rejects.toThrow(UnauthorizedError)
  expect(kept.to?.searchParams.get('resource')).toBe(api.resource)
  const back = await server.walk(kept.to?.href ?? '')
  expect(back.searchParams.get('iss')).toBe(server.issuer)
  await new StreamableHTTPClientTransport(address, { authProvider: provider }).finishAuth(back.searchParams.get('code') ?? '')
  const client = await connect(provider)
  expect(await askTime(client)).toContain('noon, says the clock to ')
  await client.close()
})

test('a disabled client is refused at the next call', async () => {
  behind({ checkedBy: 'introspection' })
  const made = await newOauthClient(server.where, server.company, { at: [api] })
  const client = await connect(new ClientCredentialsProvider({ clientId: made.id, clientSecret: made.secret, expectedIssuer: server.issuer }))
  await askTime(client)
  await changeClient(server.where, server.company, made.id, { active: false })
  await expect(askTime(client)).rejects.toThrow()
  await client.close()
})
