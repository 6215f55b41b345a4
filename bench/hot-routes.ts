// Counts the statements of the ten hottest routes once an instance is warm. `npm run bench:routes -- --write` updates the table in docs/performance.md; its test compares them

import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { PASSWORD, startApp } from '#tests/support/app'
import { countedDb } from '#tests/support/counted'
import { ownDb } from '#tests/support/database'
import { authorizePath, codeFor, newOauthClient, newResource, oauthBrowser, postForm, VERIFIER } from '#tests/support/oauth'
import { accessRoutes } from '../functions/access/routes.ts'
import { accountRoutes } from '../functions/account/routes.ts'
import { authRoutes } from '../functions/auth/routes.ts'
import { oauthRoutes } from '../functions/oauth/routes.ts'
import { wellknownRoutes } from '../functions/wellknown/routes.ts'

export type HotRoute = {
  readonly name: string
  readonly statements: number
  readonly roundTrips: number
  /** Called again while all cached values are valid. */
  readonly again: number
}

export const hotRoutes = async (): Promise<readonly HotRoute[]> => {
  const counted = countedDb((await ownDb()).engine)
  const routes = [...wellknownRoutes, ...oauthRoutes, ...accessRoutes, ...accountRoutes, ...authRoutes]
  const app = await startApp(routes, { db: counted.db })
  const company = await app.company('hot')
  const person = await app.person(company, 'admin')
  const token = await app.token(person)
  const server = await newResource(app, company, [{ name: 'files:read' }, { name: 'offline_access' }])
  const client = await newOauthClient(app, company, { at: [server] })
  const browser = await oauthBrowser(app, person)
  const basic = { authorization: client.authorization }
  const tokens = async (): Promise<{ readonly access_token: string; readonly refresh_token?: string }> => {
    const code = await codeFor(browser, client, { scope: 'openid files:read offline_access', resource: server.resource })
    const form = { grant_type: 'authorization_code', code, redirect_uri: client.redirectUri, code_verifier: VERIFIER }
    return (await (await postForm(app, '/oauth/token', form, basic)).json()) as { access_token: string; refresh_token?: string }
  }
  let set = await tokens()
  const refresh = async (): Promise<void> => {
    const answer = await postForm(app, '/oauth/token', { grant_type: 'refresh_token', refresh_token: set.refresh_token }, basic)
    if (answer.status === 200) set = (await answer.json()) as typeof set
  }
  const decision = { subject: { type: 'user', id: person.id }, action: { name: 'read' }, resource: { type: 'users', id: 'any' } }
  const work: Readonly<Record<string, () => Promise<unknown>>> = {
    'GET /.well-known/openid-configuration': () => app.request('/.well-known/openid-configuration'),
    'GET /oauth/jwks': () => app.request('/oauth/jwks'),
    'POST /oauth/token, client credentials': () =>
      postForm(app, '/oauth/token', { grant_type: 'client_credentials', scope: 'files:read', resource: server.resource }, basic),
    'POST /oauth/token, refresh': refresh,
    'POST /oauth/introspect': () => postForm(app, '/oauth/introspect', { token: set.access_token }, { authorization: server.authorization }),
    'GET /oauth/userinfo': () => app.request('/oauth/userinfo', { token: set.access_token }),
    'POST /access/v1/evaluation': () => app.request('/access/v1/evaluation', { token, body: decision }),
    'GET /oauth/authorize, consent remembered': () => browser.get(authorizePath(client, { scope: 'files:read', resource: server.resource })),
    'GET /account/sessions': () => app.request('/account/sessions', { token }),
    'POST /authsec/uflow/auth/admin/login': () =>
      app.request('/authsec/uflow/auth/admin/login', { body: { email: person.email, password: PASSWORD, tenant_domain: company.domain } }),
  }
  const out: HotRoute[] = []
  for (const [name, ask] of Object.entries(work)) {
    await ask()
    // Longer than any cache lifetime, so that the first count includes no cached values.
    app.clock.advance(3)
    const { statements, roundTrips } = await counted.during(ask)
    const { statements: again } = await counted.during(ask)
    out.push({ name, statements, roundTrips, again })
  }
  return out
}

const HEAD = '| the ten hottest routes, warm | statements | round trips | statements, within the same second |'
/** The table as in docs/performance.md, without the formatter's padding. */
export const hotTable = (routes: readonly HotRoute[]): string =>
  [HEAD, '| --- | ---: | ---: | ---: |', ...routes.map((r) => `| ${r.name} | ${r.statements} | ${r.roundTrips} | ${r.again} |`)].join('\n')

const DOCUMENT = fileURLToPath(new URL('../docs/performance.md', import.meta.url))
const padded = (): string => /^\| the ten hottest routes.*\n(?:\|.*\n)+/m.exec(readFileSync(DOCUMENT, 'utf8'))?.[0].trimEnd() ?? ''
/** The table in docs/performance.md. */
export const tableInDocument = (): string => padded().replaceAll(/ {2,}/g, ' ').replaceAll(/-{2,}/g, '---')

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const table = hotTable(await hotRoutes())
  process.stdout.write(`${table}\n`)
  const old = padded()
  if (process.argv.includes('--write') && old !== '')
    writeFileSync(
      DOCUMENT,
      readFileSync(DOCUMENT, 'utf8').replace(old, () => table),
    )
  process.exit(0)
}
