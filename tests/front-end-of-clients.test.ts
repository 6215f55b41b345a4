// The page that receives passwords is what `login_ui` names: a redirect address of a client does not move it to another origin.
import { expect, test } from 'vitest'
import { anonymousBrowser, startFrontEnd } from '#tests/support/front-end'
import { authorizePath } from '#tests/support/oauth'
import { verifyDomain } from '#tests/support/sign-in'
import { challengeRoutes } from '../functions/challenges/routes.ts'
import { clientsRoutes } from '../functions/clients/routes.ts'
import { oauthRoutes } from '../functions/oauth/routes.ts'

test('a redirect address in another of the tenant\u2019s domains does not choose the sign-in page', async () => {
  const { app, company, ui, client } = await startFrontEnd([...oauthRoutes, ...challengeRoutes, ...clientsRoutes] as never)
  const wiki = `wiki-${company.tenantId.slice(-12)}.example`
  await verifyDomain(app, company, wiki)
  const writer = await app.token(await app.person(company, ['clients:write']))
  const body = { redirect_uris: [`https://${wiki}/~mallory/oidc/auth/callback`, client.redirectUri] }
  expect((await app.request(`/clients/${client.id}/registration`, { method: 'PATCH', token: writer, body })).status).toBe(200)
  app.clock.advance(3)
  expect((await anonymousBrowser(app).follow(authorizePath(client, { scope: 'openid email' }))).url.origin).toBe(ui)
})
