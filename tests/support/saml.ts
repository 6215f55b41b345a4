// Shared setup for tests of SAML sign-in: a trusted provider, a browser that goes there and back, and counting of written rows.

import { atomically, forTenant } from '#db/engine/tenant'
import { insertIdentity } from '#db/store/identities'
import { insertAuthorizationRequest } from '#db/store/oauth-authorizations'
import { insertSamlProvider, type NewSamlProvider, type SamlProvider } from '#db/store/saml-providers'
import { newHandle } from '#shared/domains/oauth/handles'
import { secondsAfter } from '#shared/kernel/clock'
import { outcomeError } from '#shared/platform/http/problem'
import type { Route } from '#shared/platform/http/route'
import { type Company, cookieJar, type Person, startApp, type TestApp } from './app.ts'
import { federationStateOf } from './federation.ts'
import {
  type AssertionContent,
  assertionXml,
  base64,
  keyPair,
  type Pair,
  type ReceivedAuthnRequest,
  readRequest,
  responseXml,
  signedXml,
} from './saml-idp.ts'
import { bodyOf, textIn } from './sign-in.ts'

export const HMGR = '/authsec/hmgr'
export const LOGIN = '/authsec/uflow/user/saml/login'

export type Provider = Pick<SamlProvider, 'id' | 'providerName' | 'entityId' | 'clientId' | 'displayName'>

/** A provider that the company trusts, with its signing key. */
export const addSamlProvider = async (
  app: Pick<TestApp, 'ctx' | 'db'>,
  company: Pick<Company, 'tenantId' | 'clientId'>,
  key: Pair,
  more: Partial<NewSamlProvider> = {},
): Promise<Provider> => {
  const [id, at] = [app.ctx.random.id(), app.ctx.clock.now()]
  const row = {
    id,
    clientId: company.clientId,
    providerName: `idp-${id.slice(-12)}`,
    displayName: 'Acme Directory',
    entityId: `https://idp-${id.slice(-12)}.example/metadata`,
    ssoUrl: 'https://idp.example/sso?tenant=1',
    certificates: [key.certificate],
    nameIdFormat: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
    createdAt: at,
    updatedAt: at,
    ...more,
  }
  await atomically(forTenant(app.db, company.tenantId), (t) => insertSamlProvider(t, row))
  return row
}

/** A pending authorization request. */
export const newChallenge = async (app: Pick<TestApp, 'ctx' | 'db'>, company: Pick<Company, 'tenantId' | 'clientId'>): Promise<string> => {
  const [handle, at] = [newHandle(app.ctx, company.tenantId), app.ctx.clock.now()]
  await atomically(forTenant(app.db, company.tenantId), (t) =>
    insertAuthorizationRequest(t, {
      id: app.ctx.random.id(),
      kind: 'waiting',
      handleHash: handle.hash,
      clientId: company.clientId,
      parameters: {},
      createdAt: at,
      expiresAt: secondsAfter(at, 900),
    }),
  )
  return handle.text
}

export const samlBrowser = (app: TestApp, more: { readonly secure?: boolean } = {}) => {
  const jar = cookieJar()
  const call = async (path: string, init: Parameters<TestApp['request']>[1] = {}): Promise<Response> => {
    const response = await app.request(path, { ...more, ...init, headers: { ...jar.header(), ...init.headers } })
    jar.take(response)
    return response
  }
  /** As the provider's page posts it, from its own site. */
  const post = (path: string, fields: Readonly<Record<string, string>>): Promise<Response> =>
    call(path, {
      method: 'POST',
      body: new URLSearchParams(fields).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded', origin: 'https://idp.example', 'sec-fetch-site': 'cross-site' },
    })
  return { jar, call, post }
}
export type SamlBrowser = ReturnType<typeof samlBrowser>

export const startSaml = async (routes: readonly Route<never>[], more: Partial<NewSamlProvider> = {}, env: Readonly<Record<string, string>> = {}) => {
  const app = await startApp(routes, { env, render: outcomeError })
  const company = await app.company()
  const key = await keyPair('provider')
  const provider = await addSamlProvider(app, company, key, more)

  const begin = async (browser: SamlBrowser, at: Provider = provider, of: Company = company): Promise<ReceivedAuthnRequest> => {
    const begun = await browser.call(`${HMGR}/saml/initiate/${at.providerName}`, { body: { login_challenge: await newChallenge(app, of) } })
    return readRequest(textIn(await bodyOf(begun), 'sso_url'))
  }
  const saying = (request: ReceivedAuthnRequest, more: Partial<AssertionContent> = {}): AssertionContent => ({
    issuer: provider.entityId,
    audience: request.issuer,
    recipient: request.acs,
    destination: request.acs,
    inResponseTo: request.id,
    now: app.clock.now(),
    nameId: 'subject-1',
    ...more,
  })
  /** A valid response with a signed assertion. */
  const answer = (request: ReceivedAuthnRequest, more: Partial<AssertionContent> = {}): string => {
    const said = saying(request, more)
    return responseXml(said, signedXml(assertionXml(said), 'Assertion', { key }))
  }
  const land = (browser: SamlBrowser, request: Pick<ReceivedAuthnRequest, 'acs' | 'relayState'>, xml: string): Promise<Response> =>
    browser.post(new URL(request.acs).pathname, { SAMLResponse: base64(xml), RelayState: request.relayState })
  /** The ticket that the page passes on. */
  const ticketOf = async (response: Response): Promise<string> => {
    const page = await response.text()
    const transactionToken = /saml_ticket=([\w.-]+)/.exec(page)?.[1]
    if (transactionToken === undefined) throw new Error(`no ticket: ${response.status} ${page.slice(0, 300)}`)
    return transactionToken
  }
  const login = (browser: SamlBrowser, saml_ticket: string | undefined, email: string, client_id = company.clientId): Promise<Response> =>
    browser.call(LOGIN, { body: { client_id, email, ...(saml_ticket === undefined ? {} : { saml_ticket }) } })
  /** Connects a name identifier with a person directly in the database. */
  const link = (person: Person, subject: string, entityId = provider.entityId): Promise<boolean> => {
    const [id, at] = [app.ctx.random.id(), app.clock.now()]
    const row = { id, userId: person.id, issuer: `saml:${entityId}`, subject, provider: `saml-${provider.providerName}`, isOwnProvider: true }
    return atomically(forTenant(app.db, person.tenantId), (t) => insertIdentity(t, { ...row, createdAt: at, updatedAt: at }, undefined))
  }
  return { app, company, key, provider, begin, saying, answer, land, ticketOf, login, link }
}
export type Saml = Awaited<ReturnType<typeof startSaml>>

/** Rows of a tenant that a sign-in writes, including pending requests and used ids. */
export const samlStateOf = async (app: TestApp, company: Company, but: readonly string[] = []): Promise<Readonly<Record<string, unknown>>> => {
  const t = forTenant(app.db, company.tenantId)
  const counts: Record<string, unknown> = { ...(await federationStateOf(app, company.tenantId, but)) }
  for (const table of ['saml_requests', 'oauth_used_ids', 'saml_providers', 'saml_keys'] as const) {
    const text = `select count(*)::int from authsec.${table} where tenant_id = $1`
    counts[table] = ((await t.run({ text, params: [company.tenantId], arrays: true })) as number[][])[0]?.[0]
  }
  return counts
}
