// The hand-written statements of the authorization server, compared with the tables, and limited to the tenant.
import { expect, test } from 'vitest'
import { startApp } from '#tests/support/app'
import { newOauthClient, newResource } from '#tests/support/oauth'
import { directory, forTenant } from '../engine/tenant.ts'
import { findClient } from './clients.ts'
import { findOauthClient, findTenantOfClient } from './oauth-clients.ts'

const start = async () => {
  const app = await startApp([])
  const company = await app.company()
  const server = await newResource(app, company, [{ name: 'a' }, { name: 'b', permission: 'things:write', description: 'B' }])
  const client = await newOauthClient(app, company, { at: [server], clientUri: 'https://acme.com/', allowedScopes: ['a'], dpopBound: true })
  return { app, company, server, client, t: forTenant(app.db, company.tenantId) }
}

test('reads a client exactly as its row', async () => {
  const { app, server, client, t } = await start()
  const row = await findClient(t, client.id)
  const found = await findOauthClient(t, client.id, undefined, app.clock.now())
  expect(found).toMatchObject({
    clientId: client.id,
    tenantId: row?.tenantId,
    name: row?.name,
    clientUri: row?.clientUri,
    active: true,
    isPublic: row?.isPublic,
    grantTypes: row?.grantTypes,
    redirectUris: row?.redirectUris,
    postLogoutRedirectUris: row?.postLogoutRedirectUris,
    allowedScopes: row?.allowedScopes,
    dpopBound: row?.dpopBound,
    requiresPar: row?.requiresPar,
    serviceAccountId: row?.serviceAccountId,
    resource: {
      id: server.id,
      resource: server.resource,
      tokenSeconds: 300,
      candidates: 1,
      ofServiceAccount: ['a'],
      scopes: [
        { name: 'a', description: '', permission: null },
        { name: 'b', description: 'B', permission: 'things:write' },
      ],
    },
  })
})

test('another tenant sees neither the client nor the resource server', async () => {
  const { app, server, client, t } = await start()
  const globex = await app.company('globex')
  expect(await findOauthClient(forTenant(app.db, globex.tenantId), client.id, undefined, app.clock.now())).toBeUndefined()
  const theirs = await newOauthClient(app, globex)
  expect((await findOauthClient(forTenant(app.db, globex.tenantId), theirs.id, server.resource, app.clock.now()))?.resource).toBeUndefined()
  expect(await findTenantOfClient(directory(app.db), client.id)).toBe(t.tenantId)
  expect(await findTenantOfClient(directory(app.db), app.ctx.random.id())).toBeUndefined()
})
