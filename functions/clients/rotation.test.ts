// Rotation of a client's secrets.
import { expect, test } from 'vitest'
import { atomically, directory, forTenant } from '#db/engine/tenant'
import { insertBinding } from '#db/store/bindings'
import { findClient, findClientCredentials } from '#db/store/clients'
import { findRoleByName } from '#db/store/roles'
import { authenticateSdkClient } from '#shared/domains/clients/secrets'
import { type Company, startApp, type TestApp } from '#tests/support/app'
import { clientsRoutes } from './routes.ts'

const base = (company: Company): string => `/authsec/clientms/tenants/${company.tenantId}/clients`

const start = async () => {
  const app = await startApp(clientsRoutes)
  const company = await app.company()
  const token = await app.token(await app.person(company, ['clients:read', 'clients:write']))
  const create = async (body: Readonly<Record<string, unknown>> = {}) =>
    app.request(`${base(company)}/create`, { token, body: { name: 'Shop', email: 'shop@acme.example', ...body } })
  return { app, company, token, create }
}
const credentials = (app: TestApp, id: string) => findClientCredentials(directory(app.db), id)

const rotate = (app: TestApp, token: string, id: string, body: unknown = {}) => app.request(`/clients/${id}/rotate-secret`, { token, body })

test('previous secrets stay valid for a day; another rotation meanwhile is refused unless it ends them at once', async () => {
  const { app, token, create, company } = await start()
  const made = await (await create()).json()
  const rotated = await (await rotate(app, token, made.client_id)).json()
  expect(rotated.previous_valid_until).toBe(new Date(app.clock.now().getTime() + 86_400_000).toISOString())
  const isValid = async (text: string) => (await authenticateSdkClient(app.ctx, text)) !== undefined
  expect([await isValid(made.sdk_client_id), await isValid(rotated.sdk_client_id)]).toEqual([true, true])
  const busy = await rotate(app, token, made.client_id)
  expect(busy.status).toBe(409)
  expect(await busy.json()).toMatchObject({ code: 'rotation_in_progress' })
  app.clock.advance(86_400)
  expect([await isValid(made.sdk_client_id), await isValid(rotated.sdk_client_id)]).toEqual([false, true])
  const later = await app.token(await app.person(company, ['clients:write']))
  const third = await (await rotate(app, later, made.client_id, { overlap_seconds: 0 })).json()
  expect(third.previous_valid_until).toBeNull()
  expect([await isValid(rotated.sdk_client_id), await isValid(third.sdk_client_id)]).toEqual([false, true])
})

test('an SDK client id authenticates in every spelling; a plain client id or another client’s secret does not', async () => {
  const { app, create } = await start()
  const [one, two] = [await (await create()).json(), await (await create()).json()]
  const secret = one.sdk_client_id.split('~')[1]
  for (const text of [
    one.sdk_client_id,
    `"${one.sdk_client_id}"`,
    `${one.sdk_client_id}-main-client`,
    one.sdk_client_id.replaceAll('-', '_').toUpperCase(),
  ])
    expect(await authenticateSdkClient(app.ctx, text), text.length.toString()).toMatchObject({ clientId: one.client_id })
  for (const text of [
    one.client_id,
    `${two.client_id}~${secret}`,
    `${one.client_id}~${'0'.repeat(64)}`,
    `${one.client_id}~`,
    `${one.sdk_client_id}~x`,
  ])
    expect(await authenticateSdkClient(app.ctx, text)).toBeUndefined()
})

test('an SDK client id in a URL is refused and appears in no log line', async () => {
  const { app, token, create, company } = await start()
  const made = await (await create()).json()
  for (const path of [
    `${base(company)}/getClients?name=${made.sdk_client_id}`,
    `${base(company)}/${made.sdk_client_id}`,
    `${base(company)}/${encodeURIComponent(made.sdk_client_id)}`,
  ]) {
    const response = await app.request(path, { token })
    expect(response.status).toBe(400)
    expect(await response.text()).not.toContain(made.sdk_client_id.split('~')[1])
  }
  app.log.error('failed', new Error(`syntax ${made.sdk_client_id}`))
  expect(app.log.lines.join()).not.toContain(made.sdk_client_id.split('~')[1])
})

test('rotation needs every permission of the client', async () => {
  const { app, company, token, create } = await start()
  const made = await (await create()).json()
  const t = forTenant(app.db, company.tenantId)
  const row = await findClient(t, made.client_id)
  const role = await findRoleByName(t, 'admin')
  const at = app.clock.now()
  await atomically(t, (tx) =>
    insertBinding(tx, {
      id: app.ctx.random.id(),
      roleId: role?.id ?? '',
      userId: null,
      serviceAccountId: row?.serviceAccountId ?? null,
      groupId: null,
      scopeType: null,
      scopeId: null,
      conditions: null,
      expiresAt: null,
      createdBy: null,
      createdAt: at,
    }),
  )
  const before = await credentials(app, made.client_id)
  const refused = await rotate(app, token, made.client_id)
  expect(refused.status).toBe(403)
  expect(await refused.json()).toMatchObject({ code: 'cannot_grant' })
  expect(await credentials(app, made.client_id)).toEqual(before)
  expect((await rotate(app, await app.token(company.admin), made.client_id)).status).toBe(200)
})

test('the default client gets its first secrets and its service account; a public client has none to rotate', async () => {
  const { app, company, token, create } = await start()
  const first = await (await rotate(app, await app.token(company.admin), company.clientId)).json()
  expect(first).toMatchObject({ client_id: company.clientId, previous_valid_until: null, secret_id: expect.any(String) })
  expect((await findClient(forTenant(app.db, company.tenantId), company.clientId))?.serviceAccountId).not.toBeNull()
  const open = await (await create({ token_endpoint_auth_method: 'none' })).json()
  const refused = await rotate(app, token, open.client_id)
  expect(refused.status).toBe(409)
  expect(await refused.json()).toMatchObject({ code: 'public_client', status: 409 })
})

test('a deleted client gets no secrets and no redirect URIs', async () => {
  const { app, token, create, company } = await start()
  const { client_id } = await (await create()).json()
  expect((await app.request(`${base(company)}/${client_id}`, { method: 'DELETE', token })).status).toBe(200)
  const before = await credentials(app, client_id)
  const change = app.request(`/clients/${client_id}/registration`, { method: 'PATCH', token, body: { redirect_uris: ['https://shop.example/cb'] } })
  for (const refused of [await rotate(app, token, client_id), await change])
    expect([refused.status, (await refused.json()).code]).toEqual([404, 'not_found'])
  expect(await credentials(app, client_id)).toEqual(before)
})
