import { hash } from 'bcryptjs'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { asTenantId, directory, forTenant, SYSTEM_TENANT, type TenantId } from '#db/engine/tenant'
import { findDefaultClient } from '#db/store/clients'
import { findTenantByDomain } from '#db/store/domains'
import { findTenant } from '#db/store/tenants'
import { findLivePermissions, findUserByEmail } from '#db/store/users'
import type { ReportLine } from '#shared/domains/import/report'
import { importAuthsec } from '#shared/domains/import/run'
import { openSource } from '#shared/domains/import/source'
import { authsecError } from '#shared/platform/http/problem'
import { startApp, type TestApp } from '#tests/support/app'
import { authsecOriginal, type Original } from '#tests/support/authsec-original'
import { authRoutes } from '../functions/auth/routes.ts'
import { signUpRoutes } from '../functions/sign-up/routes.ts'
import { userSignInRoutes } from '../functions/user-sign-in/routes.ts'

const PASSWORD = 'what it was before'
const CREATED = '2024-05-01T10:00:00Z'
const SIGNED_IN = '2025-12-01T08:00:00Z'

let bcrypt: string
let original: Original
let app: TestApp
beforeAll(async () => {
  bcrypt = await hash(PASSWORD, 4)
  original = await authsecOriginal()
  app = await startApp([...authRoutes, ...signUpRoutes, ...userSignInRoutes], { render: authsecError })
})
beforeEach(() => original.empty())
afterAll(() => original.close())

const id = (): string => app.ctx.random.id()
const run = async (more: { readonly dryRun?: boolean; readonly addresses?: 'signed-in' | 'none' } = {}) => {
  const lines: ReportLine[] = []
  const source = await openSource(original.query)
  const summary = await importAuthsec(app.ctx, source, {
    dryRun: false,
    addresses: 'signed-in',
    keys: [],
    report: (line) => void lines.push(line),
    ...more,
  })
  const of = (rowId: string): readonly (string | undefined)[] =>
    lines.filter((line) => line.id === rowId).flatMap(({ action, reason }) => [action, ...(reason === undefined ? [] : [reason])])
  return { lines, summary, of }
}

type Seeded = {
  readonly tenantId: TenantId
  readonly admin: string
  readonly email: string
  readonly clientId: string
  readonly domain: string
  readonly roleId: string
}
/** A company with the rows that the original creates. */
const seed = async (more: Readonly<Record<string, unknown>> = {}): Promise<Seeded> => {
  const [tenantId, admin, clientId, roleId, bindingId] = [id(), id(), id(), id(), id()]
  const label = `acme${tenantId.replaceAll('-', '').slice(-10)}`
  const [email, domain] = [`Ada@${label}.example`, `${label}.localhost`]
  await original.insert('tenants', {
    id: tenantId,
    tenant_id: tenantId,
    email,
    name: 'Acme',
    status: 'active',
    tenant_domain: domain,
    created_at: CREATED,
    ...more,
  })
  await original.insert('users', {
    id: admin,
    tenant_id: tenantId,
    client_id: clientId,
    email,
    name: 'Ada',
    password_hash: bcrypt,
    provider: 'local',
    active: true,
    is_primary_admin: true,
    last_login: SIGNED_IN,
    created_at: CREATED,
  })
  await original.insert('clients', {
    id: id(),
    client_id: clientId,
    tenant_id: tenantId,
    name: 'Default client',
    status: 'Active',
    active: true,
    created_at: '2024-05-01 10:00:00',
  })
  await original.insert('tenant_mappings', { client_id: clientId, tenant_id: tenantId })
  await original.insert('roles', { id: roleId, tenant_id: tenantId, name: 'admin', is_system: true, created_at: CREATED })
  await original.insert('role_bindings', { id: bindingId, tenant_id: tenantId, user_id: admin, role_id: roleId, created_at: CREATED })
  return { tenantId: asTenantId(tenantId), admin, email, clientId, domain, roleId }
}
const person = async ({ tenantId, clientId }: Seeded, more: Readonly<Record<string, unknown>>): Promise<string> => {
  const userId = id()
  await original.insert('users', {
    id: userId,
    tenant_id: tenantId,
    client_id: clientId,
    email: `p-${userId}@acme.example`,
    active: true,
    created_at: CREATED,
    ...more,
  })
  return userId
}
const signIn = (email: string, password: string, domain?: string) =>
  app.request('/authsec/uflow/auth/admin/login', { body: { email, password, ...(domain === undefined ? {} : { tenant_domain: domain }) } })
/** Every row of a tenant here, without times and random values. */
const counts = async (tenantId: TenantId): Promise<Readonly<Record<string, number>>> => {
  const out: Record<string, number> = {}
  for (const table of [
    'tenants',
    'users',
    'clients',
    'roles',
    'permissions',
    'role_permissions',
    'role_bindings',
    'groups',
    'user_groups',
    'audit_events',
    'projects',
  ]) {
    const [row] = (await forTenant(app.db, tenantId).run({ text: `select count(*)::int from authsec.${table}`, params: [], arrays: true })) as [
      number,
    ][]
    out[table] = row?.[0] ?? -1
  }
  return out
}

describe('a company', () => {
  test('keeps its ids, and its administrator signs in with the existing password, which is then rehashed', async () => {
    const acme = await seed()
    const { of, summary } = await run()
    expect(summary).toMatchObject({ tenants: { imported: 1, unchanged: 0, refused: 0 } })
    expect([of(acme.admin), of(acme.clientId)]).toEqual([['import'], ['adapt', 'default_by_name']])
    expect((await signIn(acme.email, 'another password', acme.domain)).status).toBe(401)
    const response = await signIn(acme.email, PASSWORD, acme.domain)
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({ tenant_id: acme.tenantId, token: expect.stringMatching(/^ey/) })
    const t = forTenant(app.db, acme.tenantId)
    expect(await findUserByEmail(t, acme.email.toLowerCase())).toMatchObject({
      id: acme.admin,
      isPrimaryAdmin: true,
      passwordHash: expect.stringMatching(/^\$argon2id\$/),
    })
    expect(await findDefaultClient(t)).toMatchObject({ id: acme.clientId, createdAt: new Date('2024-05-01T10:00:00Z') })
    expect(await findLivePermissions(t, acme.admin, app.clock.now())).toEqual(
      expect.arrayContaining(['admin:access', 'roles:write', 'webhooks:write']),
    )
  })

  test('has end users who sign in at the client', async () => {
    const acme = await seed()
    const email = `bo-${acme.admin}@acme.example`
    await person(acme, { email, password_hash: bcrypt, last_login: SIGNED_IN })
    await run()
    const response = await app.request('/authsec/uflow/user/login', { body: { client_id: acme.clientId, email, password: PASSWORD } })
    expect(response.status).toBe(200)
  })

  test('is tried completely by a dry run, which reports the same and saves nothing', async () => {
    const acme = await seed()
    await person(acme, { email: 'nonsense' })
    const dry = await run({ dryRun: true })
    expect(await findTenant(forTenant(app.db, acme.tenantId))).toBeUndefined()
    expect(await findTenantByDomain(directory(app.db), acme.domain)).toBeUndefined()
    const real = await run()
    expect(real.lines).toEqual(dry.lines)
    expect(real.summary).toEqual(dry.summary)
  })

  test('has the same outcome in a dry run and in a real one when an earlier company of the run takes its domain', async () => {
    const label = `twice${id().replaceAll('-', '').slice(-10)}`
    const [first, second] = [await seed({ tenant_domain: `${label}.localhost` }), await seed({ tenant_domain: `${label}.localhost` })]
    const dry = await run({ dryRun: true })
    const real = await run()
    expect(real.lines).toEqual(dry.lines)
    const told = [real.of(first.tenantId), real.of(second.tenantId)]
    expect(told).toContainEqual(['import'])
    expect(told).toContainEqual(['adapt', 'domain_taken'])
  })

  test('is imported although a row has a year outside the supported range', async () => {
    const acme = await seed()
    const bo = await person(acme, { last_login: '200000-01-01 00:00:00+00', updated_at: '0044-03-15 12:00:00+00 BC' })
    const { of, summary } = await run()
    expect(summary.tenants.imported).toBe(1)
    expect(of(bo)).toEqual(['import'])
  })

  test('is imported once: a second run changes nothing and restores nothing', async () => {
    const acme = await seed()
    const other = await person(acme, {})
    await run()
    const t = forTenant(app.db, acme.tenantId)
    await t.run({ text: 'delete from authsec.users where id = $1', params: [other], arrays: true })
    const before = await counts(acme.tenantId)
    const again = await run()
    expect(again.summary).toMatchObject({ tenants: { imported: 0, unchanged: 1, refused: 0 } })
    expect([again.of(acme.tenantId), again.of(acme.admin), again.of(other)]).toEqual([
      ['unchanged', 'exists'],
      ['unchanged', 'exists'],
      ['unchanged', 'gone_here_since'],
    ])
    expect(await counts(acme.tenantId)).toEqual(before)
  })

  test('receives new rows of the source by key in a later run; rows changed or removed here since stay as they are', async () => {
    const LATER = '2026-01-05T00:00:00Z'
    const acme = await seed()
    const ann = await person(acme, { name: 'Ann' })
    const [reader, permission, bound, crew] = [id(), id(), id(), id()]
    await original.insert('permissions', { id: permission, tenant_id: acme.tenantId, resource: 'docs', action: 'read', created_at: CREATED })
    await original.insert('roles', { id: reader, tenant_id: acme.tenantId, name: 'reader', is_system: false, created_at: CREATED })
    await original.insert('role_permissions', { role_id: reader, permission_id: permission })
    await original.insert('role_bindings', { id: bound, tenant_id: acme.tenantId, user_id: ann, role_id: reader, created_at: CREATED })
    await original.insert('groups', { id: crew, tenant_id: acme.tenantId, name: `crew-${crew}`, created_at: CREATED })
    await original.insert('user_groups', { user_id: ann, group_id: crew })
    await run()
    const t = forTenant(app.db, acme.tenantId)
    const change = (text: string, ...params: unknown[]) => t.run({ text, params, arrays: true })
    await change('delete from authsec.role_bindings where id = $1', bound)
    await change('delete from authsec.user_groups where user_id = $1', ann)
    await change('update authsec.users set name = $2, active = false where id = $1', ann, 'Ann here')
    // Meanwhile in the source: another person with two bindings and the same group, and one whose address is already used here.
    const [bob, eve, administers, reads] = [id(), id(), id(), id()]
    const taken = `taken@${acme.domain}.example`
    await original.insert('users', {
      id: bob,
      tenant_id: acme.tenantId,
      email: `bob@${acme.domain}.example`,
      name: 'Bob',
      active: true,
      created_at: LATER,
    })
    await original.insert('users', { id: eve, tenant_id: acme.tenantId, email: taken, name: 'Eve', active: true, created_at: LATER })
    await change('update authsec.users set email = $2 where id = $1', ann, taken)
    await original.insert('role_bindings', { id: administers, tenant_id: acme.tenantId, user_id: bob, role_id: acme.roleId, created_at: LATER })
    await original.insert('role_bindings', { id: reads, tenant_id: acme.tenantId, user_id: eve, role_id: reader, created_at: LATER })
    await original.insert('user_groups', { user_id: bob, group_id: crew })
    const dry = await run({ dryRun: true })
    const before = await counts(acme.tenantId)
    const again = await run()
    for (const { summary, of } of [dry, again]) {
      expect(summary.tenants).toEqual({ imported: 1, unchanged: 0, refused: 0 })
      expect([of(ann), of(bob), of(eve), of(bound), of(administers), of(reads)]).toEqual([
        ['unchanged', 'exists'],
        ['import'],
        ['refuse', 'in_conflict'],
        ['unchanged', 'gone_here_since'],
        ['import'],
        ['refuse', 'end_missing_here'],
      ])
      expect([of(`${ann}/${crew}`), of(`${bob}/${crew}`)]).toEqual([['unchanged', 'as_it_is_here'], ['import']])
    }
    const now = await counts(acme.tenantId)
    expect(now).toMatchObject({ users: Number(before.users) + 1, role_bindings: Number(before.role_bindings) + 1, user_groups: 1 })
    expect(await findUserByEmail(t, taken)).toMatchObject({ id: ann, name: 'Ann here', active: false })
    expect(await findLivePermissions(t, bob, app.clock.now())).toContain('admin:access')
    // A row that the second run added and that was removed here since does not return with the third run.
    await change('delete from authsec.role_bindings where id = $1', administers)
    const third = await run()
    expect(third.summary.tenants).toEqual({ imported: 0, unchanged: 1, refused: 0 })
    expect(third.of(administers)).toEqual(['unchanged', 'gone_here_since'])
    expect(await findLivePermissions(t, bob, app.clock.now())).toEqual([])
  })

  test('that this system created itself is not mixed with an imported one', async () => {
    const here = await app.company()
    await original.insert('tenants', { id: here.tenantId, tenant_id: here.tenantId, name: 'Acme', tenant_domain: 'x', created_at: CREATED })
    const before = await counts(here.tenantId)
    const { summary, of } = await run()
    expect(summary.tenants.refused).toBe(1)
    expect(of(here.tenantId)).toEqual(['refuse', 'tenant_of_this_system'])
    expect(await counts(here.tenantId)).toEqual(before)
  })

  test('is imported completely or not at all: a failure in the last step leaves nothing of it and keeps the companies before it', async () => {
    const companies = [await seed(), await seed()]
    let sealed = 0
    const seal: typeof app.ctx.keyring.seal = (...given) => {
      sealed += 1
      return sealed > 1 ? Promise.reject(new Error('the power went off')) : app.ctx.keyring.seal(...given)
    }
    const source = await openSource(original.query)
    const broken = { ...app.ctx, keyring: { ...app.ctx.keyring, seal } }
    await expect(importAuthsec(broken, source, { dryRun: false, addresses: 'signed-in', keys: [], report: () => undefined })).rejects.toThrow(
      'the power',
    )
    const kept = await Promise.all(companies.map(({ tenantId }) => counts(tenantId)))
    expect(kept.map(({ tenants }) => tenants).toSorted()).toEqual([0, 1])
    expect(kept.filter((rows) => Object.values(rows).every((count) => count === 0))).toHaveLength(1)
    expect((await run()).summary.tenants).toEqual({ imported: 1, unchanged: 1, refused: 0 })
  })

  test('is never imported if it is the platform\u2019s', async () => {
    await original.insert('tenants', { id: SYSTEM_TENANT, tenant_id: SYSTEM_TENANT, name: 'System', tenant_domain: 'system', created_at: CREATED })
    const { of, summary } = await run()
    expect(of(SYSTEM_TENANT)).toEqual(['refuse', 'tenant_of_the_platform'])
    expect(summary.tenants).toEqual({ imported: 0, unchanged: 0, refused: 1 })
  })

  test('with a row for each administrator is one company, named by its own row', async () => {
    const acme = await seed()
    const other = id()
    await original.insert('tenants', {
      id: other,
      tenant_id: acme.tenantId,
      email: 'second@acme.example',
      name: 'Second',
      tenant_domain: 'zzz',
      created_at: '2020-01-01T00:00:00Z',
    })
    const { of } = await run()
    expect(of(other)).toEqual(['adapt', 'merged'])
    expect(await findTenant(forTenant(app.db, acme.tenantId))).toMatchObject({ name: 'Acme', domain: acme.domain, source: 'authsec_import' })
  })

  test.each([
    [null, 'domain_unusable'],
    ['', 'domain_unusable'],
    ['not a domain', 'domain_unusable'],
  ])('with the domain %o gets a generated one', async (tenant_domain, reason) => {
    const acme = await seed({ tenant_domain })
    const { of } = await run()
    expect(of(acme.tenantId)).toEqual(['adapt', reason])
    const made = `t${acme.tenantId.replaceAll('-', '').slice(-20)}.localhost`
    expect(await findTenantByDomain(directory(app.db), made)).toBe(acme.tenantId)
  })

  test('gets neither another tenant’s domain nor an unverified one outside our suffixes', async () => {
    const here = await app.company()
    const [thief, far] = [await seed({ tenant_domain: here.domain.toUpperCase() }), await seed({ tenant_domain: `bank-${id()}.example` })]
    const { of } = await run()
    expect(of(thief.tenantId)).toEqual(['adapt', 'domain_taken'])
    expect(await findTenantByDomain(directory(app.db), here.domain)).toBe(here.tenantId)
    const { domain } = (await findTenant(forTenant(app.db, far.tenantId))) ?? { domain: '' }
    expect(domain).toMatch(/^bank-/)
    expect(await findTenantByDomain(directory(app.db), domain)).toBeUndefined()
  })
})

describe('people', () => {
  test('whose addresses differ only by case become one: the active one who signed in last', async () => {
    const acme = await seed()
    const [old, fresh, gone] = [
      await person(acme, { email: 'Bo@acme.example', last_login: '2024-01-01T00:00:00Z' }),
      await person(acme, { email: 'bo@ACME.example', last_login: '2025-01-01T00:00:00Z' }),
      await person(acme, { email: 'BO@acme.example', last_login: '2025-06-01T00:00:00Z', active: false }),
    ]
    const { of } = await run()
    expect([of(old), of(fresh), of(gone)]).toEqual([['refuse', 'email_duplicate'], ['import'], ['refuse', 'email_duplicate']])
    expect(await findUserByEmail(forTenant(app.db, acme.tenantId), 'bo@acme.example')).toMatchObject({ id: fresh })
  })

  test('without a deliverable address are refused', async () => {
    const acme = await seed()
    const ids = [await person(acme, { email: null }), await person(acme, { email: 'a@b@c.example' }), await person(acme, { email: '' })]
    const { of } = await run()
    for (const one of ids) expect(of(one)).toEqual(['refuse', 'email_invalid'])
  })

  test('have a verified address if they signed in there, or not at all where the operator chooses so', async () => {
    const acme = await seed()
    await person(acme, { email: 'never@acme.example', password_hash: bcrypt })
    await run()
    const t = forTenant(app.db, acme.tenantId)
    expect(await findUserByEmail(t, 'never@acme.example')).toMatchObject({ emailVerifiedAt: null })
    expect(await findUserByEmail(t, acme.email.toLowerCase())).toMatchObject({ emailVerifiedAt: new Date(SIGNED_IN) })
    const second = await seed()
    await run({ addresses: 'none' })
    expect(await findUserByEmail(forTenant(app.db, second.tenantId), second.email.toLowerCase())).toMatchObject({ emailVerifiedAt: null })
  })

  test('with a second factor must prove their mailbox before a password alone signs them in', async () => {
    const acme = await seed()
    const email = `mfa-${acme.admin}@acme.example`
    const bo = await person(acme, { email, password_hash: bcrypt, mfa_enabled: true, last_login: SIGNED_IN })
    const phone = id()
    await original.insert('totp_secrets', { id: phone, user_id: bo, tenant_id: acme.tenantId, secret: 'JBSWY3DPEHPK3PXP', is_active: true })
    const { of, lines } = await run()
    expect(of(bo)).toEqual(['adapt', 'factor_must_be_enrolled_again'])
    expect(lines.filter(({ table }) => table === 'totp_secrets')).toEqual([
      { tenant_id: acme.tenantId, table: 'totp_secrets', id: phone, action: 'refuse', reason: 'secret_too_short' },
    ])
    const response = await app.request('/authsec/uflow/user/login', { body: { client_id: acme.clientId, email, password: PASSWORD } })
    expect(await response.json()).toMatchObject({ code: 'password_reset_required' })
  })

  test('with an unknown hash format are imported without a password', async () => {
    const acme = await seed()
    const bo = await person(acme, { email: 'md5@acme.example', password_hash: '5f4dcc3b5aa765d61d8327deb882cf99' })
    const { of } = await run()
    expect(of(bo)).toEqual(['adapt', 'password_unreadable'])
    expect(await findUserByEmail(forTenant(app.db, acme.tenantId), 'md5@acme.example')).toMatchObject({ passwordHash: null })
  })

  test('are reported and skipped when they belong to no company', async () => {
    const acme = await seed()
    const orphan = await person({ ...acme, tenantId: asTenantId(id()) }, {})
    const unowned = id()
    await original.insert('users', { id: unowned, tenant_id: null, email: 'unowned@acme.example' })
    const group = id()
    await original.insert('groups', { id: group, tenant_id: null, name: 'everyone' })
    const { of } = await run()
    for (const one of [orphan, unowned, group]) expect(of(one)).toEqual(['refuse', 'without_tenant'])
  })
})

describe('roles and bindings', () => {
  test('across tenants, without exactly one principal, with an incomplete scope, or duplicated, are refused with the reason', async () => {
    const [acme, globex] = [await seed(), await seed()]
    const bo = await person(acme, {})
    const [role, binding] = [id(), () => id()]
    await original.insert('roles', { id: role, tenant_id: acme.tenantId, name: 'reader', is_system: false })
    const rows = {
      foreignUser: { user_id: globex.admin, role_id: role },
      foreignRole: { user_id: bo, role_id: globex.roleId },
      lostRole: { user_id: bo, role_id: id() },
      noPrincipal: { role_id: role },
      typeAlone: { user_id: bo, role_id: role, scope_type: 'project' },
      sound: { user_id: bo, role_id: role },
      again: { user_id: bo, role_id: role },
      scoped: { user_id: bo, role_id: role, scope_type: 'project', scope_id: id() },
      wild: { user_id: acme.admin, role_id: role, scope_type: 'project', scope_id: '*' },
      strange: { user_id: acme.admin, role_id: role, scope_type: 'project', scope_id: id(), conditions: { moon: 'full' } },
    }
    const made: Record<string, string> = {}
    for (const [name, row] of Object.entries(rows)) {
      made[name] = binding()
      await original.insert('role_bindings', { id: made[name], tenant_id: acme.tenantId, created_at: CREATED, ...row })
    }
    const { of } = await run()
    expect(Object.fromEntries(Object.entries(made).map(([name, one]) => [name, of(one)]))).toEqual({
      foreignUser: ['refuse', 'principal_missing_or_of_another_tenant'],
      foreignRole: ['refuse', 'role_missing_or_of_another_tenant'],
      lostRole: ['refuse', 'role_missing_or_of_another_tenant'],
      noPrincipal: ['refuse', 'not_exactly_one_principal'],
      typeAlone: ['refuse', 'scope_incomplete'],
      sound: ['import'],
      again: ['refuse', 'duplicate'],
      scoped: ['import'],
      wild: ['adapt', 'wildcard_scope'],
      strange: ['adapt', 'condition_unknown_grants_nothing'],
    })
    const text = 'select count(*)::int from authsec.role_bindings where user_id = $1'
    expect(await forTenant(app.db, acme.tenantId).run({ text, params: [globex.admin], arrays: true })).toEqual([[0]])
  })

  test('with an unreadable restriction are refused, never imported without it', async () => {
    const acme = await seed()
    const bo = await person(acme, {})
    const role = id()
    await original.insert('roles', { id: role, tenant_id: acme.tenantId, name: 'reader', is_system: false })
    const rows = {
      text: { conditions: JSON.stringify('{"mfa_required":true}') },
      list: { conditions: '["mfa_required"]' },
      truth: { conditions: 'true' },
      malformed: { conditions: { mfa_required: 'yes' } },
      none: { conditions: {} },
      never: { expires_at: 'infinity' },
      over: { expires_at: '-infinity' },
      longOver: { expires_at: '0044-03-15 12:00:00+00 BC' },
      far: { expires_at: '20000-01-01 00:00:00+00' },
      go: { expires_at: '0001-01-01 00:00:00+00' },
    }
    const made: Record<string, string> = {}
    for (const [name, row] of Object.entries(rows)) {
      made[name] = id()
      const scope = { scope_type: 'project', scope_id: id() }
      await original.insert('role_bindings', {
        id: made[name],
        tenant_id: acme.tenantId,
        user_id: bo,
        role_id: role,
        created_at: CREATED,
        ...scope,
        ...row,
      })
    }
    const { of } = await run()
    expect(Object.fromEntries(Object.entries(made).map(([name, one]) => [name, of(one)]))).toEqual({
      text: ['refuse', 'conditions_unreadable'],
      list: ['refuse', 'conditions_unreadable'],
      truth: ['refuse', 'conditions_unreadable'],
      malformed: ['adapt', 'condition_unknown_grants_nothing'],
      none: ['import'],
      never: ['import'],
      over: ['refuse', 'expiry_unreadable'],
      longOver: ['refuse', 'expiry_unreadable'],
      far: ['refuse', 'expiry_unreadable'],
      go: ['import'],
    })
    const text = 'select id from authsec.role_bindings where role_id = $1 and conditions is null and expires_at is null'
    const free = (await forTenant(app.db, acme.tenantId).run({ text, params: [role], arrays: true })) as string[][]
    expect(free.flat().toSorted()).toEqual([made.none, made.never].toSorted())
  })

  test('of a permission whose name is ambiguous or the platform’s are refused, as is everything that depends on it', async () => {
    const acme = await seed()
    const [colon, platform, sound, role] = [id(), id(), id(), id()]
    await original.insert(
      'permissions',
      { id: colon, tenant_id: acme.tenantId, resource: 'admin:x', action: 'access' },
      { id: platform, tenant_id: acme.tenantId, resource: 'platform', action: 'tenants' },
      { id: sound, tenant_id: acme.tenantId, resource: 'invoice', action: 'read' },
    )
    await original.insert('roles', { id: role, tenant_id: acme.tenantId, name: 'clerk', is_system: false })
    for (const permission of [colon, platform, sound]) await original.insert('role_permissions', { role_id: role, permission_id: permission })
    const bo = await person(acme, {})
    await original.insert('role_bindings', { id: id(), tenant_id: acme.tenantId, user_id: bo, role_id: role })
    const { of } = await run()
    expect([of(colon), of(platform), of(sound)]).toEqual([['refuse', 'name_ambiguous'], ['refuse', 'resource_of_the_platform'], ['import']])
    expect([of(`${role}/${colon}`), of(`${role}/${sound}`)]).toEqual([['refuse', 'end_missing_or_of_another_tenant'], ['import']])
    expect(await findLivePermissions(forTenant(app.db, acme.tenantId), bo, app.clock.now())).toEqual(['invoice:read'])
  })

  test.each([false, null])('a role that only has the name of the administrators’ role (%s) gains no rights', async (isSystem) => {
    const acme = await seed()
    const [tenantId, bo, role] = [asTenantId(id()), id(), id()]
    await original.insert('tenants', { id: tenantId, tenant_id: tenantId, name: 'Globex', tenant_domain: null, created_at: CREATED })
    await original.insert('users', {
      id: bo,
      tenant_id: tenantId,
      email: 'bo@globex.example',
      active: true,
      password_hash: bcrypt,
      last_login: SIGNED_IN,
    })
    await original.insert('roles', { id: role, tenant_id: tenantId, name: 'admin', is_system: isSystem })
    await original.insert('role_bindings', { id: id(), tenant_id: tenantId, user_id: bo, role_id: role })
    const { of, lines } = await run()
    expect(of(role)).toEqual(['adapt', 'renamed'])
    expect(await findLivePermissions(forTenant(app.db, tenantId), bo, app.clock.now())).toEqual([])
    expect(lines).toContainEqual({ tenant_id: tenantId, table: 'tenants', id: tenantId, action: 'adapt', reason: 'without_administrator' })
    expect(lines.filter(({ id: one, reason }) => one === acme.tenantId && reason === 'without_administrator')).toEqual([])
  })

  test('groups and their members are imported, members of another company are not', async () => {
    const [acme, globex] = [await seed(), await seed()]
    const group = id()
    await original.insert('groups', { id: group, tenant_id: acme.tenantId, name: `staff-${group}` })
    await original.insert(
      'user_groups',
      { user_id: acme.admin, group_id: group, tenant_id: acme.tenantId },
      { user_id: globex.admin, group_id: group, tenant_id: acme.tenantId },
    )
    const { of } = await run()
    expect([of(`${acme.admin}/${group}`), of(`${globex.admin}/${group}`)]).toEqual([['import'], ['refuse', 'end_missing_or_of_another_tenant']])
  })
})

test('clients belong to the company they are mapped to, keep their ids, and wait for a new secret', async () => {
  const [acme, here] = [await seed(), await app.company()]
  const [mapped, gone, foreign, project] = [id(), id(), here.clientId, id()]
  await original.insert(
    'clients',
    { id: id(), client_id: mapped, tenant_id: null, name: 'Portal', active: true, client_type: 'm2m_service' },
    { id: id(), client_id: gone, tenant_id: acme.tenantId, name: 'Old', active: true, deleted: true, client_type: 'strange' },
    { id: id(), client_id: foreign, tenant_id: acme.tenantId, name: 'Thief', active: true },
  )
  await original.insert('tenant_mappings', { client_id: mapped, tenant_id: acme.tenantId })
  await original.insert('projects', { id: project, name: 'P', user_id: acme.admin, tenant_id: null, created_at: CREATED })
  const { of } = await run()
  expect([of(mapped), of(gone), of(foreign), of(project)]).toEqual([
    ['adapt', 'secret_must_be_rotated'],
    ['adapt', 'secret_must_be_rotated,client_type_unknown'],
    ['refuse', 'client_of_another_tenant'],
    ['adapt', 'tenant_of_its_creator'],
  ])
  const text = 'select id, client_type, status, active from authsec.clients where id = any ($1::uuid[]) order by name desc'
  expect(await forTenant(app.db, acme.tenantId).run({ text, params: [[mapped, gone]], arrays: true })).toEqual([
    [mapped, 'm2m_service', 'Active', true],
    [gone, 'application', 'Deleted', false],
  ])
})

test('a database that is not AuthSec’s is refused', async () => {
  await expect(openSource(async () => [])).rejects.toThrow('not a database of AuthSec')
})
