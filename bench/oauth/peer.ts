// oidc-provider on the same PostgreSQL, with ES256 access tokens for an API and a consent page of its host. Every visitor counts as signed in: no password hash.
import { generateKeyPairSync } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import pg from 'pg'

const MINUTE = 60

/** The part of the library that is used; it ships no types. */
type Grant = { addOIDCScope(scope: string): void; addResourceScope(resource: string, scope: string): void; save(): Promise<string> }
type Input = {
  readonly prompt: { readonly name: string }
  readonly params: Readonly<Record<string, unknown>>
  readonly session?: { accountId: string }
}
type Exchange = { readonly path: string; readonly req: unknown; readonly res: unknown }
type Library = {
  readonly Grant: new (of: { accountId: string; clientId: string }) => Grant
  proxy: boolean
  use(step: (ctx: Exchange, next: () => Promise<void>) => Promise<void>): void
  interactionDetails(req: unknown, res: unknown): Promise<Input>
  interactionFinished(req: unknown, res: unknown, result: unknown, options?: unknown): Promise<void>
  listen(port: number, host: string, ready: () => void): { address(): unknown }
}
const { default: Provider } = (await import('oidc-provider' as string)) as { default: new (issuer: string, configuration: unknown) => Library }

type Payload = Record<string, unknown>

const adapterOn = (pool: pg.Pool) =>
  class {
    readonly #model: string
    constructor(model: string) {
      this.#model = model
    }
    async #one(name: string, text: string, values: unknown[]): Promise<Payload | undefined> {
      const { rows } = await pool.query({ name, text, values })
      const [row] = rows as { payload: Payload; consumed: boolean }[]
      return row === undefined ? undefined : { ...row.payload, ...(row.consumed ? { consumed: true } : {}) }
    }
    async upsert(id: string, payload: Payload, expiresIn?: number): Promise<void> {
      const text = `insert into oidc (model, id, payload, grant_id, uid, expires_at) values ($1, $2, $3, $4, $5, $6)
        on conflict (model, id) do update set payload = excluded.payload, expires_at = excluded.expires_at`
      const until = expiresIn === undefined ? null : new Date(Date.now() + expiresIn * 1000)
      await pool.query({
        name: 'upsert',
        text,
        values: [this.#model, id, JSON.stringify(payload), payload.grantId ?? null, payload.uid ?? null, until],
      })
    }
    find(id: string): Promise<Payload | undefined> {
      return this.#one('find', 'select payload, consumed_at is not null as consumed from oidc where model = $1 and id = $2', [this.#model, id])
    }
    findByUid(uid: string): Promise<Payload | undefined> {
      return this.#one('uid', 'select payload, consumed_at is not null as consumed from oidc where model = $1 and uid = $2', [this.#model, uid])
    }
    async findByUserCode(): Promise<undefined> {}
    async consume(id: string): Promise<void> {
      await pool.query({ name: 'consume', text: 'update oidc set consumed_at = now() where model = $1 and id = $2', values: [this.#model, id] })
    }
    async destroy(id: string): Promise<void> {
      await pool.query({ name: 'destroy', text: 'delete from oidc where model = $1 and id = $2', values: [this.#model, id] })
    }
    async revokeByGrantId(grantId: string): Promise<void> {
      await pool.query({ name: 'revoke', text: 'delete from oidc where grant_id = $1', values: [grantId] })
    }
  }

export const PEER_API = 'https://api.example.com/jwt'
export const PEER_OPAQUE = 'https://api.example.com/opaque'

export const servePeer = async (url: string, ready: (port: number) => void): Promise<void> => {
  const pool = new pg.Pool({ connectionString: url, max: 10 })
  const jwk = (kind: 'ec' | 'rsa') => {
    const { privateKey } = kind === 'ec' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('rsa', { modulusLength: 2048 })
    return { ...privateKey.export({ format: 'jwk' }), use: 'sig', kid: kind }
  }
  const provider = new Provider('http://127.0.0.1', {
    adapter: adapterOn(pool),
    jwks: { keys: [jwk('ec'), jwk('rsa')] },
    cookies: { keys: ['a bench'] },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: (_: unknown, resource: string) => ({
          scope: 'tools:read',
          accessTokenTTL: 5 * MINUTE,
          ...(resource === PEER_OPAQUE
            ? { accessTokenFormat: 'opaque' as const }
            : { accessTokenFormat: 'jwt' as const, jwt: { sign: { alg: 'ES256' } } }),
        }),
      },
    },
    scopes: ['openid', 'offline_access', 'tools:read'],
    rotateRefreshToken: true,
    findAccount: (_: unknown, sub: string) => ({ accountId: sub, claims: () => ({ sub }) }),
    interactions: { url: (_: unknown, interaction: { readonly uid: string }) => `/interaction/${interaction.uid}` },
    ttl: { Interaction: 600, Session: 3600, Grant: 3600 },
  })
  provider.proxy = true
  provider.use(async (ctx, next) => {
    if (!ctx.path.startsWith('/interaction/')) return next()
    const { prompt, params, session } = await provider.interactionDetails(ctx.req, ctx.res)
    if (prompt.name === 'login') return provider.interactionFinished(ctx.req, ctx.res, { login: { accountId: 'ana' } })
    const grant = new provider.Grant({ accountId: session?.accountId ?? 'ana', clientId: String(params.client_id) })
    grant.addOIDCScope('openid offline_access tools:read')
    grant.addResourceScope(PEER_API, 'tools:read')
    return provider.interactionFinished(ctx.req, ctx.res, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true })
  })
  const server = provider.listen(0, '127.0.0.1', () => ready((server.address() as AddressInfo).port))
}

/** Its table, and its client. */
export const fillPeer = async (
  pool: pg.Pool,
  client: { readonly id: string; readonly secret: string; readonly redirectUri: string },
): Promise<void> => {
  await pool.query(`create table oidc (model text, id text, payload jsonb, grant_id text, uid text, expires_at timestamptz, consumed_at timestamptz,
    primary key (model, id)); create index on oidc (grant_id); create index on oidc (model, uid)`)
  const adapter = new (adapterOn(pool))('Client')
  await adapter.upsert(client.id, {
    client_id: client.id,
    client_secret: client.secret,
    redirect_uris: [client.redirectUri],
    grant_types: ['client_credentials', 'authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'client_secret_basic',
  })
}
