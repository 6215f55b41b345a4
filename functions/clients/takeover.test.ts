// Who may change what decides who can act as a client that people have consented to, and what such a change ends.
import { exportJWK, generateKeyPair } from 'jose'
import { describe, expect, test } from 'vitest'
import { forTenant } from '#db/engine/tenant'
import { findClient } from '#db/store/clients'
import { authorizationServerError } from '#shared/platform/http/problem'
import { newAgent } from '#tests/support/agents'
import { startApp } from '#tests/support/app'
import {
  authorizePath,
  codeFor,
  type Json,
  newOauthClient,
  newResource,
  newSelfRegistered,
  oauthBrowser,
  postForm,
  REDIRECT,
  VERIFIER,
} from '#tests/support/oauth'
import { agentRoutes } from '../agents/routes.ts'
import { auditRoutes } from '../audit/routes.ts'
import { oauthRoutes } from '../oauth/routes.ts'
import { resourceRoutes } from '../resources/routes.ts'
import { clientsRoutes } from './routes.ts'

const OTHER = 'https://other.example.com/cb'
const SCOPE = 'openid offline_access vault:open'

const start = async () => {
  const app = await startApp([...clientsRoutes, ...oauthRoutes, ...resourceRoutes, ...agentRoutes, ...auditRoutes], {
    render: authorizationServerError,
  })
  const company = await app.company()
  const server = await newResource(app, company, [{ name: 'vault:open', permission: 'vault:open' }, { name: 'tools:read' }])
  const client = await newOauthClient(app, company, { at: [server] })
  const pat = await app.person(company, ['vault:open'])
  const browser = await oauthBrowser(app, pat)
  const redeem = (code: string) =>
    postForm(
      app,
      '/oauth/token',
      { grant_type: 'authorization_code', code, code_verifier: VERIFIER, redirect_uri: REDIRECT },
      { authorization: client.authorization },
    )
  const refresh = async (refresh_token: string) => {
    const response = await postForm(app, '/oauth/token', { grant_type: 'refresh_token', refresh_token }, { authorization: client.authorization })
    return [response.status, ((await response.json()) as Json).error]
  }
  const introspect = async (token: string) =>
    ((await (await postForm(app, '/oauth/introspect', { token }, { authorization: server.authorization })).json()) as Json).active
  const change = (token: string, body: Json, id = client.id) => app.request(`/clients/${id}/registration`, { method: 'PATCH', body, token })
  const rotate = (token: string) => app.request(`/clients/${client.id}/rotate-secret`, { token, body: { overlap_seconds: 0 } })
  const row = () => findClient(forTenant(app.db, company.tenantId), client.id)
  const ended = () => app.events(company.tenantId, { event: 'client.consents_ended' })
  const asks = async (path = authorizePath(client, { scope: SCOPE })) => (await browser.get(path)).status === 200
  /** Pat consents; the tokens of one code, and another code. */
  const consent = async () => {
    const more = { scope: SCOPE }
    const tokens = (await (await redeem(await codeFor(browser, client, more))).json()) as { access_token: string; refresh_token: string }
    return { ...tokens, code: await codeFor(browser, client, more) }
  }
  return { app, company, server, client, pat, browser, redeem, refresh, introspect, change, rotate, row, ended, asks, consent }
}

describe('control of a client that people have consented to', () => {
  test('takes every permission that they allowed it', async () => {
    const w = await start()
    const owner = await w.app.token(await w.app.person(w.company, ['clients:read', 'clients:write']))
    // Before the first consent it has nothing to take over.
    expect((await w.change(owner, { client_uri: 'https://shop.example.com' })).status).toBe(200)
    const { refresh_token } = await w.consent()
    const before = await w.row()
    const { publicKey } = await generateKeyPair('ES256')
    const jwks = { keys: [await exportJWK(publicKey)] }
    for (const body of [{ redirect_uris: [OTHER] }, { jwks, token_endpoint_auth_method: 'private_key_jwt' }, { jwks }])
      expect(await (await w.change(owner, body)).json()).toMatchObject({
        status: 403,
        code: 'cannot_grant',
        detail: expect.stringContaining('vault:open'),
      })
    expect(await (await w.rotate(owner)).json()).toMatchObject({ status: 403, code: 'cannot_grant' })
    expect(await w.row()).toEqual(before)
    expect(await w.ended()).toEqual([])
    expect((await w.refresh(refresh_token))[0]).toBe(200)
  })

  test('is for holders of those permissions, and for full administrators', async () => {
    const w = await start()
    await w.consent()
    const holder = await w.app.token(await w.app.person(w.company, ['clients:write', 'vault:open']))
    expect((await w.rotate(holder)).status).toBe(200)
    // A new secret of the same client ends nothing.
    expect([await w.asks(), await w.ended()]).toEqual([false, []])
    expect((await w.change(holder, { redirect_uris: [REDIRECT, OTHER] })).status).toBe(200)
    expect(await w.asks()).toBe(true)
    expect((await w.change(await w.app.token(w.company.admin), { redirect_uris: [OTHER] })).status).toBe(200)
  })

  test('a consent that is withdrawn no longer counts', async () => {
    const w = await start()
    await w.consent()
    const pat = await w.app.token(w.pat)
    const { consent_grants: grants } = (await (await w.app.request('/oauth/consent-grants', { token: pat })).json()) as {
      consent_grants: { id: string }[]
    }
    for (const { id } of grants) expect((await w.app.request(`/oauth/consent-grants/${id}`, { method: 'DELETE', token: pat })).status).toBe(204)
    expect((await w.rotate(await w.app.token(await w.app.person(w.company, ['clients:write'])))).status).toBe(200)
  })

  test('an agent’s credentials are no exception', async () => {
    const w = await start()
    const admin = await w.app.token(w.company.admin)
    const agent = await newAgent(w.app, w.company, w.pat.id, { at: [w.server] })
    expect(await codeFor(w.browser, agent, { scope: SCOPE })).not.toBe('')
    const rotate = (token: string) =>
      w.app.request(`/agents/${agent.id}/credentials`, { token, body: { authentication: { method: 'client_secret' } } })
    const writer = await w.app.token(await w.app.person(w.company, ['admin:access', 'clients:write']))
    expect(await (await rotate(writer)).json()).toMatchObject({ code: 'cannot_grant' })
    expect((await rotate(admin)).status).toBe(200)
  })
})

describe('a change of redirect URIs, authentication method or keys', () => {
  test('ends the consents, codes, refresh tokens and access tokens, and keeps the audit log', async () => {
    const w = await start()
    const { refresh_token, access_token, code } = await w.consent()
    expect([await w.introspect(access_token), await w.asks()]).toEqual([true, false])
    expect((await w.change(await w.app.token(w.company.admin), { redirect_uris: [REDIRECT, OTHER] })).status).toBe(200)
    expect(await w.refresh(refresh_token)).toEqual([400, 'invalid_grant'])
    expect(await (await w.redeem(code)).json()).toMatchObject({ error: 'invalid_grant' })
    expect([await w.introspect(access_token), await w.asks()]).toEqual([false, true])
    const [event, ...more] = await w.ended()
    expect([event?.targetId, event?.actorId, more]).toEqual([w.client.id, w.company.admin.id, []])
    const listed = await w.app.request('/audit/events?event=client.consents_ended', { token: await w.app.token(w.company.admin) })
    expect(((await listed.json()) as { events: Json[] }).events[0]?.after).toMatchObject({ people: 1, changed: ['redirect_uris'] })
  })

  test('ends a request whose consent page is open', async () => {
    const w = await start()
    const path = authorizePath(w.client, { scope: SCOPE })
    const page = await (await w.browser.get(path)).text()
    expect((await w.change(await w.app.token(w.company.admin), { redirect_uris: [REDIRECT, OTHER] })).status).toBe(200)
    expect((await w.browser.press(path, page, 'allow')).headers.get('location') ?? '').not.toContain('code=')
  })

  test('is announced to the other administrators, with the number of people', async () => {
    const w = await start()
    const other = await w.app.person(w.company, 'admin')
    const admin = await w.app.token(w.company.admin)
    expect((await w.change(admin, { redirect_uris: [REDIRECT, OTHER] })).status).toBe(200)
    expect(await w.app.mailsTo(other.email)).toEqual([])
    await w.consent()
    expect((await w.change(admin, { redirect_uris: [REDIRECT] })).status).toBe(200)
    const [mail, ...more] = await w.app.mailsTo(other.email)
    expect(more).toEqual([])
    for (const word of ['Shop', 'redirect_uris', w.company.admin.email]) expect(mail?.text).toContain(word)
    expect(await w.app.mailsTo(w.company.admin.email)).toEqual([])
  })

  test('is no change when the same values come in another order, or when other members change', async () => {
    const w = await start()
    const admin = await w.app.token(w.company.admin)
    expect((await w.change(admin, { redirect_uris: [REDIRECT, OTHER] })).status).toBe(200)
    const { refresh_token } = await w.consent()
    for (const body of [{ redirect_uris: [OTHER, REDIRECT] }, { client_uri: 'https://shop.example.com' }, { jwks: null, jwks_uri: null }])
      expect((await w.change(admin, body)).status).toBe(200)
    expect([(await w.refresh(refresh_token))[0], await w.asks(), await w.ended()]).toEqual([200, false, []])
  })

  test('by the client itself needs no permission and ends the consents too', async () => {
    const w = await start()
    const { publicKey } = await generateKeyPair('ES256')
    const [first, second] = [
      { ...(await exportJWK(publicKey)), kid: 'a' },
      { ...(await exportJWK((await generateKeyPair('ES256')).publicKey)), kid: 'b' },
    ]
    const own = await newSelfRegistered(w.app, w.company, {
      isPublic: false,
      tokenEndpointAuthMethod: 'private_key_jwt',
      jwks: { keys: [first] },
      allowedScopes: null,
    })
    await w.app.request(`/authsec/resource-servers/${w.server.id}/clients/${own.id}`, {
      method: 'PUT',
      token: await w.app.token(w.company.admin),
      body: {},
    })
    const path = authorizePath({ ...w.client, id: own.id }, { scope: 'openid' })
    const page = await w.browser.get(path)
    await w.browser.press(path, await page.text(), 'allow')
    const pat = await w.app.token(w.pat)
    const consents = async () =>
      ((await (await w.app.request('/oauth/consent-grants', { token: pat })).json()) as { consent_grants: Json[] }).consent_grants.length
    expect(await consents()).toBe(1)
    const put = (jwks: Json) =>
      w.app.request(`/oauth/register/${own.id}`, {
        method: 'PUT',
        token: own.token,
        body: { client_id: own.id, redirect_uris: [REDIRECT], token_endpoint_auth_method: 'private_key_jwt', jwks },
      })
    expect((await put({ keys: [first] })).status).toBe(200)
    expect(await consents()).toBe(1)
    expect((await put({ keys: [second] })).status).toBe(200)
    expect(await consents()).toBe(0)
    const [event] = await w.ended()
    expect([event?.targetId, event?.actorId]).toEqual([own.id, own.id])
  })
})
