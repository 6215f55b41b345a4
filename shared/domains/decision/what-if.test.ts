// Compares a dry run with the decisions before and after the change.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { PolicyRows, PrincipalState } from '#db/store/policy'
import { ACTIONS, GROUPS, POLICY_NOW, policyRows, RESOURCES, SCOPE_IDS, SERVICES, TENANT, USERS } from '#tests/support/policy-rows'
import { decide } from './decide.ts'
import { comparePolicies, type GrantEffect, type PolicyEdit, prepareComparison, UnknownTarget } from './what-if.ts'

const allPrincipals: readonly PrincipalState[] = [
  ...USERS.map((id, n) => ({ kind: 'user' as const, id, active: true, groups: GROUPS.slice(0, n) })),
  ...SERVICES.map((id) => ({ kind: 'service_account' as const, id, active: true, groups: [] })),
]
const roleOf = (rows: PolicyRows, n: number): string => rows.roles[n % rows.roles.length]?.id ?? ''

type Seed = { readonly op: number; readonly n: number; readonly m: number; readonly scoped: boolean }
const seeds = fc.array(fc.record({ op: fc.nat(3), n: fc.nat(500), m: fc.nat(500), scoped: fc.boolean() }), { minLength: 1, maxLength: 3 })

const changeOf = (rows: PolicyRows, { op, n, m, scoped }: Seed): PolicyEdit[] => {
  if (op === 0) {
    const holders = [
      ...USERS.map((id) => ['user', id] as const),
      ...SERVICES.map((id) => ['service_account', id] as const),
      ...GROUPS.map((id) => ['group', id] as const),
    ]
    const [holderKind, holderId] = holders[m % holders.length] ?? ['user', '']
    const scope = scoped ? { type: RESOURCES[n % 2] ?? '', id: SCOPE_IDS[m % 3] ?? '' } : undefined
    return [{ op: 'bind', roleId: roleOf(rows, n), holderKind, holderId, scope, conditions: null }]
  }
  const binding = rows.bindings[n % Math.max(1, rows.bindings.length)]
  if (op === 1) return binding === undefined ? [] : [{ op: 'unbind', bindingId: binding.id }]
  if (op === 2) {
    const permissions = rows.permissions.filter((_, at) => ((m >> at) & 1) === 1).map(({ resource, action }) => `${resource}:${action}`)
    return [{ op: 'set_role_permissions', roleId: roleOf(rows, n), permissions }]
  }
  return [{ op: 'delete_role', roleId: roleOf(rows, n) }]
}

const covers = (
  effects: readonly GrantEffect[],
  principal: PrincipalState,
  resource: string,
  action: string,
  scopeId: string | undefined,
  scopeType: string | undefined,
): boolean =>
  effects.some(
    ({ principal: { kind, id }, grant }) =>
      kind === principal.kind &&
      id === principal.id &&
      grant.resource === resource &&
      grant.action === action &&
      (grant.scopeId === undefined || (grant.scopeId === scopeId && (scopeType === undefined || grant.scopeType === scopeType))),
  )

/** Without conditions the dry run must list exactly what changes. */
const unconditional = (rows: PolicyRows): PolicyRows => ({
  ...rows,
  bindings: [...new Map(rows.bindings.map((row) => [row.id, { ...row, conditions: null }])).values()],
})

test('gains and losses are exactly the principals with changed decisions', () => {
  fc.assert(
    fc.property(policyRows, seeds, (generated, wanted) => {
      const rows = unconditional(generated)
      const changes: PolicyEdit[] = []
      for (const seed of wanted) {
        const [change] = changeOf(rows, seed)
        if (change === undefined) continue
        changes.push(change)
        if (change.op === 'delete_role' || change.op === 'unbind') break
      }
      const prepared = prepareComparison(TENANT, rows, changes)
      const isTouched = ({ kind, id, groups }: PrincipalState): boolean =>
        prepared.holders.some((holder) => (holder.kind === kind && holder.id === id) || (holder.kind === 'group' && groups.includes(holder.id)))
      const { gains, losses } = comparePolicies(prepared, allPrincipals.filter(isTouched), POLICY_NOW)
      for (const principal of allPrincipals) {
        for (const resource of RESOURCES) {
          for (const action of ACTIONS) {
            for (const [scopeId, scopeType] of [
              [undefined, undefined],
              [SCOPE_IDS[0], undefined],
              [SCOPE_IDS[1], 'project'],
              [SCOPE_IDS[2], 'invoice'],
            ] as const) {
              const question = { resource, action, scopeId, scopeType }
              const [before, after] = [prepared.before, prepared.after].map((policy) => decide(policy, principal, question, {}, POLICY_NOW).allowed)
              if (after && !before) expect(covers(gains, principal, resource, action, scopeId, scopeType)).toBe(true)
              if (before && !after) expect(covers(losses, principal, resource, action, scopeId, scopeType)).toBe(true)
            }
          }
        }
      }
      for (const [effects, policy, other] of [
        [gains, prepared.after, prepared.before],
        [losses, prepared.before, prepared.after],
      ] as const) {
        for (const { principal, grant } of effects) {
          const question = { resource: grant.resource, action: grant.action, scopeId: grant.scopeId, scopeType: grant.scopeType }
          expect(decide(policy, principal, question, {}, POLICY_NOW).allowed).toBe(true)
          // A grant may exist before with an earlier end; the later end is the gain.
          if (grant.expiresAt === Number.POSITIVE_INFINITY) {
            const had = decide(other, principal, question, {}, POLICY_NOW + 1)
            expect(had.allowed).toBe(false)
          }
        }
      }
    }),
    { seed: 20260302, numRuns: 1500 },
  )
}, 60_000)

test('a change with an unknown target is refused by position', () => {
  const rows: PolicyRows = { version: 1, permissions: [], roles: [{ id: 'r', name: 'r', isSystem: false, permissionIds: [] }], bindings: [] }
  const fine: PolicyEdit = { op: 'bind', roleId: 'r', holderKind: 'user', holderId: 'u', conditions: null }
  const unknown: readonly PolicyEdit[] = [
    { ...fine, roleId: 'x' },
    { op: 'unbind', bindingId: 'x' },
    { op: 'set_role_permissions', roleId: 'x', permissions: [] },
    { op: 'set_role_permissions', roleId: 'r', permissions: ['a:b'] },
    { op: 'delete_role', roleId: 'x' },
  ]
  for (const change of unknown) {
    try {
      prepareComparison(TENANT, rows, [fine, change])
      expect.unreachable()
    } catch (error) {
      expect(error).toBeInstanceOf(UnknownTarget)
      expect(error).toMatchObject({ at: 1 })
    }
  }
})

const manyRows = (bindings: number, permissions: number): PolicyRows => {
  const ids = Array.from({ length: permissions }, (_, n) => `p${n}`)
  return {
    version: 1,
    permissions: ids.map((id) => ({ id, resource: 'invoice', action: id })),
    roles: [{ id: 'r', name: 'r', isSystem: false, permissionIds: ids }],
    bindings: Array.from({ length: bindings }, (_, n) => ({
      id: `b${n}`,
      roleId: 'r',
      holderKind: 'group' as const,
      holderId: 'g',
      scopeType: 'invoice',
      scopeId: `s${n}`,
      conditions: null,
      expiresAt: null,
    })),
  }
}
const members = (count: number): readonly PrincipalState[] =>
  Array.from({ length: count }, (_, n) => ({ kind: 'user' as const, id: `u${n}`, active: true, groups: ['g'] }))

test('a tenant with many bindings is compared in linear time', () => {
  const { losses, examined } = comparePolicies(
    prepareComparison(TENANT, manyRows(30_000, 1), [{ op: 'delete_role', roleId: 'r' }]),
    members(1),
    POLICY_NOW,
  )
  expect([losses.length, examined]).toEqual([30_000, 1])
})

test('a comparison above the limit is cut short and reports how far it came', () => {
  const rows = manyRows(2000, 100)
  const nothing: PolicyEdit = {
    op: 'set_role_permissions',
    roleId: 'r',
    permissions: rows.permissions.map(({ resource, action }) => `${resource}:${action}`),
  }
  const { examined, gains, losses } = comparePolicies(prepareComparison(TENANT, rows, [nothing]), members(20), POLICY_NOW)
  expect(examined).toBeGreaterThan(0)
  expect(examined).toBeLessThan(5)
  expect([...gains, ...losses]).toEqual([])
  const everything = comparePolicies(prepareComparison(TENANT, manyRows(6000, 1), [{ op: 'delete_role', roleId: 'r' }]), members(20), POLICY_NOW)
  expect([everything.examined, everything.losses.length]).toEqual([2, 12_000])
})

test('each loss is listed once, without those that a wider or longer one covers', () => {
  const row = { roleId: 'r', holderKind: 'user' as const, holderId: 'u', scopeType: null, scopeId: null, conditions: null, expiresAt: null }
  const scope = { scopeType: 'invoice', scopeId: 's' }
  const mfa = { mfa_required: true }
  const rows: PolicyRows = {
    version: 1,
    permissions: [{ id: 'p', resource: 'invoice', action: 'read' }],
    roles: [{ id: 'r', name: 'r', isSystem: false, permissionIds: ['p'] }],
    bindings: [
      { ...row, ...scope, id: 'scoped' },
      { ...row, ...scope, id: 'scoped again' },
      { ...row, id: 'wide but soon over', expiresAt: new Date(POLICY_NOW + 1000) },
      { ...row, id: 'wide but soon over, under a condition', expiresAt: new Date(POLICY_NOW + 1000), conditions: mfa },
      { ...row, id: 'wide for longer, under a condition', expiresAt: new Date(POLICY_NOW + 2000), conditions: mfa },
      { ...row, ...scope, id: 'scoped, soon over', expiresAt: new Date(POLICY_NOW + 500) },
    ],
  }
  const { losses } = comparePolicies(
    prepareComparison(TENANT, rows, [{ op: 'delete_role', roleId: 'r' }]),
    [{ kind: 'user', id: 'u', active: true, groups: [] }],
    POLICY_NOW,
  )
  expect(losses.map(({ grant }) => [grant.scopeId, grant.conditions !== '', grant.expiresAt - POLICY_NOW])).toEqual([
    [undefined, false, 1000],
    [undefined, true, 2000],
    ['s', false, Number.POSITIVE_INFINITY],
  ])
})
