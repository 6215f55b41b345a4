// The floor: only what cannot be left out. One signature, one digest of the secret, one statement by key, Hono on Node. It has no tenants and no audit log.
import { createHash, randomUUID, timingSafeEqual } from 'node:crypto'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { compactVerify, generateKeyPair, SignJWT } from 'jose'
import pg from 'pg'

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest()
const ISSUER = 'http://localhost:7468'

export const serveFloor = async (url: string, ready: (port: number) => void): Promise<void> => {
  const pool = new pg.Pool({ connectionString: url, max: 10 })
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  const rsa = await generateKeyPair('RS256')
  const one = async (name: string, text: string, values: unknown[]): Promise<Record<string, unknown> | undefined> =>
    (await pool.query({ name, text, values })).rows[0]
  const basic = (header = ''): [string, string] => {
    const [id = '', secret = ''] = Buffer.from(header.slice(6), 'base64').toString().split(':')
    return [id, secret]
  }
  const sign = (claims: Record<string, unknown>): Promise<string> =>
    new SignJWT({
      ...claims,
      iss: ISSUER,
      aud: 'api',
      jti: randomUUID(),
      iat: Math.floor(Date.now() / 1000),
      exp: Math.floor(Date.now() / 1000) + 300,
    })
      .setProtectedHeader({ alg: 'ES256', kid: 'k1', typ: 'at+jwt' })
      .sign(privateKey)
  const answer = (token: string, more = {}) => ({ access_token: token, token_type: 'Bearer', expires_in: 300, scope: 'tools:read', ...more })
  const CLIENT = 'select id, secret_hash, scopes from floor_clients where id = $1'
  const isClient = (row: Record<string, unknown> | undefined, secret: string): boolean =>
    row !== undefined && timingSafeEqual(row.secret_hash as Buffer, sha256(secret))

  const app = new Hono()
  app.post('/oauth/token', async (c) => {
    const form = new URLSearchParams(await c.req.text())
    const [id, secret] = basic(c.req.header('authorization'))
    if (form.get('grant_type') === 'client_credentials') {
      if (!isClient(await one('client', CLIENT, [id]), secret)) return c.json({ error: 'invalid_client' }, 401)
      return c.json(answer(await sign({ sub: id, client_id: id, scope: 'tools:read' })))
    }
    if (form.get('grant_type') === 'refresh_token') {
      // The secret is checked in the statement that rotates the family.
      const next = randomUUID()
      const turned = await one(
        'turn',
        'update floor_families f set token = $2 from floor_clients c where f.token = $1 and c.id = f.client_id and c.secret_hash = $3 returning f.sub',
        [form.get('refresh_token'), next, sha256(secret)],
      )
      if (turned === undefined) return c.json({ error: 'invalid_grant' }, 400)
      return c.json(answer(await sign({ sub: turned.sub, client_id: id, scope: 'tools:read' }), { refresh_token: next }))
    }
    const redeemed = await one(
      'redeem',
      'update floor_codes k set used = true from floor_clients c where k.code = $1 and not k.used and k.challenge = $2 and c.id = k.client_id returning k.sub',
      [form.get('code'), sha256(form.get('code_verifier') ?? '').toString('base64url')],
    )
    if (redeemed === undefined) return c.json({ error: 'invalid_grant' }, 400)
    const token = randomUUID()
    await one('family', 'insert into floor_families (token, sub, client_id) values ($1, $2, $3)', [token, redeemed.sub, form.get('client_id')])
    const claims = { iss: ISSUER, sub: redeemed.sub as string, aud: form.get('client_id') ?? '' }
    const id_token = await new SignJWT({ ...claims, exp: Math.floor(Date.now() / 1000) + 300 })
      .setProtectedHeader({ alg: 'RS256', kid: 'k2' })
      .sign(rsa.privateKey)
    return c.json(answer(await sign({ sub: redeemed.sub, scope: 'openid tools:read' }), { refresh_token: token, id_token }))
  })
  app.get('/oauth/authorize', async (c) => {
    const session = await one('session', 'select s.sub, c.id from floor_sessions s, floor_clients c where s.id = $1 and c.id = $2', [
      c.req.header('cookie')?.slice(2),
      c.req.query('client_id'),
    ])
    if (session === undefined) return c.text('no session', 401)
    return c.html(
      `<form method="post"><input name="challenge" value="${c.req.query('code_challenge')}"><button name="decision" value="allow">Allow</button></form>`,
    )
  })
  app.post('/oauth/authorize', async (c) => {
    const form = new URLSearchParams(await c.req.text())
    const code = randomUUID()
    const made = await one(
      'code',
      'insert into floor_codes (code, challenge, sub, client_id) select $1, $2, s.sub, $4::uuid from floor_sessions s where s.id = $3 returning sub',
      [code, form.get('challenge'), c.req.header('cookie')?.slice(2), c.req.query('client_id')],
    )
    if (made === undefined) return c.text('no session', 401)
    return c.redirect(`http://127.0.0.1/callback?code=${code}&state=${c.req.query('state')}`, 303)
  })
  app.post('/oauth/introspect', async (c) => {
    const form = new URLSearchParams(await c.req.text())
    const [id, secret] = basic(c.req.header('authorization'))
    const { payload } = await compactVerify(form.get('token') ?? '', publicKey, { algorithms: ['ES256'] })
    const claims = JSON.parse(new TextDecoder().decode(payload)) as Record<string, unknown>
    const row = await one(
      'token',
      'select s.secret_hash, c.id is not null and not exists (select from floor_revoked r where r.jti = $3) as active from floor_clients s left join floor_clients c on c.id = $2 where s.id = $1',
      [id, claims.sub, claims.jti],
    )
    if (!isClient(row, secret)) return c.json({ error: 'invalid_client' }, 401)
    return c.json(row?.active === true ? { active: true, ...claims } : { active: false })
  })
  const body = JSON.stringify({ keys: [{ kty: 'EC', crv: 'P-256', x: 'x'.repeat(43), y: 'y'.repeat(43), kid: 'k1', alg: 'ES256', use: 'sig' }] })
  app.get('/.well-known/jwks.json', (c) =>
    c.body(body, 200, { 'Content-Type': 'application/json', 'Cache-Control': 'public, max-age=60', ETag: '"a"' }),
  )
  const document = JSON.stringify({ issuer: ISSUER, more: 'x'.repeat(1500) })
  app.get('/.well-known/openid-configuration', (c) =>
    c.body(document, 200, { 'Content-Type': 'application/json', 'Cache-Control': 'public, max-age=300', ETag: '"b"' }),
  )
  serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => ready(port))
}

/** Its tables, and one client with this secret. */
export const fillFloor = async (pool: pg.Pool, client: { readonly id: string; readonly secret: string }): Promise<void> => {
  await pool.query(`create table floor_clients (id uuid primary key, secret_hash bytea, scopes text[]);
    create table floor_families (token text primary key, sub text, client_id uuid);
    create table floor_codes (code text primary key, challenge text, sub text, client_id uuid, used boolean not null default false);
    create table floor_sessions (id text primary key, sub text); create table floor_revoked (jti text primary key);
    insert into floor_sessions values ('s1', 'ana')`)
  await pool.query('insert into floor_clients values ($1, $2, $3)', [client.id, sha256(client.secret), ['tools:read']])
}
