// Clients, resource servers and browsers of the authorization server, for tests.
import { createHash } from 'node:crypto'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { atomically, forTenant } from '#db/engine/tenant'
import { insertClient, type NewClient, updateClientIdentity } from '#db/store/clients'
import { authorizeClient } from '#db/store/oauth-authorizations'
import { findAuthorizationState } from '#db/store/oauth-families'
import { insertResourceServer, putServerScopes, registerClient } from '#db/store/resource-servers'
import { putBinding, putRole, putServiceAccount } from '#db/testing/access'
import { type Company, cookieJar, type Person, type TestApp } from './app.ts'
import { sha256 } from './backend.ts'

export type Scope = { readonly name: string; readonly permission?: string; readonly description?: string }
export type ResourceServer = { readonly id: string; readonly resource: string; readonly secret: string; readonly authorization: string }

export const basicOf = (id: string, secret: string): string =>
  `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}`

/** A test's app, or a running system. */
export type Where = Pick<TestApp, 'ctx' | 'db'>
type Whose = Pick<Company, 'tenantId'>

type More = { readonly registrationModes?: string[]; readonly accessPolicyEnabled?: boolean; readonly accessPolicyRoleId?: string }
/** At its own address, or at the given origin. */
export const newResource = async (
  app: Where,
  company: Whose,
  scopes: readonly Scope[],
  { origin, path = '/mcp', ...more }: More & { readonly origin?: string; readonly path?: string } = {},
): Promise<ResourceServer> => {
  const [id, at] = [app.ctx.random.id(), app.ctx.clock.now()]
  const base = origin ?? `https://api-${id.slice(-12)}.example.com`
  const secret = `${company.tenantId}.${Buffer.from(app.ctx.random.bytes(32)).toString('base64url')}`
  await atomically(forTenant(app.db, company.tenantId), async (t) => {
    await insertResourceServer(t, {
      id,
      name: 'Tools',
      publicBaseUrl: base,
      protectedBasePath: path === '' ? '/' : path,
      resource: `${base}${path}`,
      introspectionHash: sha256(secret),
      resourceHash: sha256(base.startsWith('http:') ? `${company.tenantId} ${base}${path}` : `${base}${path}`),
      identifierHash: sha256(`${base}${path}`),
      keyHash: base.startsWith('http:') ? null : sha256(`${base}${path}`),
      host: new URL(base).hostname.replace(/\.$/, ''),
      createdAt: at,
      updatedAt: at,
      ...more,
    })
    await putServerScopes(
      t,
      id,
      scopes.map(({ name, permission = null, description = '' }) => ({ name, description, permission })),
    )
  })
  return { id, resource: `${base}${path}`, secret, authorization: basicOf(id, secret) }
}

export type OauthTestClient = { readonly id: string; readonly secret: string; readonly authorization: string; readonly redirectUri: string }
export const REDIRECT = 'https://app.example.com/callback'

type Made = Partial<NewClient> & { readonly permissions?: readonly string[]; readonly at?: readonly ResourceServer[] }

export const newOauthClient = async (
  app: Where,
  company: Whose,
  { permissions = [], at: servers = [], ...more }: Made = {},
): Promise<OauthTestClient> => {
  const [id, at] = [app.ctx.random.id(), app.ctx.clock.now()]
  const secret = Buffer.from(app.ctx.random.bytes(32)).toString('base64url')
  await atomically(forTenant(app.db, company.tenantId), async (t) => {
    const account = more.isPublic === true ? undefined : await putServiceAccount(t, `service of ${id}`, at)
    if (account !== undefined && permissions.length > 0)
      await putBinding(t, await putRole(t, `role of ${id}`, permissions, at), { serviceAccountId: account }, at)
    await insertClient(t, {
      id,
      name: 'Shop',
      serviceAccountId: account ?? null,
      redirectUris: [REDIRECT],
      ...(more.isPublic === true ? {} : { secretHash: sha256(secret) }),
      validFrom: at,
      createdAt: at,
      updatedAt: at,
      ...more,
    })
    for (const server of servers) await registerClient(t, server.id, id, at)
  })
  return { id, secret, authorization: basicOf(id, secret), redirectUri: REDIRECT }
}

/** A self-registered public client, with the token that manages its registration. */
export const newSelfRegistered = async (app: Where, company: Whose, more: Partial<NewClient> = {}) => {
  const token = Buffer.from(app.ctx.random.bytes(32)).toString('base64url')
  const id = app.ctx.random.id()
  const manages = `${id}.${token}`
  await newOauthClient(app, company, { id, isPublic: true, registeredBy: 'dynamic', registrationTokenHash: sha256(manages), ...more })
  return { id, token: manages, redirectUri: REDIRECT }
}

export const changeClient = (app: Where, company: Whose, id: string, set: Parameters<typeof updateClientIdentity>[2]) =>
  atomically(forTenant(app.db, company.tenantId), (t) => updateClientIdentity(t, id, set))

/** Authorizes a client offline in that session. Returns a function that checks whether the authorization is still valid. */
export const letInForGood = async (app: Where, company: Whose, userId: string, sessionId?: string): Promise<() => Promise<boolean>> => {
  const [client, id, at] = [await newOauthClient(app, company), app.ctx.random.id(), app.ctx.clock.now()]
  const [t, whose] = [forTenant(app.db, company.tenantId), { userId, clientId: client.id, resourceServerId: null }]
  const scopes = ['openid', 'offline_access']
  await atomically(t, async (tx) =>
    authorizeClient(tx, {
      ...whose,
      id,
      grantId: app.ctx.random.id(),
      sessionId: sessionId ?? app.ctx.random.id(),
      offline: true,
      scopes,
      authTime: at,
      amr: ['pwd'],
      acr: 'aal1',
      codeHash: app.ctx.random.bytes(32),
      codeExpiresAt: at,
      redirectUri: client.redirectUri,
      codeChallenge: '',
      createdAt: at,
      expiresAt: new Date(at.getTime() + 86_400_000),
    }),
  )
  return async () => {
    const found = await findAuthorizationState(t, id, app.ctx.clock.now())
    return found?.alive === true && !found.revoked
  }
}

export type Json = Readonly<Record<string, unknown>>

/** Posts a form, as clients do. */
export const postForm = (
  app: TestApp,
  path: string,
  form: Readonly<Record<string, string | undefined>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> => {
  const body = new URLSearchParams(Object.entries(form).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))
  return app.request(path, { method: 'POST', body: body.toString(), headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers } })
}

export const VERIFIER = 'v'.repeat(43)
export const challengeOf = (verifier: string): string => createHash('sha256').update(verifier).digest('base64url')

/** A browser with a signed-in person. */
export const oauthBrowser = async (app: TestApp, person: Person, amr: readonly string[] = ['pwd']) => {
  const jar = cookieJar()
  jar.kept.set('authsec_session', await app.token(person, amr))
  const get = async (path: string): Promise<Response> => {
    const response = await app.request(path, { headers: jar.header() })
    jar.take(response)
    return response
  }
  /** Submits the form of that page with one of its buttons. */
  const press = async (path: string, html: string, decision: string, typed: Readonly<Record<string, string>> = {}): Promise<Response> => {
    const field = (name: string): string => new RegExp(`name="${name}" value="([^"]*)"`).exec(html)?.[1] ?? ''
    const form = { form_token: field('form_token'), consent: field('consent'), decision, ...typed }
    const action = /<form method="post" action="([^"]*)"[^>]*>(?:(?!<\/form>).)*?name="consent"/s.exec(html)?.[1]?.replaceAll('&amp;', '&')
    return postForm(app, action ?? path, form, { ...jar.header(), 'sec-fetch-site': 'same-origin', origin: 'http://localhost:7468' })
  }
  return { get, press, jar }
}
export type OauthTestBrowser = Awaited<ReturnType<typeof oauthBrowser>>

export const authorizePath = (client: OauthTestClient, more: Readonly<Record<string, string | undefined>> = {}): string => {
  const parameters = {
    client_id: client.id,
    response_type: 'code',
    redirect_uri: client.redirectUri,
    code_challenge: challengeOf(VERIFIER),
    code_challenge_method: 'S256',
    state: 'st-1',
    ...more,
  }
  return `/oauth/authorize?${new URLSearchParams(Object.entries(parameters).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))}`
}

/** The parameters that were returned to the client. */
export const answerIn = (response: Response): URLSearchParams => new URL(response.headers.get('location') ?? 'about:blank').searchParams

/** Through consent to a code. */
export const codeFor = async (
  browser: OauthTestBrowser,
  client: OauthTestClient,
  more: Readonly<Record<string, string | undefined>> = {},
): Promise<string> => {
  const path = authorizePath(client, more)
  const asked = await browser.get(path)
  const answered = asked.status === 303 ? asked : await browser.press(path, await asked.text(), 'allow')
  return answerIn(answered).get('code') ?? ''
}

/** A key that signs proofs of possession. */
export const prover = async (app: { readonly ctx: Where['ctx']; readonly clock: Where['ctx']['clock'] }) => {
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  const jwk = await exportJWK(publicKey)
  let count = 0
  const proof = (claims: Json, header: Json = {}): Promise<string> => {
    const own = { jti: `proof-${app.ctx.random.id()}-${count++}`, iat: Math.floor(app.clock.now().getTime() / 1000), ...claims }
    return new SignJWT(own).setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk, ...header }).sign(privateKey)
  }
  return { proof, jwk }
}
export const TOKEN_URL = 'http://localhost:7468/oauth/token'

export const claimsOf = (token: string): Json => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
export const tokenHeader = (token: string): Json => JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString())
