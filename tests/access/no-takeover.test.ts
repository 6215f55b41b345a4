// Taking over an account counts as granting its rights, and so does disabling or deleting it: changing a person's address or external id, setting a password,
// enabling, rotating a client secret, inviting, and adding to a group require the rights of the target. Every such operation is called by callers with partial rights and compared with an independent reading of the rule; refused calls change nothing.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { atomically, forTenant, type TenantDb } from '#db/engine/tenant'
import { putBinding, putGroup, putRole } from '#db/testing/access'
import { adminRoutes } from '../../functions/admin/routes.ts'
import { clientsRoutes } from '../../functions/clients/routes.ts'
import { factorRoutes } from '../../functions/factors/routes.ts'
import { managementRoutes } from '../../functions/management/routes.ts'
import { peopleRoutes } from '../../functions/people/routes.ts'
import { rolesRoutes } from '../../functions/roles/routes.ts'
import { tokensRoutes } from '../../functions/tokens/routes.ts'
import { userRoutes } from '../../functions/user/routes.ts'
import { type Company, startApp } from '../support/app.ts'
import { newBackend } from '../support/backend.ts'

const ADMIN = '/authsec/uflow/admin'
const USER = '/authsec/uflow/user'
const RIGHTS = ['docs:read', 'docs:write', 'audit:read'] as const
/** The permissions that the operations themselves require. */
const CALLER_PERMISSIONS = [
  'admin:access',
  'users:read',
  'users:write',
  'users:active',
  'users:password',
  'groups:write',
  'clients:read',
  'clients:write',
] as const
const KINDS = ['password', 'reset', 'patch', 'external', 'put', 'import', 'enable', 'bulk', 'byName', 'tokens', 'map', 'rotate', 'invite'] as const
type Kind = (typeof KINDS)[number]

const grants: readonly (readonly (typeof RIGHTS)[number][])[] = [[], ['docs:read'], ['docs:read', 'docs:write'], [...RIGHTS]]

const cast = async () => {
  const app = await startApp([...adminRoutes, ...userRoutes, ...peopleRoutes, ...clientsRoutes, ...tokensRoutes])
  const company = await app.company()
  const t = forTenant(app.db, company.tenantId)
  const at = app.clock.now()
  const callers = await Promise.all(grants.map((own) => app.person(company, [...CALLER_PERMISSIONS, ...own])))
  const targets = [...(await Promise.all(grants.map((own) => app.person(company, own)))), company.admin]
  const clients = await Promise.all(grants.map((own) => newBackend(app, company, own)))
  const groups = await atomically(t, async (tx) => {
    const made: { id: string; name: string }[] = []
    for (const [n, own] of grants.entries()) {
      const id = await putGroup(tx, `group ${n}`, [], at)
      if (own.length > 0)
        await putBinding(tx, await putRole(tx, `of group ${n}`, own, at), { groupId: id }, at, n === 2 ? { conditions: { mfa_required: true } } : {})
      made.push({ id, name: `group ${n}` })
    }
    await tx.run({ text: "update authsec.users set external_id = 'x-' || id where tenant_id = $1", params: [t.tenantId], arrays: true })
    return made
  })
  const tokens = await Promise.all([...callers, company.admin].map((person) => app.token(person)))
  return { app, company, t, callers: [...callers, company.admin], targets, clients, groups, tokens }
}
type Cast = Awaited<ReturnType<typeof cast>>

const texts = async (t: TenantDb, text: string, ...params: unknown[]): Promise<string[]> =>
  ((await t.run({ text, params: [t.tenantId, ...params], arrays: true })) as unknown[][]).flatMap(([value]) =>
    value === null ? [] : [String(value)],
  )

const NAMES = `from authsec.role_bindings b join authsec.roles r on r.tenant_id = $1 and r.id = b.role_id
  left join authsec.role_permissions rp on rp.tenant_id = $1 and rp.role_id = r.id
  left join authsec.permissions p on p.tenant_id = $1 and p.id = rp.permission_id where b.tenant_id = $1`
const NAME = `distinct case when r.is_system and r.name = 'admin' then 'the system role' else p.resource || ':' || p.action end`
/** All rights that may come with it, conditional ones included. */
const carriedBy = (t: TenantDb, holders: readonly string[]): Promise<string[]> =>
  texts(t, `select ${NAME} ${NAMES} and coalesce(b.user_id, b.group_id, b.service_account_id) = any ($2::uuid[])`, holders)
const groupsOf = (t: TenantDb, userId: string): Promise<string[]> =>
  texts(t, 'select group_id from authsec.user_groups where tenant_id = $1 and user_id = $2', userId)

/** The rights that a caller may grant: unconditional and for the whole tenant. */
const heldBy = async (t: TenantDb, userId: string): Promise<ReadonlySet<string>> =>
  new Set(
    await texts(t, `select ${NAME} ${NAMES} and b.conditions is null and b.scope_id is null and coalesce(b.user_id, b.group_id) = any ($2::uuid[])`, [
      userId,
      ...(await groupsOf(t, userId)),
    ]),
  )

const STATE = `select jsonb_build_array(
  (select jsonb_agg(jsonb_build_array(id, email, external_id, password_hash, active) order by id) from authsec.users where tenant_id = $1),
  (select jsonb_agg(jsonb_build_array(user_id, group_id) order by 1) from authsec.user_groups where tenant_id = $1),
  (select jsonb_agg(jsonb_build_array(client_id, group_id) order by 1) from authsec.client_groups where tenant_id = $1),
  (select jsonb_agg(jsonb_build_array(client_id, encode(secret_hash, 'hex')) order by 1) from authsec.client_directory where tenant_id = $1))::text`

type Step = { readonly kind: Kind; readonly by: number; readonly target: number; readonly other: number }

/** The call, and the rights that come with it. */
const act = async (c: Cast, { kind, by, target, other }: Step): Promise<{ status: number; code: unknown; comesWith: readonly string[] }> => {
  const { app, company, t } = c
  const [token, person, group, client] = [c.tokens[by], c.targets[target], c.groups[other], c.clients[other]]
  if (token === undefined || person === undefined || group === undefined || client === undefined)
    throw new Error('there is no person, group or client at that index')
  const email = `moved-${app.ctx.random.id()}@${company.name}.example`
  const ofPerson = await carriedBy(t, [person.id, ...(await groupsOf(t, person.id))])
  const [externalId] = await texts(t, 'select external_id from authsec.users where tenant_id = $1 and id = $2', person.id)
  const ofGroup = await carriedBy(t, [group.id])
  const ofClient = await carriedBy(t, [
    client.serviceAccountId,
    ...(await texts(t, 'select group_id from authsec.client_groups where tenant_id = $1 and client_id = $2', client.clientId)),
  ])
  const named = { tenant_id: company.tenantId, user_id: person.id }
  const send = (path: string, body: unknown, more: { method?: string; headers?: Record<string, string> } = {}) =>
    app.request(path, { token, body, ...more })
  const calls: Readonly<Record<Kind, readonly [() => Promise<Response>, readonly string[]]>> = {
    password: [() => send(`${USER}/admin/change-password`, { ...named, new_password: 'violet-anchors-hum-quietly' }), ofPerson],
    reset: [() => send(`${USER}/admin/reset-password`, named), ofPerson],
    patch: [() => send(`/people/${person.id}`, { email }, { method: 'PATCH', headers: { 'if-match': '*' } }), ofPerson],
    external: [() => send(`/people/${person.id}`, { external_id: email }, { method: 'PATCH', headers: { 'if-match': '*' } }), ofPerson],
    put: [() => send(`${USER}/enduser/${company.tenantId}/${person.id}`, { email }, { method: 'PUT' }), ofPerson],
    import: [() => send('/people/import', `email,external_id\n${email},${externalId}\n`, { headers: { 'content-type': 'text/csv' } }), ofPerson],
    enable: [() => send(`${ADMIN}/users/active`, { ...named, active: true }), ofPerson],
    bulk: [() => send(`${ADMIN}/groups/${company.tenantId}/users/bulk`, { group_id: group.id, user_ids: [person.id] }), ofGroup],
    byName: [() => send(`${USER}/groups/users/add`, { ...named, groups: [group.name] }), ofGroup],
    tokens: [() => send(`/authsec/authmgr/admin/groups/${group.id}/users`, { tenant_id: company.tenantId, user_ids: [person.id] }), ofGroup],
    map: [() => send(`${ADMIN}/groups/map`, { tenant_id: company.tenantId, client_id: client.clientId, groups: [group.name] }), ofGroup],
    rotate: [() => send(`/clients/${client.clientId}/rotate-secret`, { overlap_seconds: 0 }), ofClient],
    invite: [() => send(`${ADMIN}/invite`, { email, username: email }), ['the system role']],
  }
  const [call, comesWith] = calls[kind]
  const response = await call()
  const body = (await response.json()) as { code?: unknown; rows?: { code?: unknown }[] }
  // The rows of an import report their own results.
  const refusedRow = body.rows?.[0]?.code
  return { status: refusedRow === undefined ? response.status : 403, code: refusedRow ?? body.code, comesWith }
}

test('no caller takes over a principal with rights that the caller could not grant', { timeout: 240_000 }, async () => {
  const c = await cast()
  const { t } = c
  const seen = { done: new Set<Kind>(), refused: new Set<Kind>() }
  const steps = fc.record({ kind: fc.constantFrom(...KINDS), by: fc.nat({ max: 4 }), target: fc.nat({ max: 4 }), other: fc.nat({ max: 3 }) })
  await fc.assert(
    fc.asyncProperty(steps, async (step) => {
      const caller = c.callers[step.by]
      if (caller === undefined || caller.id === c.targets[step.target]?.id) return
      const held = await heldBy(t, caller.id)
      const before = await texts(t, STATE)
      const { status, code, comesWith } = await act(c, step)
      expect(status, JSON.stringify(step)).toBeLessThan(500)
      const may = held.has('the system role') || comesWith.every((right) => held.has(right))
      if (status < 400) expect(may, JSON.stringify([step, comesWith])).toBe(true)
      else expect(await texts(t, STATE)).toEqual(before)
      if (!may) expect(code, JSON.stringify([step, comesWith, code])).toBe('cannot_grant')
      ;(status < 400 ? seen.done : seen.refused).add(step.kind)
    }),
    { numRuns: 400, seed: 20_261_124, endOnFailure: true },
  )
  // Every operation succeeded for some caller and was refused for another.
  expect([...seen.done].sort()).toEqual([...KINDS].sort())
  expect([...seen.refused].sort()).toEqual([...KINDS].sort())
})

type Above = { readonly company: Company; readonly id: string; readonly email: string }
type Operation = readonly [name: string, method: string, path: (of: Above) => string, body: ((of: Above) => unknown) | undefined]
const personNamed = ({ company, id }: Above) => ({ tenant_id: company.tenantId, user_id: id })
const stopped = (of: Above) => ({ ...personNamed(of), active: false })
const OPERATIONS: readonly Operation[] = [
  ['disabling an administrator', 'POST', () => `${ADMIN}/users/active`, stopped],
  ['disabling a person', 'POST', () => `${ADMIN}/enduser/active`, stopped],
  ['disabling an end user', 'POST', () => `${USER}/enduser/active`, stopped],
  ['setting a status', 'PUT', ({ company, id }) => `${USER}/enduser/${company.tenantId}/${id}/status`, () => ({ active: false })],
  ['deleting an administrator', 'DELETE', ({ id }) => `${ADMIN}/users/${id}`, undefined],
  ['deleting an administrator for good', 'DELETE', ({ id }) => `${ADMIN}/users/delete_all/${id}`, undefined],
  ['deleting an end user', 'DELETE', ({ company, id }) => `${USER}/enduser/${company.tenantId}/${id}`, undefined],
  ['deleting an end user by the body', 'POST', () => `${USER}/enduser/delete`, personNamed],
  ['deleting an end user for good', 'DELETE', ({ company, id }) => `${USER}/enduser/delete_all/${company.tenantId}/${id}`, undefined],
  ['deleting by the management', 'DELETE', ({ id }) => `/authsec/hmgr/admin/users/${id}`, undefined],
  ['erasing', 'POST', ({ id }) => `/people/${id}/erase`, undefined],
  ['resetting the factors', 'DELETE', ({ id }) => `/people/${id}/factors`, undefined],
  ['issuing a pass', 'POST', ({ id }) => `/people/${id}/recovery-pass`, undefined],
]
const HELP_DESK = ['admin:access', 'admin:manage', 'users:read', 'users:write', 'users:active', 'users:delete'] as const

test.each(OPERATIONS)('%s requires every right that the person holds', async (_, method, path, body) => {
  const app = await startApp([...adminRoutes, ...userRoutes, ...peopleRoutes, ...managementRoutes, ...factorRoutes])
  const company = await app.company()
  const t = forTenant(app.db, company.tenantId)
  const helper = await app.token(await app.person(company, HELP_DESK))
  const of = async (grant: 'admin' | readonly 'docs:read'[]): Promise<Above> => ({ company, ...(await app.person(company, grant)) })
  const go = (above: Above, token: string) => app.request(path(above), { token, method, ...(body === undefined ? {} : { body: body(above) }) })
  for (const above of [await of('admin'), await of(['docs:read'])]) {
    const before = await texts(t, STATE)
    const refused = await go(above, helper)
    expect([refused.status, ((await refused.json()) as { code: unknown }).code]).toEqual([403, 'cannot_grant'])
    expect(await texts(t, STATE)).toEqual(before)
  }
  // Without more rights than the caller, the target can be changed. A caller with all rights can change every account except the first administrator.
  expect((await go(await of([]), helper)).status).toBeLessThan(300)
  expect((await go(await of('admin'), await app.token(company.admin))).status).toBeLessThan(300)
})

test('a row of an import cannot disable a person with more rights', async () => {
  const app = await startApp(peopleRoutes)
  const company = await app.company()
  const helper = await app.token(await app.person(company, HELP_DESK))
  const above = await app.person(company, 'admin')
  const headers = { 'content-type': 'text/csv' }
  const answer = await app.request('/people/import', { token: helper, headers, body: `email,active\n${above.email},false\n` })
  expect(await answer.json()).toMatchObject({ rows: [{ result: 'refused', code: 'cannot_grant' }] })
})

test('an administrator of small roles cannot remove a larger role, neither by the binding, nor by the group, nor by deleting the group', async () => {
  const app = await startApp([...adminRoutes, ...rolesRoutes, ...userRoutes, ...tokensRoutes, ...managementRoutes])
  const company = await app.company()
  const t = forTenant(app.db, company.tenantId)
  const at = app.clock.now()
  const helper = await app.token(await app.person(company, ['admin:access', 'admin:manage', 'roles:write', 'groups:write']))
  const member = await app.person(company)
  const { clientId } = await newBackend(app, company, [])
  const { role, groupId, bindingId } = await atomically(t, async (tx) => {
    const made = { role: await putRole(tx, 'large', ['docs:read'], at), groupId: await putGroup(tx, 'crew', [member.id], at) }
    await putBinding(tx, made.role, { groupId: made.groupId }, at)
    return { ...made, bindingId: await putBinding(tx, made.role, { userId: member.id }, at) }
  })
  const named = { tenant_id: company.tenantId, user_id: member.id }
  const several = { tenant_id: company.tenantId, user_ids: [member.id] }
  const calls: readonly (readonly [string, string, unknown?])[] = [
    ['DELETE', `${ADMIN}/bindings/${bindingId}`],
    ['DELETE', `${USER}/rbac/bindings/${bindingId}`],
    ['DELETE', `/authsec/hmgr/admin/users/${member.id}/roles/${role}`],
    ['DELETE', `${ADMIN}/groups/${company.tenantId}/users/bulk`, { group_id: groupId, user_ids: [member.id] }],
    ['POST', `${USER}/groups/users/remove`, { ...named, groups: ['crew'] }],
    ['DELETE', `/authsec/authmgr/admin/groups/${groupId}/users`, several],
    ['DELETE', `${ADMIN}/groups/map`, { tenant_id: company.tenantId, client_id: clientId, groups: ['crew'] }],
    ['DELETE', `${ADMIN}/groups?group=${groupId}`],
    ['DELETE', `/authsec/authmgr/admin/groups/${groupId}`],
  ]
  const send = async ([method, path, body]: (typeof calls)[number], token: string) => app.request(path, { token, method, body })
  const before = await texts(t, STATE)
  const held = await carriedBy(t, [member.id, groupId])
  for (const call of calls) {
    const refused = await send(call, helper)
    expect([refused.status, ((await refused.json()) as { code: unknown }).code], call[1]).toEqual([403, 'cannot_grant'])
  }
  expect([await texts(t, STATE), await carriedBy(t, [member.id, groupId])]).toEqual([before, held])
  for (const [place, call] of calls.entries())
    if (![1, 2, 8].includes(place)) expect((await send(call, await app.token(company.admin))).status, call[1]).toBe(200)
})
