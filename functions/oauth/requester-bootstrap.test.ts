// What AuthSec's SDKs request before a token: the client's access to resource servers, and the state of its request for access.
import { expect, test } from 'vitest'
import { atomically, forTenant } from '#db/engine/tenant'
import { putConsent } from '#db/store/oauth-authorizations'
import { decideAccessRequest, putAccessRequest } from '#db/store/registered-clients'
import { DEVICE_CODE } from '#shared/domains/oauth/supported'
import { secondsAfter } from '#shared/kernel/clock'
import { authorizationServerError } from '#shared/platform/http/problem'
import { startApp } from '#tests/support/app'
import { basicOf, newOauthClient, newResource, newSelfRegistered, postForm } from '#tests/support/oauth'
import { oauthRoutes } from './routes.ts'

const start = async () => {
  const app = await startApp(oauthRoutes, { render: authorizationServerError })
  const company = await app.company()
  const server = await newResource(app, company, [{ name: 'tools:read' }])
  const other = await newResource(app, company, [])
  const client = await newOauthClient(app, company, { at: [server] })
  const bootstrap = async (form: Readonly<Record<string, string>> = {}, authorization: string | undefined = client.authorization) => {
    const response = await postForm(app, '/oauth/requester-bootstrap', form, authorization === '' ? {} : { authorization })
    return { status: response.status, body: await response.json() }
  }
  const putPendingRequest = (clientId: string, resourceServerId: string) => {
    const [id, at] = [app.ctx.random.id(), app.clock.now()]
    return atomically(forTenant(app.db, company.tenantId), (t) =>
      putAccessRequest(t, { id, resourceServerId, clientId, at, expiresAt: secondsAfter(at, 3600) }),
    )
  }
  return { app, company, server, other, client, bootstrap, putPendingRequest }
}

test('A client gets the resource servers that it may request, and none of other tenants', async () => {
  const { app, company, server, other, client, bootstrap } = await start()
  expect(await bootstrap()).toEqual({
    status: 200,
    body: {
      client: { client_id: client.id, client_kind: 'm2m', home_tenant_id: company.tenantId },
      issuer: 'http://localhost:7468',
      as_metadata_url: 'http://localhost:7468/.well-known/oauth-authorization-server',
      metadata_version: '1',
      targets: [
        {
          resource_server_id: server.id,
          resource: server.resource,
          tenant_id: company.tenantId,
          relationship: 'same_workspace',
          recommended_flow: 'direct',
          registration_status: 'approved',
          access_status: 'granted',
          scopes_supported: ['tools:read'],
        },
      ],
      pending: [],
    },
  })
  expect((await bootstrap({ resource: other.resource })).body.targets).toMatchObject([{ registration_status: 'none', access_status: 'none' }])
  const foreign = await newResource(app, await app.company('globex'), [])
  for (const resource of [foreign.resource, 'https://unknown.example/mcp']) expect((await bootstrap({ resource })).body.targets).toEqual([])
  expect(await bootstrap({}, basicOf(client.id, 'wrong'))).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
  const selfRegistered = await newSelfRegistered(app, company)
  expect((await bootstrap({ client_id: selfRegistered.id }, '')).body.targets).toEqual([])
})

test('A pending request is polled by its opaque id without a credential', async () => {
  const { app, company, other, client, bootstrap, putPendingRequest } = await start()
  const request = await putPendingRequest(client.id, other.id)
  const { targets, pending } = (await bootstrap({ resource: other.resource })).body
  expect(targets).toMatchObject([{ registration_status: 'pending_approval', access_status: 'pending' }])
  expect(pending).toMatchObject([{ resource_server_id: other.id, status: 'pending' }])
  const at = `/oauth/access-requests/${pending[0].request_id}`
  const poll = async (path = at) => {
    const response = await app.request(path)
    return [response.status, (await response.json()).status]
  }
  expect(await poll()).toEqual([200, 'pending'])
  await atomically(forTenant(app.db, company.tenantId), (t) =>
    decideAccessRequest(t, { resourceServerId: other.id, clientId: client.id }, 'approved', app.clock.now()),
  )
  expect(await poll()).toEqual([200, 'approved'])
  const globex = await app.company('globex')
  for (const unknown of [`${globex.tenantId}.${request.id}`, `${company.tenantId}.${app.ctx.random.id()}`])
    expect((await poll(`/oauth/access-requests/${unknown}`))[0]).toBe(404)
  expect((await poll(`/oauth/access-requests/${request.id}`))[0]).toBe(401)
  expect((await poll(`/oauth/access-requests/${request.id}.${request.id}.x`))[0]).toBe(400)
})

test('The error for a pending request contains the URL to poll', async () => {
  const { app, company, other } = await start()
  const selfRegistered = await newSelfRegistered(app, company, { grantTypes: [DEVICE_CODE] })
  const refused = await postForm(app, '/oauth/device_authorization', { client_id: selfRegistered.id, resource: other.resource, scope: 'openid' })
  const { error, request_id, status_url } = await refused.json()
  expect([refused.status, error]).toEqual([403, 'access_denied'])
  expect(status_url).toBe(`http://localhost:7468/oauth/access-requests/${request_id}`)
  const polled = await app.request(new URL(status_url).pathname)
  expect([polled.status, await polled.json()]).toMatchObject([200, { id: request_id, status: 'pending' }])
})

test('Administrators can list the consents of all people and revoke one', async () => {
  const { app, company, server, client } = await start()
  const [pat, globex] = [await app.person(company), await app.company('globex')]
  const id = await atomically(forTenant(app.db, company.tenantId), (t) =>
    putConsent(t, {
      id: app.ctx.random.id(),
      userId: pat.id,
      clientId: client.id,
      resourceServerId: server.id,
      scopes: ['tools:read'],
      at: app.clock.now(),
    }),
  )
  const token = await app.token(company.admin)
  const list = async (query = '', as = token) => (await (await app.request(`/authsec/consent-grants${query}`, { token: as })).json()).consent_grants
  expect(await list()).toMatchObject([
    {
      id,
      user_id: pat.id,
      client_name: 'Shop',
      resource_server_id: server.id,
      resource_name: 'Tools',
      granted_scopes: ['tools:read'],
      expires_at: null,
    },
  ])
  expect(await list(`?user_id=${pat.id}&rs_id=${server.id}`)).toHaveLength(1)
  expect(await list(`?user_id=${company.admin.id}`)).toEqual([])
  expect(await list('', await app.token(globex.admin))).toEqual([])
  expect((await app.request(`/authsec/consent-grants/${id}`, { method: 'DELETE', token: await app.token(globex.admin) })).status).toBe(404)
  const revocation = await app.request(`/authsec/consent-grants/${id}`, { method: 'DELETE', token })
  expect([revocation.status, await revocation.json()]).toEqual([200, { status: 'revoked' }])
  expect(await list()).toEqual([])
  expect((await app.events(company.tenantId, { event: 'oauth.consent_revoked' }))[0]).toMatchObject({ targetId: pat.id, actorId: company.admin.id })
})
