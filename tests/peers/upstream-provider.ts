// A certified OpenID provider in its own process, for tests: `oidc-provider`, whose users sign in by a cookie, and which can be made to return wrong values.
// Started by upstream.ts; prints its address on its first line.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, importJWK, type JWK, type JWTPayload, SignJWT } from 'jose'

type Account = Readonly<Record<string, unknown>>
type Control = {
  readonly accounts?: Readonly<Record<string, Account>>
  /** Claims that replace those of ID tokens from now on; null removes one, null for the whole replaces none. */
  readonly replace?: Readonly<Record<string, unknown>> | null
  readonly rotate?: boolean
}

const redirectUri = process.env.REDIRECT_URI ?? ''
const clients = JSON.parse(process.env.CLIENTS ?? '[]') as readonly { readonly client_id: string; readonly client_secret: string }[]

let accounts: Readonly<Record<string, Account>> = {}
let replace: Readonly<Record<string, unknown>> | null = null
let key: JWK = {}

const newKey = async (): Promise<JWK> => {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  return { ...(await exportJWK(privateKey)), kid: crypto.randomUUID(), alg: 'ES256', use: 'sig' }
}

const resign = async (token: string, claims: Readonly<Record<string, unknown>>): Promise<string> => {
  const [, payload = ''] = token.split('.')
  const said = JSON.parse(Buffer.from(payload, 'base64url').toString()) as JWTPayload
  const changed = Object.fromEntries(Object.entries({ ...said, ...claims }).filter(([, value]) => value !== null)) as JWTPayload
  return new SignJWT(changed).setProtectedHeader({ alg: 'ES256', kid: key.kid ?? '' }).sign(await importJWK(key, 'ES256'))
}

// The package has no types; the used part is declared here.
type Context = {
  oidc: { route: string; client: { clientId: string }; session: { accountId: string }; provider: Provider }
  body: { id_token?: string } | undefined
}
type Grant = { addOIDCScope(scope: string): void; save(): Promise<string> }
type Provider = {
  readonly Grant: new (of: { clientId: string; accountId: string }) => Grant
  use(step: (ctx: Context, next: () => Promise<void>) => Promise<void>): void
  callback(): (request: unknown, response: unknown) => void
  interactionFinished(request: unknown, response: unknown, result: unknown): Promise<void>
}
const { default: Library } = (await import('oidc-provider' as string)) as { default: new (issuer: string, configuration: unknown) => Provider }

const newProvider = async (issuer: string): Promise<Provider> => {
  key = await newKey()
  const provider = new Library(issuer, {
    clients: clients.map((client) => ({ ...client, redirect_uris: [redirectUri], id_token_signed_response_alg: 'ES256' })),
    jwks: { keys: [key] },
    cookies: { keys: ['a-key-of-the-tests'] },
    claims: { openid: ['sub', 'amr'], email: ['email', 'email_verified'], profile: ['name', 'picture'] },
    conformIdTokenClaims: false,
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    pkce: { required: () => true },
    findAccount: (_: unknown, id: string) => ({ accountId: id, claims: () => ({ sub: id, ...accounts[id] }) }),
    loadExistingGrant: async ({ oidc }: Context) => {
      const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId })
      grant.addOIDCScope('openid email profile')
      await grant.save()
      return grant
    },
  })
  provider.use(async (ctx, next) => {
    await next()
    if (ctx.oidc?.route === 'token' && replace !== null && ctx.body?.id_token !== undefined)
      ctx.body.id_token = await resign(ctx.body.id_token, replace)
  })
  return provider
}

let provider: Provider
const control = async ({ accounts: more, replace: wrong, rotate }: Control, issuer: string): Promise<void> => {
  if (more !== undefined) accounts = { ...accounts, ...more }
  if (wrong !== undefined) replace = wrong
  if (rotate === true) provider = await newProvider(issuer)
}

const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  if (request.url === '/control') {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    await control(JSON.parse(Buffer.concat(chunks).toString()) as Control, issuer)
    response.writeHead(204).end()
  } else if (request.url?.startsWith('/interaction/') === true) {
    const accountId = /(?:^|; )account=([^;]+)/.exec(request.headers.cookie ?? '')?.[1] ?? ''
    await provider.interactionFinished(request, response, accountId === '' ? { error: 'access_denied' } : { login: { accountId } })
  } else provider.callback()(request, response)
}

const server = createServer((request, response) => {
  // A kept connection may be closed at the moment when a busy machine sends the next request on it, so none is kept.
  response.shouldKeepAlive = false
  answer(request, response).catch((error: unknown) => {
    if (!response.headersSent) response.writeHead(500)
    response.end(String(error))
  })
})
server.listen(0, '127.0.0.1', async () => {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  provider = await newProvider(url)
  process.stdout.write(`${JSON.stringify({ url })}\n`)
})
