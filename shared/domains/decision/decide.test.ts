// Compares the compiled decision with a naive evaluation of the rows.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SYSTEM_TENANT } from '#db/engine/tenant'
import type { BindingRow, PolicyRows, PrincipalState } from '#db/store/policy'
import {
  type GeneratedQuestion,
  POLICY_NOW,
  policyRows,
  principals,
  questions,
  RESOURCES,
  requestedContexts,
  TENANT,
} from '#tests/support/policy-rows'
import { compilePolicy } from './compile.ts'
import { allowedIndexes, decide } from './decide.ts'
import { type ContextRequest, contextOf } from './decide-for.ts'
import { explain } from './explain.ts'
import { actionsAllowed, holdersAllowed, resourcesAllowed } from './search.ts'

const SEED = 20260302

/** Evaluates a stored condition directly, for the generated values only. */
const naiveConditionHolds = (key: string, value: unknown, context: ContextRequest): boolean => {
  switch (key) {
    case 'mfa_required':
      return value === false || (value === true && context.mfa === true)
    case 'max_auth_age':
      return typeof context.auth_time === 'number' && context.auth_time <= POLICY_NOW / 1000 && POLICY_NOW / 1000 - context.auth_time <= Number(value)
    case 'ip_ranges':
      return Array.isArray(value) && value.includes('10.0.0.0/8') && /^(::ffff:)?10\./.test(context.ip ?? '')
    case 'hours':
      return context.at === '2026-03-02T09:00:00Z'
    default:
      return false
  }
}
const naiveConditionsHold = (row: BindingRow, context: ContextRequest): boolean =>
  row.conditions === null ||
  (typeof row.conditions === 'object' &&
    !Array.isArray(row.conditions) &&
    Object.entries(row.conditions).every(([key, value]) => naiveConditionHolds(key, value, context)))

const naiveGrants = (rows: PolicyRows, row: BindingRow, principal: PrincipalState, q: GeneratedQuestion, context: ContextRequest): boolean => {
  const isCandidate =
    row.holderKind === 'group' ? principal.groups.includes(row.holderId) : row.holderKind === principal.kind && row.holderId === principal.id
  if (!isCandidate || !(row.expiresAt === null || row.expiresAt.getTime() > POLICY_NOW)) return false
  const isTenantWide = row.scopeId === null
  if (q.scopeId === undefined && !isTenantWide) return false
  if (q.scopeId !== undefined && !isTenantWide && row.scopeId !== q.scopeId) return false
  if (q.scopeType !== undefined && !isTenantWide && row.scopeType !== q.scopeType) return false
  if (!naiveConditionsHold(row, context)) return false
  const permission = rows.permissions.find(({ resource, action }) => resource === q.resource && action === q.action && resource !== 'platform')
  return permission !== undefined && rows.roles.some(({ id, permissionIds }) => id === row.roleId && permissionIds.includes(permission.id))
}
const naive = (rows: PolicyRows, principal: PrincipalState | undefined, q: GeneratedQuestion, context: ContextRequest): readonly BindingRow[] =>
  principal?.active === true ? rows.bindings.filter((row) => naiveGrants(rows, row, principal, q, context)) : []

const RUNS = Number(process.env.PROPERTY_RUNS ?? 10_000)

test('decisions, explanations and batches agree with the rules, for ten thousand tenants and four questions each', () => {
  let allowed = 0
  fc.assert(
    fc.property(
      policyRows,
      principals,
      fc.array(questions, { minLength: 4, maxLength: 4 }),
      requestedContexts,
      (rows, principal, generatedQuestions, requestedContext) => {
        const policy = compilePolicy(TENANT, rows)
        const context = contextOf(requestedContext)
        const singles: number[] = []
        for (const [at, question] of generatedQuestions.entries()) {
          const granting = naive(rows, principal, question, requestedContext)
          const decision = decide(policy, principal, question, context, POLICY_NOW)
          expect(decision.allowed).toBe(granting.length > 0)
          if (decision.binding !== undefined) expect(granting.map(({ id }) => id)).toContain(decision.binding.id)
          const why = explain(policy, principal, question, context, POLICY_NOW)
          expect(why.allowed).toBe(decision.allowed)
          expect(why.decidedBy).toBe(decision.binding)
          expect(why.missing.length > 0).toBe(!decision.allowed)
          if (decision.allowed) singles.push(at)
        }
        expect(allowedIndexes(policy, principal, generatedQuestions, context, POLICY_NOW)).toEqual(singles)
        allowed += singles.length
      },
    ),
    { seed: SEED, numRuns: RUNS },
  )
  expect(allowed).toBeGreaterThan(RUNS / 4)
}, 120_000)

test('every search agrees with single decisions', () => {
  const principalLists = fc.array(principals, { minLength: 3, maxLength: 6 })
  fc.assert(
    fc.property(policyRows, principalLists, questions, requestedContexts, (rows, all, question, requestedContext) => {
      const policy = compilePolicy(TENANT, rows)
      const context = contextOf(requestedContext)
      const present = all.filter((principal) => principal?.active === true)
      for (const kind of ['user', 'service_account'] as const) {
        const found = holdersAllowed(policy, kind, question, context, POLICY_NOW)
        for (const principal of present.filter((one) => one?.kind === kind)) {
          if (principal === undefined) continue
          const isFound = found.ids.includes(principal.id) || principal.groups.some((group) => found.groups.includes(group))
          expect(isFound).toBe(decide(policy, principal, question, context, POLICY_NOW).allowed)
        }
      }
      const [principal] = all
      const everyAction = [...new Set(rows.permissions.map(({ action }) => action))]
      expect(actionsAllowed(policy, principal, question, context, POLICY_NOW)).toEqual(
        everyAction.filter((action) => decide(policy, principal, { ...question, action }, context, POLICY_NOW).allowed).sort(),
      )
      const { resource, action } = question
      const named = [
        ...new Set(
          rows.bindings.filter((row) => row.scopeType === resource && rows.roles.some((r) => r.id === row.roleId)).map((row) => row.scopeId ?? ''),
        ),
      ]
      const resources = resourcesAllowed(policy, principal, question, context, POLICY_NOW)
      expect(resources.ids).toEqual(
        named.filter((scopeId) => decide(policy, principal, { resource, action, scopeId, scopeType: resource }, context, POLICY_NOW).allowed).sort(),
      )
      expect(resources.tenantWide).toBe(decide(policy, principal, { resource, action }, context, POLICY_NOW).allowed)
    }),
    { seed: SEED, numRuns: 2000 },
  )
}, 60_000)

test.each([
  { scopeType: 'project', scopeId: null },
  { scopeType: null, scopeId: 'dddddddd-0000-4000-8000-000000000000' },
])('a binding with an incomplete scope (%o) grants nothing', (half) => {
  const rows: PolicyRows = {
    version: 1,
    permissions: [{ id: 'p', resource: 'project', action: 'read' }],
    roles: [{ id: 'r', name: 'r', isSystem: false, permissionIds: ['p'] }],
    bindings: [{ id: 'b', roleId: 'r', holderKind: 'user', holderId: 'u', ...half, conditions: null, expiresAt: null }],
  }
  const principal = { kind: 'user', id: 'u', active: true, groups: [] } as const
  for (const scope of [{}, { scopeId: 'dddddddd-0000-4000-8000-000000000000' }, { scopeType: 'project' }])
    expect(decide(compilePolicy(TENANT, rows), principal, { resource: 'project', action: 'read', ...scope }, {}, POLICY_NOW).allowed).toBe(false)
})

test('the resource platform exists only in the system tenant', () => {
  const rows: PolicyRows = {
    version: 1,
    permissions: [{ id: 'p', resource: 'platform', action: 'read' }],
    roles: [{ id: 'r', name: 'r', isSystem: true, permissionIds: ['p'] }],
    bindings: [{ id: 'b', roleId: 'r', holderKind: 'user', holderId: 'u', scopeType: null, scopeId: null, conditions: null, expiresAt: null }],
  }
  const principal = { kind: 'user', id: 'u', active: true, groups: [] } as const
  const question = { resource: RESOURCES[2] ?? '', action: 'read' }
  expect(decide(compilePolicy(TENANT, rows), principal, question, {}, POLICY_NOW).allowed).toBe(false)
  expect(decide(compilePolicy(SYSTEM_TENANT, rows), principal, question, {}, POLICY_NOW).allowed).toBe(true)
})
