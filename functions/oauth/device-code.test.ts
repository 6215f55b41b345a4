import { describe, expect, test } from 'vitest'
import { forTenant } from '#db/engine/tenant'
import { DEVICE_CODE } from '#shared/domains/oauth/supported'
import { authorizationServerError } from '#shared/platform/http/problem'
import { pageError } from '#shared/platform/pages/error.tsx'
import { type Company, startApp, type TestApp } from '#tests/support/app'
import { openBrowser } from '#tests/support/browser'
import { pollDevice, verifyDevice } from '#tests/support/grants'
import { claimsOf, type Json, newOauthClient, newResource, type OauthTestClient, postForm, prover, TOKEN_URL } from '#tests/support/oauth'
import { accountPageRoutes } from '../account-pages/routes.ts'
import { deviceRoutes } from '../device/routes.ts'
import { loginRoutes } from '../login/routes.ts'
import { oauthRoutes } from './routes.ts'

const GRANTS = ['refresh_token', DEVICE_CODE]
const start = async (more: Parameters<typeof newOauthClient>[2] = {}) => {
  const app = await startApp([...oauthRoutes, ...deviceRoutes], { render: authorizationServerError })
  const company = await app.company()
  const server = await newResource(app, company, [
    { name: 'a', description: 'See A' },
    { name: 'b', permission: 'b:write' },
  ])
  const client = await newOauthClient(app, company, { at: [server], isPublic: true, grantTypes: GRANTS, ...more })
  return { app, company, server, client, pat: await app.person(company) }
}
const begin = async (app: TestApp, client: OauthTestClient, form: Readonly<Record<string, string>> = {}, headers = {}): Promise<Json> =>
  (await (await postForm(app, '/oauth/device_authorization', { client_id: client.id, ...form }, headers)).json()) as Json
const poll = (app: TestApp, client: OauthTestClient, device_code: unknown, headers = {}): Promise<Response> =>
  postForm(app, '/oauth/token', { grant_type: DEVICE_CODE, client_id: client.id, device_code: String(device_code) }, headers)
const errorOf = async (response: Response) => [response.status, ((await response.json()) as Json).error]
const rows = async (app: TestApp, company: Company, table: string): Promise<number> =>
  (
    await forTenant(app.db, company.tenantId).run({
      text: `select 1 from authsec.${table} where tenant_id = $1`,
      params: [company.tenantId],
      arrays: true,
    })
  ).length

describe('User interaction (RFC 8628 section 3.3)', () => {
  test('The activation page names the client, the resource server and the scopes, and offers no session', async () => {
    const app = await startApp([...accountPageRoutes, ...loginRoutes, ...oauthRoutes] as never, { render: pageError })
    const company = await app.company()
    const pat = await app.person(company)
    const server = await newResource(app, company, [{ name: 'a', description: 'See \u202eA <b>' }])
    const client = await newOauthClient(app, company, { at: [server], isPublic: true, grantTypes: GRANTS, name: 'TV app', registeredBy: 'dynamic' })
    const pending = await begin(app, client, { scope: 'openid a' })
    const browser = openBrowser(app)
    await browser.signIn(pat, `/signin?client_id=${company.clientId}`)
    const { html } = await browser.read(`/activate/device?user_code=${pending.user_code}`)
    for (const words of ['TV app', '(unverified)', 'Tools', new URL(server.resource).host, 'See A', pat.email]) expect(html).toContain(words)
    expect(html).not.toContain('Sign in as you')
    await browser.send({ decision: 'approve' })
    expect((await poll(app, client, pending.device_code)).status).toBe(200)
  })
})

describe('Device access token request (RFC 8628 section 3.4)', () => {
  test('A device gets the requested scopes that the person holds, once, and ending its session revokes the tokens', async () => {
    const { app, company, server, client, pat } = await start()
    const pending = await begin(app, client, { scope: 'openid a b' })
    expect(pending).toMatchObject({ expires_in: 300, interval: 5, verification_uri_complete: expect.stringContaining(String(pending.user_code)) })
    expect(await errorOf(await poll(app, client, pending.device_code))).toEqual([400, 'authorization_pending'])
    expect((await verifyDevice(app, pat, String(pending.user_code))).status).toBe(200)
    const answers = await Promise.all(Array.from({ length: 50 }, () => poll(app, client, pending.device_code)))
    const redeemed = answers.filter(({ status }) => status === 200)
    expect(redeemed).toHaveLength(1)
    for (const lost of answers.filter((one) => one !== redeemed[0])) expect((await errorOf(lost))[1]).toMatch(/^(?:invalid_grant|slow_down)$/)
    expect(await rows(app, company, 'oauth_authorizations')).toBe(1)
    const tokens = (await redeemed[0]?.json()) as Json
    expect(tokens).toMatchObject({ token_type: 'Bearer', scope: 'openid a', refresh_token: expect.any(String), id_token: expect.any(String) })
    const claims = claimsOf(String(tokens.access_token))
    expect(claims).toMatchObject({ sub: pat.id, aud: server.resource, client_id: client.id, amr: ['pwd'] })
    const active = async () =>
      (
        (await (
          await postForm(app, '/oauth/introspect', { token: String(tokens.access_token) }, { authorization: server.authorization })
        ).json()) as Json
      ).active
    expect(await active()).toBe(true)
    const t = forTenant(app.db, company.tenantId)
    await t.run({
      text: 'update authsec.sessions set revoked_at = now() where tenant_id = $1 and id = $2',
      params: [company.tenantId, claims.sid],
      arrays: true,
    })
    expect(await active()).toBe(false)
    const refreshed = await postForm(app, '/oauth/token', {
      grant_type: 'refresh_token',
      client_id: client.id,
      refresh_token: String(tokens.refresh_token),
    })
    expect(await errorOf(refreshed)).toEqual([400, 'invalid_grant'])
  })

  test('A device code works only at the endpoint that issued it: no session for an OAuth code, no tokens for a session code', async () => {
    const { app, company, client, pat } = await start()
    const pending = await begin(app, client, { scope: 'openid a' })
    await verifyDevice(app, pat, String(pending.user_code))
    expect((await pollDevice(app, { deviceCode: String(pending.device_code) }, client.id)).status).not.toBe(200)
    expect((await poll(app, client, pending.device_code)).status).toBe(200)
    const session = (await (await app.request('/authsec/uflow/auth/device/code', { body: { client_id: company.clientId } })).json()) as Json
    await verifyDevice(app, pat, String(session.user_code))
    const asDefault = { ...client, id: company.clientId }
    expect((await poll(app, asDefault, session.device_code)).status).not.toBe(200)
    expect((await poll(app, client, session.device_code)).status).not.toBe(200)
    expect((await pollDevice(app, { deviceCode: String(session.device_code) }, company.clientId)).status).toBe(200)
  })

  test('A request with a DPoP proof is redeemed only with the same key, and its tokens are bound to it', async () => {
    const { app, client, pat } = await start({ dpopBound: true })
    const [own, other] = [await prover(app), await prover(app)]
    const at = (url: string) => ({ htm: 'POST', htu: url })
    const pending = await begin(app, client, { scope: 'a' }, { dpop: await own.proof(at('http://localhost:7468/oauth/device_authorization')) })
    await verifyDevice(app, pat, String(pending.user_code))
    expect(await errorOf(await poll(app, client, pending.device_code))).toEqual([400, 'invalid_dpop_proof'])
    expect(await errorOf(await poll(app, client, pending.device_code, { dpop: await other.proof(at(TOKEN_URL)) }))).toEqual([400, 'invalid_grant'])
    const tokens = (await (await poll(app, client, pending.device_code, { dpop: await own.proof(at(TOKEN_URL)) })).json()) as Json
    expect(tokens.token_type).toBe('DPoP')
  })
})

describe('Device access token response (RFC 8628 section 3.5)', () => {
  test('Errors have the names of RFC 8628', async () => {
    const { app, company, client, pat } = await start()
    const refusedAt = async (form: Readonly<Record<string, string | undefined>>) => errorOf(await postForm(app, '/oauth/device_authorization', form))
    expect(await refusedAt({})).toEqual([401, 'invalid_client'])
    expect(await refusedAt({ client_id: client.id, scope: 'nothing' })).toEqual([400, 'invalid_scope'])
    expect(await refusedAt({ client_id: client.id, resource: 'https://elsewhere.example/' })).toEqual([400, 'invalid_target'])
    const other = await newOauthClient(app, company, { isPublic: true })
    expect(await refusedAt({ client_id: other.id })).toEqual([400, 'unauthorized_client'])
    expect(await errorOf(await poll(app, other, 'x'))).toEqual([400, 'unauthorized_client'])
    const pending = await begin(app, client, { scope: 'a' })
    expect(await errorOf(await poll(app, client, 'unknown'))).toEqual([400, 'invalid_grant'])
    const another = await newOauthClient(app, company, { isPublic: true, grantTypes: GRANTS })
    expect(await errorOf(await poll(app, another, pending.device_code))).toEqual([400, 'invalid_grant'])
    expect(await errorOf(await poll(app, client, pending.device_code))).toEqual([400, 'authorization_pending'])
    const hasty = await poll(app, client, pending.device_code)
    expect([hasty.status, await hasty.json()]).toEqual([400, expect.objectContaining({ error: 'slow_down', interval: 10 })])
    await verifyDevice(app, pat, String(pending.user_code), false)
    expect(await errorOf(await poll(app, client, pending.device_code))).toEqual([400, 'access_denied'])
    const late = await begin(app, client, { scope: 'a' })
    app.clock.advance(301)
    expect(await errorOf(await poll(app, client, late.device_code))).toEqual([400, 'expired_token'])
    expect(await errorOf(await poll(app, another, late.device_code))).toEqual([400, 'invalid_grant'])
    expect(await rows(app, company, 'oauth_authorizations')).toBe(0)
  })

  test('A person without the requested permission has the same effect as a denial', async () => {
    const { app, client, pat } = await start()
    const pending = await begin(app, client, { scope: 'b' })
    await verifyDevice(app, pat, String(pending.user_code))
    expect(await errorOf(await poll(app, client, pending.device_code))).toEqual([400, 'access_denied'])
  })
})
