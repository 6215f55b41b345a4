// A provider for tests, over a real socket: the documented wire formats of OpenID Connect Core and Discovery, GitHub and Microsoft, and every way to get them wrong.
import { createHash, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose'
import type { Outbound } from '#shared/platform/fetch/guarded'

/** The person who signs in there, and the provider's claims about them. */
export type UpstreamUser = Readonly<Record<string, unknown>> & { readonly sub: string }
/** The errors in one response. */
export type Wrong = {
  readonly claims?: Readonly<Record<string, unknown>>
  /** `foreign`: a key that the provider does not publish; `none`: no signature. */
  readonly signature?: 'foreign' | 'none'
  /** RFC 9207's parameter: a wrong one, or none. */
  readonly iss?: string | undefined
  readonly withoutIdToken?: boolean
}
type Key = { readonly kid: string; readonly privateKey: CryptoKey; readonly publicJwk: JWK }
type Granted = { readonly query: URLSearchParams; readonly who: UpstreamUser; readonly wrong: Wrong }

const newKey = async (): Promise<Key> => {
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  const kid = randomUUID()
  return { kid, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' } }
}

const bodyOf = async (request: IncomingMessage): Promise<URLSearchParams> => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return new URLSearchParams(Buffer.concat(chunks).toString())
}

const unsigned = (claims: JWTPayload): string =>
  [{ alg: 'none', typ: 'JWT' }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
    .concat('.')

type Options = {
  readonly clientId: string
  readonly secret: string
  /** Whether it announces RFC 9207, and puts claims about the person into the ID token. */
  readonly announcesIssuer?: boolean
  readonly claimsInUserinfo?: boolean
  /** The issuer in its metadata, if it is not the address; `{tenantid}` as Microsoft writes it. */
  readonly issuer?: string
}

export const upstreamDouble = async (options: Options) => {
  let keys = [await newKey()]
  const foreign = await newKey()
  const grants = new Map<string, Granted>()
  const tokens = new Map<string, UpstreamUser>()
  const asked: string[] = []
  /** Paths that fail, by status. */
  const failing = new Map<string, number>()
  /** Paths that redirect elsewhere. */
  const redirects = new Map<string, string>()
  let metadataMore: Readonly<Record<string, unknown>> = {}

  const idTokenOf = async (issuer: string, { query, who, wrong }: Granted): Promise<string> => {
    const now = Math.floor(Date.now() / 1000)
    const own = options.claimsInUserinfo === true ? { sub: who.sub } : who
    const claims = { iss: issuer, aud: options.clientId, iat: now, exp: now + 300, nonce: query.get('nonce') ?? undefined, ...own, ...wrong.claims }
    if (wrong.signature === 'none') return unsigned(claims as JWTPayload)
    const key = wrong.signature === 'foreign' ? foreign : keys[0]
    if (key === undefined) throw new Error('no key')
    const kid = keys[0]?.kid ?? ''
    return new SignJWT(claims as JWTPayload).setProtectedHeader({ alg: 'ES256', kid, typ: 'JWT' }).sign(key.privateKey)
  }

  /** RFC 6749 section 4.1.3 and RFC 7636 section 4.6. */
  const redeem = async (request: IncomingMessage, issuer: string): Promise<readonly [number, unknown]> => {
    const body = await bodyOf(request)
    const grant = grants.get(body.get('code') ?? '')
    grants.delete(body.get('code') ?? '')
    const basic = Buffer.from((request.headers.authorization ?? '').replace(/^Basic /, ''), 'base64')
      .toString()
      .split(':')
      .map(decodeURIComponent)
    const [id, secret] = request.headers.authorization === undefined ? [body.get('client_id'), body.get('client_secret')] : basic
    if (id !== options.clientId || secret !== options.secret) return [401, { error: 'invalid_client' }]
    const challenge = createHash('sha256')
      .update(body.get('code_verifier') ?? '')
      .digest('base64url')
    const fits =
      grant !== undefined && grant.query.get('code_challenge') === challenge && grant.query.get('redirect_uri') === body.get('redirect_uri')
    if (!fits) return [400, { error: 'invalid_grant' }]
    const access_token = randomUUID()
    tokens.set(access_token, grant.who)
    const more = grant.wrong.withoutIdToken === true ? {} : { id_token: await idTokenOf(issuer, grant) }
    return [200, { access_token, token_type: 'Bearer', expires_in: 300, ...more }]
  }

  const metadata = (address: string, issuer: string) => ({
    issuer,
    authorization_endpoint: `${address}/authorize`,
    token_endpoint: `${address}/token`,
    userinfo_endpoint: `${address}/userinfo`,
    jwks_uri: `${address}/jwks`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
    ...(options.announcesIssuer === true ? { authorization_response_iss_parameter_supported: true } : {}),
    ...metadataMore,
  })

  const answer = async (request: IncomingMessage, address: string): Promise<readonly [number, unknown]> => {
    const path = (request.url ?? '').split('?')[0] ?? ''
    asked.push(path)
    const failure = failing.get(path)
    if (failure !== undefined) return [failure, { error: 'out of order' }]
    const issuer = options.issuer ?? address
    const who = tokens.get((request.headers.authorization ?? '').replace(/^Bearer /, ''))
    if (path.endsWith('/.well-known/openid-configuration'))
      return [200, metadata(options.issuer === undefined ? address : new URL(options.issuer).origin, issuer)]
    if (path === '/jwks') return [200, { keys: keys.map(({ publicJwk }) => publicJwk) }]
    if (path === '/token') return redeem(request, issuer)
    if (path === '/userinfo') return who === undefined ? [401, {}] : [200, who]
    // GitHub, as docs.github.com describes it: 200 with an error in the body, and a bearer token without an ID token.
    if (path === '/login/oauth/access_token') {
      const [status, body] = await redeem(request, issuer)
      return status === 200
        ? [200, { ...(body as object), id_token: undefined, scope: 'read:user,user:email' }]
        : [200, { error: 'bad_verification_code' }]
    }
    if (path === '/user' || path === '/user/emails') {
      if (who === undefined) return [401, { message: 'Bad credentials' }]
      return [200, path === '/user' ? who.user : who.emails]
    }
    return [404, {}]
  }

  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const elsewhere = redirects.get(request.url ?? '')
    if (elsewhere !== undefined) return void response.writeHead(302, { location: elsewhere }).end()
    answer(request, address).then(
      ([status, body]) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
      () => response.writeHead(500).end(),
    )
  })
  let connections = 0
  server.on('connection', () => {
    connections += 1
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  return {
    url,
    asked,
    /** The number of requests that reached the socket, whatever the response. */
    connections: (): number => connections,
    failing,
    redirects,
    /** The callback that the person's browser brings back after approval at the provider. */
    authorize: (redirectUrl: string, who: UpstreamUser, wrong: Wrong = {}): URLSearchParams => {
      const query = new URL(redirectUrl).searchParams
      const code = randomUUID()
      grants.set(code, { query, who, wrong })
      const iss = 'iss' in wrong ? wrong.iss : options.announcesIssuer === true ? (options.issuer ?? url) : undefined
      return new URLSearchParams({ code, state: query.get('state') ?? '', ...(iss === undefined ? {} : { iss }) })
    },
    /** Replaces the keys; the old ones are no longer published. */
    rotate: async (): Promise<void> => {
      keys = [await newKey()]
    },
    announce: (more: Readonly<Record<string, unknown>>): void => {
      metadataMore = more
    },
    close: (): void => {
      server.closeAllConnections()
      server.close()
    },
  }
}
export type UpstreamDouble = Awaited<ReturnType<typeof upstreamDouble>>

/** An outbound fetch that maps some public origins to doubles on this machine: the code uses the public name, the socket is real. `others` handles the rest. */
export const rerouted = (outbound: Outbound, doubles: Readonly<Record<string, string>>, others: Outbound = outbound): Outbound => ({
  ...others,
  send: (call) => {
    const { origin } = new URL(call.url)
    const double = doubles[origin]
    return double === undefined ? others.send(call) : outbound.send({ ...call, url: call.url.replace(origin, double) })
  },
})
