// Sign-in through a provider for a client of a company with its own front end.
import { expect, test } from 'vitest'
import { outcomeError } from '#shared/platform/http/problem'
import { challengeRoutes } from '../functions/challenges/routes.ts'
import { federationRoutes } from '../functions/federation/routes.ts'
import { oauthRoutes } from '../functions/oauth/routes.ts'
import { federationBrowser, startFederation } from './support/federation.ts'
import { anonymousBrowser, HMGR } from './support/front-end.ts'
import { authorizePath, newOauthClient, VERIFIER } from './support/oauth.ts'
import { bodyOf, configure, enrol, textIn, verifyDomain } from './support/sign-in.ts'

const start = async () => {
  const world = await startFederation([...oauthRoutes, ...challengeRoutes, ...federationRoutes], { render: outcomeError })
  const { app, company } = world
  const ui = `https://login-${company.tenantId.slice(-12)}.example`
  await verifyDomain(app, company, new URL(ui).host)
  await configure(app, company, { loginUi: ui })
  const client = await newOauthClient(app, company)
  const person = await app.person(company)
  await world.link(person, 'sub-1')
  const user = anonymousBrowser(app)
  const challenged = async (more = {}): Promise<string> =>
    (await user.follow(authorizePath(client, { scope: 'openid', ...more }))).url.searchParams.get('login_challenge') ?? ''
  const at = federationBrowser(app, ui)
  const initiate = (login_challenge: string, more = {}, provider = world.provider, by = at) =>
    by.call(`${HMGR}/auth/initiate/${provider}?login_challenge=${login_challenge}`, {
      body: { login_challenge, origin_domain: new URL(ui).host, ...more },
    })
  /** The provider's response, as the front end's own page receives it. */
  const back = async (login_challenge: string, sub = 'sub-1', by = at): Promise<URLSearchParams> => {
    const begun = await bodyOf(await initiate(login_challenge, {}, world.provider, by))
    const answer = await world.upstream.authorize(textIn(begun, 'auth_url'), { sub })
    await by.land(answer)
    return answer
  }
  const callback = (answer: URLSearchParams, by = at) =>
    by.call(`${HMGR}/auth/callback`, { body: { code: answer.get('code'), state: answer.get('state') } })
  return { ...world, ui, client, person, user, at, challenged, initiate, back, callback }
}
const codeOf = async (response: Response) => [response.status, (await response.json()).code]

test('a person whom the provider authenticates continues to the client; the result arrives at the front end\u2019s own page', async () => {
  const world = await start()
  const { app, company, person, user, provider, ui, at } = world
  const challenge = await world.challenged()
  const page = await bodyOf(await app.request(`${HMGR}/login/page-data?login_challenge=${challenge}`))
  // The platform's own providers are offered too.
  const own = (page.providers as { readonly provider_name: string }[]).filter(({ provider_name }) => provider_name === provider)
  expect(own).toMatchObject([
    {
      provider_name: provider,
      display_name: 'Example ID',
      is_active: true,
      callback_url: `${app.config.BASE_URL}/authsec/uflow/oidc/callback`,
      config: { type: 'oidc' },
    },
  ])
  expect(JSON.stringify(page)).not.toMatch(/secret/i)
  const begun = await bodyOf(await world.initiate(challenge, { code_verifier: VERIFIER }))
  expect(begun).toMatchObject({ success: true, provider })
  const asked = new URL(textIn(begun, 'auth_url')).searchParams
  expect([asked.get('state'), asked.get('code_challenge_method'), asked.get('nonce') !== null]).toEqual([begun.state, 'S256', true])
  expect([...at.jar.kept.keys()].some((name) => name.includes('pkce'))).toBe(true)
  const answer = await world.upstream.authorize(textIn(begun, 'auth_url'), { sub: 'sub-1' })
  expect(await (await at.land(answer)).text()).toContain(`${ui}/oidc/auth/callback?`)
  // A sign-in that was started for the request cannot be used elsewhere.
  expect((await at.exchange(answer)).status).toBe(401)
  const done = await world.callback(answer)
  const body = await bodyOf(done)
  expect(body).toMatchObject({
    success: true,
    user_info: { user_id: person.id, email: person.email, provider, provider_id: 'sub-1', tenant_id: company.tenantId, email_verified: false },
  })
  expect(body).not.toHaveProperty('first_step')
  expect((await user.follow(textIn(body, 'redirect_to'))).url.pathname).toBe('/oidc/consent')
  expect(await codeOf(await world.callback(answer))).toEqual([401, 'federation_failed'])
})

test('a request that was answered meanwhile does not sign the person in', async () => {
  const world = await start()
  const { app, company } = world
  const challenge = await world.challenged()
  const answer = await world.back(challenge)
  expect((await app.request('/challenges/login/reject', { body: { login_challenge: challenge } })).status).toBe(200)
  expect(await codeOf(await world.callback(answer))).toEqual([400, 'login_challenge_invalid'])
  expect(await app.events(company.tenantId, { event: 'session.created' })).toEqual([])
})

test('the result is accepted only in the browser that started, only for its request, and once in twenty concurrent attempts', async () => {
  const world = await start()
  const { app, ui } = world
  const challenge = await world.challenged()
  const answer = await world.back(challenge)
  expect(await codeOf(await world.callback(answer, federationBrowser(app, ui)))).toEqual([401, 'federation_failed'])
  const before = (await app.events(world.company.tenantId, { event: 'user.signed_in' })).filter(({ outcome }) => outcome === 'success').length
  const all = await Promise.all(Array.from({ length: 20 }, () => world.callback(answer)))
  expect(all.filter(({ status }) => status === 200)).toHaveLength(1)
  const after = (await app.events(world.company.tenantId, { event: 'user.signed_in' })).filter(({ outcome }) => outcome === 'success').length
  expect(after - before).toBe(1)
  // A sign-in that was started elsewhere does not answer the request.
  const other = await world.danceWith(world.at, { tenant_domain: world.company.domain }, { sub: 'sub-1' })
  await world.at.land(other)
  expect(await codeOf(await world.callback(other))).toEqual([401, 'federation_failed'])
})

test('a missing step is returned with its ticket: a second factor, a stronger sign-in, an account that is not connected', async () => {
  const world = await start()
  const strong = await bodyOf(await world.callback(await world.back(await world.challenged({ acr_values: 'aal2' }))))
  expect(strong).toMatchObject({ success: false, error: expect.any(String), first_step: { token: expect.any(String), email: world.person.email } })
  await enrol(world.app, world.person)
  const second = await bodyOf(await world.callback(await world.back(await world.challenged())))
  expect(second).toMatchObject({ success: false, first_step: { login_ticket: expect.any(String), otp_required: true } })
  expect(second).not.toHaveProperty('redirect_to')
  expect((second.first_step as Record<string, unknown>).token).toBeUndefined()
  const unlinked = await world.callback(await world.back(await world.challenged(), 'unlinked'))
  expect(unlinked.status).toBe(401)
  expect(await unlinked.json()).toMatchObject({ success: false, code: 'federation_no_account' })
  expect(await world.app.events(world.company.tenantId, { event: 'oauth.login_accepted' })).toEqual([])
})

test('requires a page of the company, an existing provider, and a pending request', async () => {
  const world = await start()
  const { app, ui } = world
  const challenge = await world.challenged()
  const globex = await app.company('globex')
  const elsewhere: readonly (readonly [string | undefined, string])[] = [
    [undefined, 'evil.example'],
    [undefined, `evil-${new URL(ui).host}`],
    [undefined, globex.domain],
    [undefined, 'a b'],
    [`https://${globex.domain}`, globex.domain],
    [ui, 'evil.example'],
  ]
  for (const [origin, origin_domain] of elsewhere) {
    const refused = await world.initiate(challenge, { origin_domain }, world.provider, federationBrowser(app, origin))
    expect(await codeOf(refused), `${origin} ${origin_domain}`).toEqual([403, 'origin_not_verified'])
  }
  expect((await world.initiate(challenge, {}, world.provider, federationBrowser(app))).status).toBe(200)
  expect(await codeOf(await world.initiate(challenge, {}, 'unknown'))).toEqual([404, 'not_found'])
  expect(await codeOf(await world.initiate('x'))).toEqual([400, 'login_challenge_invalid'])
  expect(await codeOf(await world.initiate(challenge, { code_verifier: 'short' }))).toEqual([400, 'invalid_request'])
  const wrong = [{}, { code: 'x' }, { state: 'x' }, { error: 'access_denied' }]
  for (const body of wrong) expect(await codeOf(await world.at.call(`${HMGR}/auth/callback`, { body }))).toEqual([400, 'invalid_request'])
  expect(await codeOf(await world.at.call(`${HMGR}/auth/callback`, { body: { code: 'x', state: 'y' } }))).toEqual([401, 'federation_failed'])
  // An expired session of another person does not interfere: no session is required.
  const stale = await world.at.call(`${HMGR}/auth/initiate/${world.provider}`, { token: 'stale', body: { login_challenge: challenge } })
  expect(stale.status).toBe(200)
})
