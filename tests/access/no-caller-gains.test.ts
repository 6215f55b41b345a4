// Generated sequences of administrative calls by people with partial rights: no principal ever obtains rights that the caller could not grant, and
// refused calls change nothing. The state is read from the tables by independent queries, not by the functions under test.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { atomically, forTenant, type TenantDb } from '#db/engine/tenant'
import { type AccessHouse, type HouseAnswer, SIDES, startAccessWorld, UNKNOWN_ID } from './access-house.ts'

const SEED = 20_261_124
const SEQUENCES = 300
const PERMISSIONS = ['users:read', 'users:write', 'docs:read', 'admin:access', 'roles:write', 'roles:read'] as const
const LIMITS = [
  {},
  { scope: { type: 'project', id: UNKNOWN_ID } },
  { scope: { type: 'project', id: '*' } },
  { conditions: { mfa_required: true } },
  { conditions: {} },
  { expires_at: '2026-03-02T09:30:00Z' },
] as const

const some = fc.subarray([...PERMISSIONS])
const place = fc.nat({ max: 7 })
const step = fc.record({
  kind: fc.constantFrom('createRole', 'updateRole', 'deleteRole', 'bind', 'bind', 'bind', 'revoke', 'register', 'unregister', 'scope'),
  by: fc.nat({ max: 3 }),
  side: fc.nat({ max: 1 }),
  permissions: some,
  place,
  other: place,
  limit: fc.nat({ max: LIMITS.length - 1 }),
})
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

type Held = {
  readonly userId: string
  readonly permission: string
  /** Held for the whole tenant, without condition and unexpired: may be granted to others. */
  readonly passable: boolean
  readonly system: boolean
}
type State = { readonly held: readonly Held[]; readonly roles: readonly string[]; readonly bindings: readonly string[]; readonly dump: string }

type Cell = string | boolean | null
type Tables = {
  readonly roles: Cell[][]
  readonly bindings: Cell[][]
  readonly links: Cell[][]
  readonly permissions: Cell[][]
  readonly scopes: Cell[][]
}
const list = (row: string, from: string): string =>
  `(select coalesce(jsonb_agg(jsonb_build_array(${row}) order by 1, x.id), '[]') from ${from} and x.tenant_id = $1)`
const TABLES = `select jsonb_build_object(
  'roles', ${list('x.id, x.name, x.description, x.is_system', 'authsec.roles x where true')},
  'bindings', ${list('x.id, x.role_id, x.user_id, x.scope_id, x.conditions::text, x.expires_at', 'authsec.role_bindings x where true')},
  'permissions', ${list('x.id, x.resource, x.action', 'authsec.permissions x where true')},
  'links', ${list(`rp.role_id, x.resource || ':' || x.action`, 'authsec.role_permissions rp, authsec.permissions x where x.tenant_id = rp.tenant_id and x.id = rp.permission_id')},
  'scopes', ${list('x.name, sp.permission_id', 'authsec.scopes x left join authsec.scope_permissions sp on sp.tenant_id = x.tenant_id and sp.scope_id = x.id where true')})::text`

const read = async (t: TenantDb, now: Date): Promise<State> => {
  const [[text] = ['']] = (await t.run({ text: TABLES, params: [t.tenantId], arrays: true })) as string[][]
  const { roles, bindings, links, ...others } = JSON.parse(text ?? '') as Tables
  const held = bindings.flatMap(([, roleId, userId, scopeId, conditions, expiresAt]): Held[] => {
    const [, name, , isSystem] = roles.find(([id]) => id === roleId) ?? []
    const unconditional = conditions === null || conditions === '{}'
    const passable = scopeId === null && unconditional && (expiresAt === null || new Date(String(expiresAt)) > now)
    const system = isSystem === true && name === 'admin'
    const names = links.filter(([id]) => id === roleId).map(([, permission]) => String(permission))
    return [...names, ...(system ? ['the system role'] : [])].map((permission) => ({ userId: String(userId), permission, passable, system }))
  })
  return {
    held,
    roles: roles.map(([id]) => String(id)),
    bindings: bindings.map(([id]) => String(id)),
    dump: JSON.stringify([roles, bindings, links, others]),
  }
}

/** Whether a person may grant this, by an independent reading of the rule. */
const mayGive = ({ held }: State, userId: string, permission: string): boolean => {
  const own = held.filter((row) => row.userId === userId && row.passable)
  return own.some((row) => row.permission === permission) || (own.some((row) => row.system) && !permission.startsWith('platform:'))
}

type Call = (method: string, path: string, body?: unknown) => Promise<HouseAnswer>
type Cast = { readonly house: AccessHouse; readonly t: TenantDb; readonly ids: readonly string[]; readonly calls: readonly Call[] }

const perform = (call: Call, state: State, ids: readonly string[], s: Step): Promise<HouseAnswer> => {
  const { rbac, scopes } = (SIDES[s.side] as (typeof SIDES)[number])[1]
  const at = (list: readonly string[], place: number): string => list[place % Math.max(1, list.length)] ?? UNKNOWN_ID
  const role = { name: `role ${s.place}`, permission_strings: s.permissions }
  const [resource, action] = (PERMISSIONS[s.place % PERMISSIONS.length] ?? '').split(':')
  switch (s.kind) {
    case 'createRole':
      return call('POST', `${rbac}/roles`, role)
    case 'updateRole':
      return call('PUT', `${rbac}/roles/${at(state.roles, s.other)}`, role)
    case 'deleteRole':
      return call('DELETE', `${rbac}/roles/${at(state.roles, s.other)}`)
    case 'bind':
      return call('POST', `${rbac}/bindings`, { user_id: at(ids, s.place), role_id: at(state.roles, s.other), ...LIMITS[s.limit] })
    case 'revoke':
      return call('DELETE', `${rbac}/bindings/${at(state.bindings, s.other)}`)
    case 'register':
      return call('POST', `${rbac}/permissions`, { resource, action })
    case 'unregister':
      return call('DELETE', `${rbac}/permissions`, { resource, action })
    default:
      return call('POST', `${scopes}/scopes`, { scope_name: `s${s.place}`, resources: s.permissions })
  }
}

/** A role with exactly these permissions, bound to one person for the whole tenant. */
type Given = { readonly role: string; readonly to: string | undefined; readonly permissions: readonly string[] }

/** The tenant with only these roles and bindings. */
const reset = (cast: Cast, given: readonly Given[]): Promise<void> =>
  atomically(cast.t, async (t) => {
    const run = (text: string, ...params: unknown[]) => t.run({ text, params: [t.tenantId, ...params], arrays: true })
    await run('delete from authsec.scopes where tenant_id = $1')
    await run('delete from authsec.role_bindings where tenant_id = $1')
    await run('delete from authsec.role_permissions where tenant_id = $1')
    await run('delete from authsec.roles where tenant_id = $1 and not is_system')
    await run(`insert into authsec.permissions (tenant_id, id, resource, action, created_at, updated_at)
      values ($1, gen_random_uuid(), 'docs', 'read', now(), now()) on conflict do nothing`)
    const rows = JSON.stringify(given)
    const from = `jsonb_to_recordset($2::jsonb) as g(role text, "to" uuid, permissions jsonb)`
    await run(
      `insert into authsec.roles (tenant_id, id, name, created_at, updated_at) select $1, gen_random_uuid(), role, now(), now() from ${from} on conflict do nothing`,
      rows,
    )
    await run(
      `insert into authsec.role_permissions (tenant_id, role_id, permission_id) select $1, r.id, p.id from ${from}
       join authsec.roles r on r.tenant_id = $1 and r.name = g.role
       join authsec.permissions p on p.tenant_id = $1 and p.resource || ':' || p.action in (select jsonb_array_elements_text(g.permissions))`,
      rows,
    )
    await run(
      `insert into authsec.role_bindings (tenant_id, id, role_id, user_id, created_at) select $1, gen_random_uuid(), r.id, g."to", now() from ${from}
       join authsec.roles r on r.tenant_id = $1 and r.name = g.role`,
      rows,
    )
  })

/** An administrator, two people with some rights and one with hardly any; the system role has no permission that one of the two cannot also have. */
const opening = ([admin, ana, bob, cem]: readonly string[], first: readonly string[], second: readonly string[]): Given[] => [
  { role: 'admin', to: admin, permissions: ['users:read', 'users:write', 'admin:access', 'roles:write', 'roles:read', 'scopes:write'] },
  { role: `role-${ana}`, to: ana, permissions: [...first, 'roles:write', 'roles:read'] },
  { role: `role-${bob}`, to: bob, permissions: [...second, 'admin:access', 'roles:write', 'scopes:write'] },
  { role: 'Of Ana', to: ana, permissions: ['docs:read'] },
  { role: 'Of Cem', to: cem, permissions: ['users:read'] },
]

const assemble = async (): Promise<Cast> => {
  const house = await startAccessWorld()
  const { company, admin, person } = await house.open()
  const people = [await person(['users:read']), await person(['users:read']), await person()]
  return {
    house,
    t: forTenant(house.db, company.tenantId),
    ids: [company.admin.id, ...people.map(({ person: { id } }) => id)],
    calls: [admin, ...people.map(({ call }) => call)],
  }
}

test('no principal ever holds rights that no caller could grant', { timeout: 240_000 }, async () => {
  const cast = await assemble()
  const { house, t, ids, calls } = cast
  const now = house.clock.now()
  const seen = { granted: 0, refused: 0 }
  const sequence = fc.record({ first: some, second: some, steps: fc.array(step, { minLength: 3, maxLength: 6 }) })
  await fc.assert(
    fc.asyncProperty(sequence, async ({ first, second, steps }) => {
      await reset(cast, opening(ids, first, second))
      let before = await read(t, now)
      for (const s of steps) {
        const answer = await perform(calls[s.by] as Call, before, ids, s)
        expect(answer.status).toBeLessThan(500)
        const after = await read(t, now)
        if (answer.status >= 400) expect(after.dump).toBe(before.dump)
        const had = new Set(before.held.map((row) => `${row.userId} ${row.permission}`))
        for (const gained of after.held.filter((row) => !had.has(`${row.userId} ${row.permission}`))) {
          expect(mayGive(before, ids[s.by] ?? '', gained.permission), `${s.kind} by ${s.by} gives ${gained.permission}`).toBe(true)
          seen.granted++
        }
        // A right that is held for a resource or under a condition is not widened by another caller.
        const passable = new Set(before.held.filter((row) => row.passable).map((row) => `${row.userId} ${row.permission}`))
        for (const gained of after.held.filter((row) => row.passable && !passable.has(`${row.userId} ${row.permission}`)))
          expect(mayGive(before, ids[s.by] ?? '', gained.permission)).toBe(true)
        // The first administrator remains an administrator.
        expect(after.held.some((row) => row.userId === ids[0] && row.system && row.passable)).toBe(true)
        if (answer.body.code === 'cannot_grant') seen.refused++
        before = after
      }
    }),
    { numRuns: SEQUENCES, seed: SEED, endOnFailure: true },
  )
  // The sequences included both successful and refused grants.
  expect(Math.min(seen.granted, seen.refused)).toBeGreaterThan(50)
})
