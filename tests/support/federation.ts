// Shared setup for tests of federated sign-in: providers of the platform and of tenants, a browser, and counting of written rows.

import { atomically, forTenant, SYSTEM_TENANT, type TenantId } from '#db/engine/tenant'
import { insertIdentity, listIdentities } from '#db/store/identities'
import { findProvider, insertProvider } from '#db/store/providers'
import { providerSecretContext } from '#shared/domains/federation/provider-secret'
import { guardedFetch } from '#shared/platform/fetch/guarded'
import type { ErrorRenderer } from '#shared/platform/http/problem'
import type { Route } from '#shared/platform/http/route'
import { cookieJar, type Person, startApp, type TestApp } from './app.ts'
import { rowsOf } from './rows.ts'
import { type Body, bodyOf, textIn } from './sign-in.ts'
import { rerouted, type UpstreamDouble, type UpstreamUser, upstreamDouble, type Wrong } from './upstream-double.ts'

export const BASE = '/authsec/uflow/oidc'
export const CLIENT = { clientId: 'our-client', secret: 'our-secret-at-the-provider' } as const

export type ProviderRow = {
  readonly name?: string
  readonly issuer?: string | null
  readonly active?: boolean
  readonly clientId?: string
  readonly authorizationUrl?: string
}

/** A provider's row in a tenant (by default the platform's); returns its name. */
export const addProvider = async (app: TestApp, row: ProviderRow, tenantId: TenantId = SYSTEM_TENANT): Promise<string> => {
  const [id, at] = [app.ctx.random.id(), app.clock.now()]
  const providerName = row.name ?? `p-${id.slice(-12)}`
  await atomically(forTenant(app.db, tenantId), async (t) =>
    insertProvider(t, {
      id,
      providerName,
      displayName: 'Example ID',
      clientId: row.clientId ?? CLIENT.clientId,
      sealedClientSecret: await app.ctx.keyring.seal(t, tenantId, CLIENT.secret, providerSecretContext(id)),
      issuer: row.issuer ?? null,
      ...(row.authorizationUrl === undefined ? {} : { authorizationUrl: row.authorizationUrl }),
      isActive: row.active ?? true,
      createdAt: at,
      updatedAt: at,
    }),
  )
  return providerName
}

/** The id of a provider's row. */
export const providerIdOf = async (app: TestApp, name: string, tenantId: TenantId = SYSTEM_TENANT): Promise<string> =>
  (await findProvider(forTenant(app.db, tenantId), name))?.id ?? ''

/** A browser: cookies, an origin, and the sign-in step by step. */
export const federationBrowser = (app: TestApp, origin?: string) => {
  const jar = cookieJar()
  const call = async (path: string, init: Parameters<TestApp['request']>[1] = {}): Promise<Response> => {
    const response = await app.request(path, { ...init, headers: { ...jar.header(), ...(origin === undefined ? {} : { origin }), ...init.headers } })
    jar.take(response)
    return response
  }
  const begin = (body: Body, path = '/initiate', token?: string): Promise<Response> =>
    call(`${BASE}${path}`, { body, ...(token === undefined ? {} : { token }) })
  /** The callback page, as the provider's redirect loads it. */
  const land = (back: URLSearchParams): Promise<Response> => call(`${BASE}/callback?${back}`)
  const exchange = (back: URLSearchParams, token?: string): Promise<Response> =>
    call(`${BASE}/exchange-code`, { body: { code: back.get('code'), state: back.get('state') }, ...(token === undefined ? {} : { token }) })
  return { jar, call, begin, land, exchange }
}
export type Browser = ReturnType<typeof federationBrowser>

type World = {
  readonly doubles?: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string>>
  readonly announcesIssuer?: boolean
  readonly claimsInUserinfo?: boolean
  readonly render?: ErrorRenderer
}

/** The routes, a working provider of the platform, and a browser. */
export const startFederation = async (routes: readonly Route<never>[], world: World = {}) => {
  const { env, doubles, render, ...double } = world
  const upstream = await upstreamDouble({ ...CLIENT, ...double })
  // The response time of a provider depends on the machine and is not tested here.
  const outbound = guardedFetch({ resolver: { resolve: async () => [] }, loopback: true, timeoutMs: 120_000 })
  const extra = { outbound: rerouted(outbound, doubles ?? {}) }
  const app = await startApp(routes, { env: { OUTBOUND_LOOPBACK: 'on', ...env }, extra, ...(render === undefined ? {} : { render }) })
  const provider = await addProvider(app, { issuer: upstream.url })
  const company = await app.company()

  const danceWith = async (
    browser: Browser,
    body: Body,
    who: UpstreamUser,
    wrong?: Wrong,
    via: UpstreamDouble = upstream,
  ): Promise<URLSearchParams> => {
    const begun = await bodyOf(await browser.begin({ provider, ...body }))
    return via.authorize(textIn(begun, 'redirect_url'), who, wrong)
  }
  /** A whole sign-in in a new browser. */
  const dance = async (body: Body, who: UpstreamUser, wrong?: Wrong, browser = federationBrowser(app)): Promise<Response> => {
    const back = await danceWith(browser, body, who, wrong)
    await browser.land(back)
    return browser.exchange(back)
  }
  /** Connects an identity directly in the database. */
  const link = (person: Person, subject: string, more: { readonly issuer?: string; readonly isOwnProvider?: boolean } = {}): Promise<boolean> => {
    const [id, at, issuer] = [app.ctx.random.id(), app.clock.now(), more.issuer ?? upstream.url]
    const row = { id, userId: person.id, issuer, subject, provider, isOwnProvider: more.isOwnProvider ?? false, createdAt: at, updatedAt: at }
    const listed = more.isOwnProvider === true ? undefined : app.ctx.hash('federation:identity', issuer, subject)
    return atomically(forTenant(app.db, person.tenantId), (t) => insertIdentity(t, row, listed))
  }
  return { app, upstream, provider, company, dance, danceWith, link }
}
export type Federation = Awaited<ReturnType<typeof startFederation>>

/** All rows of a tenant except pending sign-ins and the named tables, counted by table. */
export const federationStateOf = async (
  app: TestApp,
  tenantId: TenantId,
  but: readonly string[] = [],
): Promise<Readonly<Record<string, unknown>>> => {
  const rows = await rowsOf(app, tenantId, ['federation_states', ...but])
  return { ...Object.fromEntries(Object.entries(rows).map(([table, all]) => [table, all.length])), rows }
}

/** Refusals in a tenant's audit log, by reason, newest first. */
export const refusalsOf = async (app: TestApp, tenantId: TenantId): Promise<(string | null)[]> =>
  (await app.events(tenantId)).filter(({ outcome }) => outcome === 'refused').map(({ reason }) => reason)

export const identitiesOf = (app: TestApp, person: Pick<Person, 'id' | 'tenantId'>) => listIdentities(forTenant(app.db, person.tenantId), person.id)
