import { expect, test } from 'vitest'
import { atomically, directory, forTenant } from '#db/engine/tenant'
import { findAdministeredTenants } from '#db/store/users'
import { emailHash } from '#shared/platform/crypto/email-hash'
import { adminRoutes } from '../../functions/admin/routes.ts'
import { rolesRoutes } from '../../functions/roles/routes.ts'
import { tenantsRoutes } from '../../functions/tenants/routes.ts'
import { userRoutes } from '../../functions/user/routes.ts'
import { startApp } from '../support/app.ts'

const BASE = '/authsec/uflow/admin/groups'
const house = async () => {
  const app = await startApp([...adminRoutes, ...rolesRoutes, ...tenantsRoutes, ...userRoutes])
  const company = await app.company()
  const token = await app.token(company.admin)
  const tenant_id = company.tenantId
  const call = (method: string, path: string, body?: object, as = token) =>
    app.request(`${BASE}${path}`, { method, token: as, ...(body ? { body: { tenant_id, ...body } } : {}) })
  const make = async (...groups: string[]): Promise<string[]> => {
    const made = await (await call('POST', '', { groups })).json()
    return made.groups.map(({ id }: { id: string }) => id)
  }
  /** Gives the group a role directly in the database, without the rules. */
  const carry = async (groupId: string, roleName: string) => {
    const roles = await (await app.request('/authsec/uflow/admin/roles', { token })).json()
    const role = roles.find(({ name }: { name: string }) => name === roleName)
    await atomically(forTenant(app.db, company.tenantId), async (t) => {
      await t.run({
        text: 'insert into authsec.role_bindings (tenant_id, id, role_id, group_id, created_at) values ($1, $2, $3, $4, now())',
        params: [company.tenantId, app.ctx.random.id(), role.id, groupId],
        arrays: true,
      })
    })
  }
  return { app, company, token, call, make, carry }
}
const codeOf = async (response: Response): Promise<unknown> => ({ status: response.status, code: (await response.json()).code })

test('group names are unique within a tenant', async () => {
  const { app, call, make } = await house()
  const [crew] = await make('crew', 'crew')
  expect(await make('crew', 'pilots')).toEqual([crew, expect.any(String)])
  const globex = await app.company('globex')
  const theirs = await app.request(BASE, { token: await app.token(globex.admin), body: { tenant_id: globex.tenantId, groups: [{ name: 'crew' }] } })
  expect((await theirs.json()).groups[0].id).not.toBe(crew)
  expect(await codeOf(await call('PUT', `/${crew}`, { name: 'pilots' }))).toEqual({ status: 409, code: 'group_exists' })
  expect((await call('PUT', `/${crew}`, { name: 'cabin crew' })).status).toBe(200)
  expect(await codeOf(await call('POST', '', { groups: [' '] }))).toEqual({ status: 400, code: 'invalid_request' })
})

test('bulk changes report the result for each item, and are applied completely or not at all', async () => {
  const { app, company, call, make } = await house()
  const [crew = ''] = await make('crew')
  const [a, b] = [await app.person(company), await app.person(company)]
  const path = `/${company.tenantId}/users/bulk`
  await call('POST', path, { group_id: crew, user_ids: [a.id] })
  const answer = await (await call('POST', path, { group_id: crew, user_ids: [a.id, b.id] })).json()
  expect(answer).toMatchObject({
    user_count: 2,
    results: [
      { user_id: a.id, result: 'already_member' },
      { user_id: b.id, result: 'added' },
    ],
  })
  const stranger = await app.person(await app.company('globex'))
  expect(await codeOf(await call('POST', path, { group_id: crew, user_ids: [stranger.id] }))).toEqual({ status: 404, code: 'not_found' })
  const listed = await (await call('POST', '/list', { user_id: a.id })).json()
  expect(listed.groups[0].users.map(({ id }: { id: string }) => id)).toEqual(expect.arrayContaining([a.id, b.id]))
  expect(JSON.stringify(listed)).not.toMatch(/hash/)
  const removed = await (await call('DELETE', path, { group_id: crew, user_ids: [b.id, company.admin.id] })).json()
  expect(removed.results.map(({ result }: { result: string }) => result)).toEqual(['removed', 'not_member'])
})

test('joining a group requires its rights, and updates the directory of administrators', async () => {
  const { app, company, call, make, carry } = await house()
  const [crew = ''] = await make('crew')
  await carry(crew, 'admin')
  const pat = await app.person(company)
  const partial = await app.token(await app.person(company, ['admin:access', 'groups:write']))
  const path = `/${company.tenantId}/users/bulk`
  const body = { group_id: crew, user_ids: [pat.id] }
  expect(await codeOf(await call('POST', path, body, partial))).toEqual({ status: 403, code: 'cannot_grant' })
  const byName = await app.request('/authsec/uflow/user/groups/users/add', {
    token: partial,
    body: { tenant_id: company.tenantId, user_id: pat.id, groups: ['crew'] },
  })
  expect(await codeOf(byName)).toEqual({ status: 403, code: 'cannot_grant' })
  const listed = () => findAdministeredTenants(directory(app.db), emailHash(app.ctx, pat.email))
  expect(await listed()).toEqual([])
  expect((await call('POST', path, body)).status).toBe(200)
  expect(await listed()).toEqual([company.tenantId])
  expect((await call('DELETE', path, body)).status).toBe(200)
  expect(await listed()).toEqual([])
})

test('groups are deleted by id, wherever the ids are given', async () => {
  const { call, make } = await house()
  const [a, b, c, d] = await make('a', 'b', 'c', 'd')
  expect(await codeOf(await call('DELETE', '', {}))).toEqual({ status: 400, code: 'invalid_request' })
  expect(await codeOf(await call('DELETE', '', { groups: 'a' }))).toEqual({ status: 400, code: 'invalid_request' })
  expect((await call('DELETE', '', { Groups: { selected: [{ id: a, name: 'a' }] }, groupNames: `${b}` })).status).toBe(200)
  expect((await call('DELETE', `?group_ids=${c},${d}`)).status).toBe(200)
  expect(await codeOf(await call('DELETE', `?group=${a}`))).toEqual({ status: 404, code: 'not_found' })
})

test('a client is listed in groups by name; an unknown one is 404', async () => {
  const { app, company, call, make } = await house()
  await make('crew')
  expect((await call('POST', '/map', { client_id: company.clientId, groups: ['crew'] })).status).toBe(200)
  expect(await app.events(company.tenantId)).toContainEqual(expect.objectContaining({ event: 'group.mapped_to_client', targetId: company.clientId }))
  expect((await call('DELETE', '/map', { client_id: company.clientId, groups: ['crew'] })).status).toBe(200)
  expect(await codeOf(await call('POST', '/map', { client_id: company.clientId, groups: ['unknown'] }))).toEqual({ status: 404, code: 'not_found' })
  expect(await codeOf(await call('POST', '/map', { client_id: company.admin.id, groups: ['crew'] }))).toEqual({ status: 404, code: 'not_found' })
})

test('a person sees their own groups, and the other members only with the permission', async () => {
  const { app, company, call, make } = await house()
  const [crew = ''] = await make('crew')
  const [a, b] = [await app.person(company), await app.person(company, ['users:read'])]
  await call('POST', `/${company.tenantId}/users/bulk`, { group_id: crew, user_ids: [a.id, b.id] })
  const mine = async (person: typeof a) => (await app.request('/authsec/uflow/user/groups/users', { token: await app.token(person) })).json()
  expect(await mine(a)).toMatchObject({ groups: [{ name: 'crew' }], users: [{ id: a.id }] })
  expect((await mine(b)).users).toHaveLength(2)
  expect(await mine(b)).not.toHaveProperty('admins')
})
