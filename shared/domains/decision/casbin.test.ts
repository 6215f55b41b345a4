// Compares decisions with casbin on what both can express: people, groups, roles, tenant-wide and scoped bindings.
import { newEnforcer, newModelFromString } from 'casbin'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { PolicyRows } from '#db/store/policy'
import { GROUPS, POLICY_NOW, policyRows, questions, SCOPE_IDS, TENANT, USERS } from '#tests/support/policy-rows'
import { compilePolicy } from './compile.ts'
import { decide } from './decide.ts'

/** `g` assigns people to groups and both to roles within a scope; `*` is the whole tenant. */
const MODEL = `
[request_definition]
r = sub, scope, obj, act
[policy_definition]
p = role, obj, act
[role_definition]
g = _, _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.obj == p.obj && r.act == p.act && (g(r.sub, p.role, "*") || (r.scope != "" && g(r.sub, p.role, r.scope)))
`

/** Only live, unconditional bindings of people and groups, permissions other than the platform's, and scopes without types. */
const expressible = (rows: PolicyRows): PolicyRows => ({
  ...rows,
  permissions: rows.permissions.filter(({ resource }) => resource !== 'platform'),
  bindings: rows.bindings.filter(
    (row) =>
      row.conditions === null && row.expiresAt === null && row.holderKind !== 'service_account' && rows.roles.some(({ id }) => id === row.roleId),
  ),
})

const enforcerOf = async (rows: PolicyRows, groups: readonly string[]) => {
  const enforcer = await newEnforcer(newModelFromString(MODEL))
  const nameOf = new Map(rows.permissions.map((permission) => [permission.id, permission]))
  const policies = rows.roles.flatMap(({ id, permissionIds }) =>
    permissionIds.flatMap((permissionId) => {
      const permission = nameOf.get(permissionId)
      return permission === undefined ? [] : [[id, permission.resource, permission.action]]
    }),
  )
  for (const policy of policies) await enforcer.addPolicy(...policy)
  const bindings = new Map(
    rows.bindings.map((row) => [`${row.holderId} ${row.roleId} ${row.scopeId}`, [row.holderId, row.roleId, row.scopeId ?? '*']]),
  )
  for (const binding of bindings.values()) await enforcer.addGroupingPolicy(...binding)
  for (const group of groups) for (const scope of ['*', ...SCOPE_IDS]) await enforcer.addGroupingPolicy(USERS[0] ?? '', group, scope)
  return enforcer
}

test('casbin makes the same decisions', async () => {
  let allowed = 0
  await fc.assert(
    fc.asyncProperty(
      policyRows,
      fc.subarray(GROUPS),
      fc.array(questions, { minLength: 4, maxLength: 4 }),
      async (generated, groups, generatedQuestions) => {
        const rows = expressible(generated)
        const policy = compilePolicy(TENANT, rows)
        const principal = { kind: 'user', id: USERS[0] ?? '', active: true, groups } as const
        const enforcer = await enforcerOf(rows, groups)
        for (const { resource, action, scopeId } of generatedQuestions) {
          const expected = await enforcer.enforce(principal.id, scopeId ?? '', resource, action)
          expect(decide(policy, principal, { resource, action, scopeId }, {}, POLICY_NOW).allowed).toBe(expected)
          if (expected) allowed++
        }
      },
    ),
    { seed: 20260302, numRuns: 200 },
  )
  expect(allowed).toBeGreaterThan(50)
}, 60_000)
