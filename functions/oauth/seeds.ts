// Seeds of resource servers, clients and consents, for tests/seeds/seeds.ts.

import { atomically, forTenant } from '#db/engine/tenant'
import { putConsent } from '#db/store/oauth-authorizations'
import { insertRegistrationToken, putAccessRequest } from '#db/store/registered-clients'
import { secondsAfter } from '#shared/kernel/clock'
import { newOauthClient, newResource, newSelfRegistered } from '#tests/support/oauth'
import type { Make } from '../../tests/seeds/seeds.ts'

const server: Make = async (app, company) => {
  const owner = await app.person(company, ['admin:access', 'clients:read', 'clients:write'])
  return { path: { id: (await newResource(app, company, [{ name: 'tools:read' }])).id }, owner }
}

const registeredClient: Make = async (app, company) => {
  const owner = await app.person(company, ['admin:access', 'clients:write'])
  const at = await newResource(app, company, [])
  return { path: { id: at.id, client_id: (await newOauthClient(app, company, { at: [at] })).id }, owner }
}

const grant: Make = async (app, company) => {
  const owner = await app.person(company)
  const clientId = (await newOauthClient(app, company)).id
  const id = await atomically(forTenant(app.db, company.tenantId), (t) =>
    putConsent(t, { id: app.ctx.random.id(), userId: owner.id, clientId, resourceServerId: null, scopes: ['openid'], at: app.clock.now() }),
  )
  return { path: { id }, owner }
}

const grantOfPerson: Make = async (app, company) => {
  const { path } = await grant(app, company)
  return { path, owner: await app.person(company, ['admin:access', 'users:write']) }
}

const client: Make = async (app, company) => {
  const owner = await app.person(company, ['clients:read', 'clients:write'])
  return { path: { id: (await newOauthClient(app, company)).id }, owner }
}

const selfRegistered: Make = async (app, company) => {
  const { id, token } = await newSelfRegistered(app, company)
  return { path: { client_id: id }, headers: { authorization: `Bearer ${token}` } }
}

/** A client with a pending request for access to a resource server, whose state it reads. */
const accessRequest: Make = async (app, company) => {
  const [{ id: clientId, token }, at] = [await newSelfRegistered(app, company), await newResource(app, company, [])]
  const [id, now] = [app.ctx.random.id(), app.clock.now()]
  await atomically(forTenant(app.db, company.tenantId), (t) =>
    putAccessRequest(t, { id, resourceServerId: at.id, clientId, at: now, expiresAt: secondsAfter(now, 3600) }),
  )
  return { path: { id }, headers: { authorization: `Bearer ${token}` } }
}

const pendingRedirects: Make = async (app, company) => {
  const owner = await app.person(company, ['admin:access', 'clients:write'])
  const at = await newResource(app, company, [])
  const client = await newOauthClient(app, company, { at: [at], reviewedRedirectUris: ['https://app.example.com/second'] })
  return { path: { id: at.id, client_id: client.id }, owner, body: {} }
}

const registrationToken: Make = async (app, company) => {
  const owner = await app.person(company, ['admin:access', 'clients:write'])
  const [id, at] = [app.ctx.random.id(), app.clock.now()]
  const row = { id, name: 'CI', tokenHash: app.ctx.random.bytes(32), usesLeft: 1, createdAt: at, expiresAt: secondsAfter(at, 3600) }
  await atomically(forTenant(app.db, company.tenantId), (t) => insertRegistrationToken(t, row))
  return { path: { id }, owner }
}
const mcpSession: Make = async () => ({ path: { session_id: 'unknown' } })
const mcpTool: Make = async (app, company) => ({
  path: { tool_name: 'unknown' },
  answers: 400,
  body: { client_id: (await newOauthClient(app, company)).id, app_name: 'files', arguments: {} },
})

export const OAUTH_SEEDS: Readonly<Record<string, Make>> = {
  'mcp.status': mcpSession,
  'mcp.root.status': mcpSession,
  'mcp.call': mcpTool,
  'mcp.root.call': mcpTool,
  'resources.get': server,
  'resources.change': async (app, company) => ({ ...(await server(app, company)), body: { name: 'Renamed' } }),
  'resources.delete': server,
  'resources.manifest': server,
  'resources.rotateSecret': server,
  'resources.listClients': server,
  'resources.addClient': async (app, company) => ({ ...(await server(app, company)), body: { client_id: (await newOauthClient(app, company)).id } }),
  'resources.removeClient': registeredClient,
  'clients.readRegistration': client,
  'clients.changeRegistration': async (app, company) => ({ ...(await client(app, company)), body: { scope: 'tools:read' } }),
  'oauth.deleteGrant': grant,
  'oauth.revokeGrantOfPerson': grantOfPerson,
  'oauth.readClient': selfRegistered,
  'oauth.changeClient': async (app, company) => {
    const seed = await selfRegistered(app, company)
    const body = { client_id: seed.path.client_id, redirect_uris: ['https://app.example.com/callback'], token_endpoint_auth_method: 'none' }
    return { ...seed, body }
  },
  'oauth.removeClient': selfRegistered,
  'oauth.accessRequest': accessRequest,
  'resources.approveRedirects': pendingRedirects,
  'resources.accessPolicy': server,
  'resources.changeAccessPolicy': async (app, company) => ({ ...(await server(app, company)), body: { enabled: false } }),
  'resources.validate': server,
  'resources.accessRequests': server,
  'resources.deleteRegistrationToken': registrationToken,
}
