// A client's registration at the authorization server.
import { exportJWK, generateKeyPair } from 'jose'
import { expect, test } from 'vitest'
import { forTenant } from '#db/engine/tenant'
import { findClient } from '#db/store/clients'
import { startApp } from '#tests/support/app'
import { newOauthClient } from '#tests/support/oauth'
import { WEAK_KEY_SETS } from '#tests/support/weak-keys'
import { clientsRoutes } from './routes.ts'

const start = async () => {
  const app = await startApp(clientsRoutes)
  const company = await app.company()
  const client = await newOauthClient(app, company)
  const owner = await app.token(await app.person(company, ['clients:read', 'clients:write']))
  const change = (body: unknown, token = owner, id = client.id) => app.request(`/clients/${id}/registration`, { method: 'PATCH', body, token })
  const row = () => findClient(forTenant(app.db, company.tenantId), client.id)
  return { app, company, client, owner, change, row }
}

test('the members in the body are changed, returned and recorded', async () => {
  const { app, company, client, owner, change } = await start()
  const { publicKey } = await generateKeyPair('ES256')
  const request = {
    redirect_uris: ['https://shop.example.com/cb', 'http://127.0.0.1/cb', 'com.example.shop:/cb'],
    grant_types: ['authorization_code'],
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: [await exportJWK(publicKey)] },
    scope: 'tools:read',
    dpop_bound_access_tokens: true,
    response_modes: ['form_post'],
  }
  const response = await change(request)
  expect(response.status).toBe(200)
  expect(await response.json()).toMatchObject(request)
  expect(await (await app.request(`/clients/${client.id}/registration`, { token: owner })).json()).toMatchObject({ client_id: client.id, ...request })
  expect(await app.events(company.tenantId, { event: 'client.registration_changed', targetId: client.id })).toHaveLength(1)
})

test.each([
  ['http://shop.example.com/cb'],
  ['http://localhost.evil.com/cb'],
  ['https://shop.example.com/cb#x'],
  ['https://a:b@shop.example.com/cb'],
  ['https://*.example.com/cb'],
  ['https://shop.example.com/../cb'],
  ['https://SHOP.example.com/cb'],
  ['javascript:alert(1)'],
  ['data:text/html,x'],
  ['shop:/cb'],
  ['/cb'],
])('the redirect URI %s is refused', async (uri) => {
  const { change, row } = await start()
  const before = await row()
  const response = await change({ redirect_uris: ['https://shop.example.com/cb', uri] })
  expect(await response.json()).toMatchObject({ status: 400, field: 'body.redirect_uris.1' })
  expect(await row()).toEqual(before)
})

test('a private key, an unsuitable authentication method and unknown members are refused', async () => {
  const { change, row } = await start()
  const before = await row()
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  for (const body of [
    { jwks: { keys: [await exportJWK(privateKey)] } },
    ...WEAK_KEY_SETS.map(([, keys]) => ({ jwks: { keys } })),
    { token_endpoint_auth_method: 'none' },
    { token_endpoint_auth_method: 'private_key_jwt' },
    { grant_types: ['password'] },
    { is_public: true },
  ]) {
    expect((await change(body)).status, JSON.stringify(body)).toBe(400)
  }
  expect(await row()).toEqual(before)
})

test('a change that lets the caller act as the client needs every permission of the client', async () => {
  const { app, company, owner, change } = await start()
  const strong = await newOauthClient(app, company, { permissions: ['vault:open'] })
  const response = await change({ redirect_uris: ['https://mine.example.com/cb'] }, owner, strong.id)
  expect(await response.json()).toMatchObject({ status: 403, code: 'cannot_grant' })
  expect((await findClient(forTenant(app.db, company.tenantId), strong.id))?.redirectUris).toEqual(['https://app.example.com/callback'])
})

test('the main client can open sessions, so its redirect URIs and secrets need the full administrator role', async () => {
  const { app, company, owner, change } = await start()
  const rotate = (token: string) => app.request(`/clients/${company.clientId}/rotate-secret`, { token, body: { overlap_seconds: 0 } })
  const t = forTenant(app.db, company.tenantId)
  const before = await findClient(t, company.clientId)
  const mine = { redirect_uris: ['https://mine.example.com/cb'] }
  expect(await (await change(mine, owner, company.clientId)).json()).toMatchObject({ status: 403, code: 'cannot_grant' })
  expect(await (await rotate(owner)).json()).toMatchObject({ status: 403, code: 'cannot_grant' })
  expect(await findClient(t, company.clientId)).toEqual(before)
  const admin = await app.token(company.admin)
  expect((await change({ redirect_uris: ['https://acme.example.com/cb'] }, admin, company.clientId)).status).toBe(200)
  expect((await rotate(admin)).status).toBe(200)
})
