// The same company in other engines, each set up as its documentation describes.
import { createMongoAbility, type MongoAbility, type RawRuleOf } from '@casl/ability'
import cedar from '@cedar-policy/cedar-wasm/nodejs'
import { AccessControl, type IGrantsList } from 'accesscontrol'
import { newEnforcer, newModelFromString } from 'casbin'
import { allRoles, type BenchQuestion, grantsOfRole, people, rolesOf, wideBindings } from './decision-company.ts'

export type Peer = {
  readonly name: string /** Decisions in one measured operation. */
  readonly per: number
  readonly decide: (asked: BenchQuestion) => boolean | Promise<boolean>
}

type Rule = RawRuleOf<MongoAbility>
const rulesOf = (asked: BenchQuestion): Rule[] =>
  rolesOf(asked.principal).flatMap((role) => grantsOfRole(role).map(({ resource, action }) => ({ action, subject: resource })))

const caslPerRequest: Peer = {
  name: 'casl, an ability per request',
  per: 100,
  decide: (asked) => createMongoAbility(rulesOf(asked)).can(asked.question.action, asked.question.resource),
}

const caslKept = (): Peer => {
  const kept = new Map<string, MongoAbility>()
  return {
    name: 'casl, the ability kept per person',
    per: 1000,
    decide: (asked) => {
      const known = kept.get(asked.principal.id) ?? createMongoAbility(rulesOf(asked))
      kept.set(asked.principal.id, known)
      return known.can(asked.question.action, asked.question.resource)
    },
  }
}

const accessControl = (): Peer => {
  const grants: IGrantsList = allRoles.flatMap(({ id }) =>
    grantsOfRole(id).map(({ resource, action }) => ({ role: id, resource, action, attributes: ['*'] })),
  )
  const control = new AccessControl(grants)
  return {
    name: 'accesscontrol',
    per: 100,
    decide: ({ principal, question }) => {
      const held = [...rolesOf(principal)]
      return held.length > 0 && control.can(held).action(question.action, question.resource).granted
    },
  }
}

const MODEL = `
[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act
`
const casbin = async (): Promise<Peer> => {
  const enforcer = await newEnforcer(newModelFromString(MODEL))
  await enforcer.addPolicies(allRoles.flatMap(({ id }) => grantsOfRole(id).map(({ resource, action }) => [id, resource, action])))
  const ties = new Map(wideBindings.map((row) => [`${row.holderId} ${row.roleId}`, [row.holderId, row.roleId]]))
  for (const { id, groups } of people.slice(0, 20_000)) for (const group of groups) ties.set(`${id} ${group}`, [id, group])
  await enforcer.addGroupingPolicies([...ties.values()])
  return { name: 'casbin', per: 1, decide: ({ principal, question }) => enforcer.enforce(principal.id, question.resource, question.action) }
}

const cedarWasm = (): Peer => {
  const policies = Object.fromEntries(
    allRoles.flatMap(({ id }) =>
      grantsOfRole(id).map(({ resource, action }, n) => [
        `${id}-${n}`,
        `permit(principal in Role::"${id}", action == Action::"${action}", resource == Resource::"${resource}");`,
      ]),
    ),
  )
  const answer = cedar.preparsePolicySet('company', { staticPolicies: policies })
  if (answer.type !== 'success') throw new Error(JSON.stringify(answer))
  return {
    name: 'cedar-wasm, policies parsed once',
    per: 1,
    decide: ({ principal, question }) => {
      const held = rolesOf(principal).map((id) => ({ type: 'Role', id }))
      const response = cedar.statefulIsAuthorized({
        principal: { type: 'User', id: principal.id },
        action: { type: 'Action', id: question.action },
        resource: { type: 'Resource', id: question.resource },
        context: {},
        preparsedPolicySetId: 'company',
        entities: [{ uid: { type: 'User', id: principal.id }, attrs: {}, parents: held }],
      })
      if (response.type !== 'success') throw new Error(JSON.stringify(response))
      return response.response.decision === 'allow'
    },
  }
}

export const peers = async (): Promise<readonly Peer[]> => [caslKept(), caslPerRequest, accessControl(), cedarWasm(), await casbin()]
