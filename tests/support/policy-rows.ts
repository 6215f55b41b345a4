// Generated tenants: small enough that their rows collide often, large enough that every path of the decision is covered.
import fc from 'fast-check'
import { asTenantId } from '#db/engine/tenant'
import type { BindingRow, HolderKind, PolicyRows, PrincipalState } from '#db/store/policy'

export const TENANT = asTenantId('10000000-0000-4000-8000-000000000000')
const idOf = (kind: string, n: number): string => `${kind.repeat(8)}-0000-4000-8000-${String(n).padStart(12, '0')}`
export const USERS = [0, 1, 2, 3].map((n) => idOf('a', n))
export const SERVICES = [0, 1].map((n) => idOf('b', n))
export const GROUPS = [0, 1, 2].map((n) => idOf('c', n))
export const SCOPE_IDS = [0, 1, 2].map((n) => idOf('d', n))
export const RESOURCES = ['project', 'invoice', 'platform']
export const ACTIONS = ['read', 'write', 'delete']
/** The time of the decision: a Monday, 09:00 UTC. */
export const POLICY_NOW = Date.UTC(2026, 2, 2, 9)

/** Possible contents of the column, known and unknown, valid and invalid. */
export const CONDITIONS: readonly unknown[] = [
  null,
  {},
  { mfa_required: true },
  { mfa_required: false },
  { max_auth_age: 600 },
  { ip_ranges: ['10.0.0.0/8'] },
  { hours: { time_zone: 'UTC', windows: [{ days: ['mon'], from: '08:00', to: '10:00' }] } },
  { mfa_required: true, ip_ranges: ['10.0.0.0/8'] },
  { department: 'sales' },
  { mfa_required: 'yes' },
  { ip_ranges: [] },
  [],
]

const binding = (roleCount: number): fc.Arbitrary<Omit<BindingRow, 'id'>> =>
  fc
    .record({
      roleId: fc.nat(roleCount - 1).map((n) => idOf('e', n)),
      holder: fc.oneof(
        fc.constantFrom(...USERS).map((id) => ({ holderKind: 'user' as HolderKind, holderId: id })),
        fc.constantFrom(...SERVICES).map((id) => ({ holderKind: 'service_account' as HolderKind, holderId: id })),
        fc.constantFrom(...GROUPS).map((id) => ({ holderKind: 'group' as HolderKind, holderId: id })),
      ),
      scope: fc.option(fc.record({ scopeType: fc.constantFrom(...RESOURCES), scopeId: fc.constantFrom(...SCOPE_IDS) }), { freq: 2, nil: undefined }),
      conditions: fc.oneof({ arbitrary: fc.constant(null), weight: 4 }, { arbitrary: fc.constantFrom(...CONDITIONS), weight: 3 }),
      expiresAt: fc.constantFrom(null, null, null, new Date(POLICY_NOW - 1), new Date(POLICY_NOW), new Date(POLICY_NOW + 1)),
    })
    .map(({ roleId, holder, scope, conditions, expiresAt }) => ({
      roleId,
      ...holder,
      scopeType: scope?.scopeType ?? null,
      scopeId: scope?.scopeId ?? null,
      conditions,
      expiresAt,
    }))

const PERMISSIONS = RESOURCES.flatMap((resource, r) => ACTIONS.map((action, a) => ({ id: idOf('f', r * 10 + a), resource, action })))

const rowsWith = (roleCount: number, maxBindings: number): fc.Arbitrary<PolicyRows> =>
  fc
    .record({
      version: fc.nat(9),
      permissions: fc.subarray(PERMISSIONS, { minLength: 5 }),
      roles: fc.array(
        fc.subarray(
          PERMISSIONS.map(({ id }) => id),
          { minLength: 2 },
        ),
        { minLength: roleCount, maxLength: roleCount },
      ),
      bindings: fc.array(binding(roleCount + 1), { maxLength: maxBindings, size: 'max' }),
    })
    .map(({ version, permissions, roles, bindings }) => ({
      version,
      permissions,
      roles: roles.map((ids, n) => ({
        id: idOf('e', n),
        name: `role-${(n * 7) % roleCount}`,
        isSystem: n === 0,
        permissionIds: ids.filter((id) => permissions.some((permission) => permission.id === id)),
      })),
      bindings: bindings.map((row, n) => ({ ...row, id: idOf('9', (n * 13) % 1000) })),
    }))

/** Tenants, some of which have holders with many bindings in one scope. */
export const policyRows: fc.Arbitrary<PolicyRows> = fc.oneof({ arbitrary: rowsWith(4, 14), weight: 4 }, { arbitrary: rowsWith(24, 200), weight: 1 })

/** A known principal, an unknown one, and an inactive one. */
export const principals: fc.Arbitrary<PrincipalState | undefined> = fc.option(
  fc.oneof(
    fc.record({
      kind: fc.constant('user' as const),
      id: fc.constantFrom(...USERS, ...USERS.slice(0, 1)),
      active: fc.nat(9).map((n) => n > 0),
      groups: fc.subarray(GROUPS),
    }),
    fc.record({
      kind: fc.constant('service_account' as const),
      id: fc.constantFrom(...SERVICES),
      active: fc.nat(9).map((n) => n > 0),
      groups: fc.constant([]),
    }),
  ),
  { freq: 12, nil: undefined },
)

export type GeneratedQuestion = {
  readonly resource: string
  readonly action: string
  readonly scopeId: string | undefined
  readonly scopeType: string | undefined
}
export const questions: fc.Arbitrary<GeneratedQuestion> = fc.record({
  resource: fc.constantFrom('project', 'project', 'project', 'invoice', 'invoice', 'platform', 'unknown'),
  action: fc.constantFrom(...ACTIONS, ...ACTIONS, 'unknown'),
  scopeId: fc.option(fc.constantFrom(...SCOPE_IDS), { nil: undefined }),
  scopeType: fc.option(fc.constantFrom(...RESOURCES), { nil: undefined }),
})

/** As a caller writes it. */
export const requestedContexts = fc.record(
  {
    mfa: fc.boolean(),
    auth_time: fc.constantFrom(POLICY_NOW / 1000 - 1, POLICY_NOW / 1000 - 600, POLICY_NOW / 1000 - 601, POLICY_NOW / 1000 + 3600),
    ip: fc.constantFrom('10.1.2.3', '::ffff:10.1.2.3', '192.0.2.1', '2001:db8::1', 'no address'),
    at: fc.constantFrom('2026-03-02T09:00:00Z', '2026-03-02T10:00:00Z', '2026-03-03T09:00:00Z'),
  },
  { requiredKeys: [] },
)
