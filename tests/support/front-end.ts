// Shared setup for tests of a company's own front end: a company with one, a browser that goes there and back, and a person who signs in there.
import { forTenant } from '#db/engine/tenant'
import type { Route } from '#shared/platform/http/route'
import { cookieJar, type Person, startApp, type TestApp } from './app.ts'
import { authorizePath, newOauthClient, newResource, type OauthTestClient } from './oauth.ts'
import { type Body, bodyOf, configure, textIn, verifyDomain } from './sign-in.ts'

export const HMGR = '/authsec/hmgr'

/** A browser without a session. */
export const anonymousBrowser = (app: TestApp) => {
  const jar = cookieJar()
  const get = async (address: string): Promise<Response> => {
    const url = new URL(address, app.config.BASE_URL)
    const response = await app.request(`${url.pathname}${url.search}`, { headers: jar.header() })
    jar.take(response)
    return response
  }
  /** Follows our own pages; returns the address outside our origin, or the page on which the browser stays. */
  const follow = async (address: string): Promise<{ readonly url: URL; readonly response: Response }> => {
    let [url, response] = [new URL(address, app.config.BASE_URL), await get(address)]
    for (let steps = 0; steps < 10; steps++) {
      const location = response.headers.get('location')
      if (location === null) return { url, response }
      url = new URL(location, app.config.BASE_URL)
      if (url.origin !== new URL(app.config.BASE_URL).origin) return { url, response }
      response = await get(url.href)
    }
    throw new Error('the redirects do not end')
  }
  return { jar, get, follow }
}
export type AnonymousBrowser = ReturnType<typeof anonymousBrowser>

const SCOPES = [
  { name: 'tools:read', description: 'Read your tools' },
  { name: 'tools:write', description: 'Change your tools', permission: 'tools:write' },
]

export const startFrontEnd = async (routes: readonly Route<never>[], more: NonNullable<Parameters<typeof startApp>[1]> = {}) => {
  const app = await startApp(routes, more)
  const company = await app.company()
  const ui = `https://login-${company.tenantId.slice(-12)}.example`
  await verifyDomain(app, company, new URL(ui).host)
  await configure(app, company, { loginUi: ui })
  const server = await newResource(app, company, SCOPES)
  const client = await newOauthClient(app, company, { at: [server] })
  const person = await app.person(company)

  /** From the client to the front end: the challenge in its address. */
  const challenged = async (
    browser: AnonymousBrowser,
    asked: Readonly<Record<string, string>> = { scope: 'openid email tools:read' },
    of: OauthTestClient = client,
  ): Promise<string> => challengeIn((await browser.follow(authorizePath(of, asked))).url, 'login')
  const challengeIn = (url: URL, step: 'login' | 'consent'): string => {
    const challenge = url.searchParams.get(`${step}_challenge`)
    if (url.origin !== ui || url.pathname !== `/oidc/${step}` || challenge === null) throw new Error(`no ${step} challenge: ${url.href}`)
    return challenge
  }
  const accept = (token: string, login_challenge: string): Promise<Response> =>
    app.request(`${HMGR}/complete-local-login`, { token, body: { login_challenge }, headers: { origin: ui } })
  const decide = (token: string, what: 'accept' | 'reject', body: Body): Promise<Response> =>
    app.request(`/challenges/consent/${what}`, { token, body, headers: { origin: ui } })
  /** Signed in at the front end; returns the consent challenge that follows. */
  const asked = async (
    browser: AnonymousBrowser,
    who: Person = person,
    parameters?: Readonly<Record<string, string>>,
  ): Promise<{ readonly token: string; readonly challenge: string }> => {
    const token = await app.token(who)
    const accepted = await bodyOf(await accept(token, await challenged(browser, parameters)))
    const { url } = await browser.follow(textIn(accepted, 'redirect_to'))
    return { token, challenge: challengeIn(url, 'consent') }
  }
  return { app, company, ui, server, client, person, challenged, challengeIn, accept, decide, asked }
}
export type FrontEndWorld = Awaited<ReturnType<typeof startFrontEnd>>

/** Rows of a tenant that sign-in and consent there write. */
export const countsOf = async ({ app, company }: Pick<FrontEndWorld, 'app' | 'company'>): Promise<Readonly<Record<string, number>>> => {
  const counts: Record<string, number> = {}
  for (const table of ['oauth_requests', 'oauth_grants', 'oauth_authorizations', 'sessions'] as const) {
    const text = `select count(*)::int from authsec.${table} where tenant_id = $1`
    const [row] = (await forTenant(app.db, company.tenantId).run({ text, params: [company.tenantId], arrays: true })) as number[][]
    counts[table] = row?.[0] ?? 0
  }
  counts.events = (await app.events(company.tenantId)).filter(({ outcome }) => outcome === 'success').length
  return counts
}
