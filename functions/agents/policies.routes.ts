// Routes of delegation policies on the paths of AuthSec.
import { may } from '#shared/platform/http/access'
import { authsecError } from '#shared/platform/http/problem'
import { json } from '#shared/platform/http/route'
import { route } from './group.ts'
import { CreatedPolicy, DeletedPolicy, NewAgentPolicy, PolicyChange, PolicyList, PolicyOut, PolicyPath, PolicyQuery } from './policies.schema.ts'
import { changeDelegationPolicy, createDelegationPolicy, readDelegationPolicy, removeDelegationPolicy, showDelegationPolicies } from './policies.ts'

const BASE = '/authsec/uflow/delegation-policies'
const reading = may('admin:access', 'roles:read')
const writing = may('admin:access', 'roles:write')

export const policyRoutes = [
  route({
    id: 'delegationPolicies.create',
    on: `POST ${BASE}`,
    summary: 'Limit what people with a role may delegate to agents of a type. A policy grants nothing and issues nothing.',
    access: writing,
    body: NewAgentPolicy,
    reply: json(201, CreatedPolicy),
    errors: ['not_found', 'delegation_policy_exists'],
    emits: ['delegation_policy.created'],
    render: authsecError,
    handle: ({ ctx, principal, body }) => createDelegationPolicy(ctx, principal, body),
  }),
  route({
    id: 'delegationPolicies.list',
    on: `GET ${BASE}`,
    summary: 'List the delegation policies of the tenant.',
    access: reading,
    query: PolicyQuery,
    reply: json(200, PolicyList),
    errors: [],
    emits: 'nothing',
    render: authsecError,
    handle: ({ ctx, principal, query }) => showDelegationPolicies(ctx, principal, query),
  }),
  route({
    id: 'delegationPolicies.get',
    on: `GET ${BASE}/:id`,
    summary: 'Read a delegation policy.',
    access: reading,
    path: PolicyPath,
    reply: json(200, PolicyOut),
    errors: ['not_found'],
    emits: 'nothing',
    render: authsecError,
    handle: ({ ctx, principal, path }) => readDelegationPolicy(ctx, principal, path.id),
  }),
  route({
    id: 'delegationPolicies.change',
    on: `PUT ${BASE}/:id`,
    summary: 'Change the members that the body has. Delegations under the policy end.',
    access: writing,
    path: PolicyPath,
    body: PolicyChange,
    reply: json(200, PolicyOut),
    errors: ['not_found', 'delegation_policy_exists'],
    emits: ['delegation_policy.updated'],
    render: authsecError,
    handle: ({ ctx, principal, path, body }) => changeDelegationPolicy(ctx, principal, path.id, body),
  }),
  route({
    id: 'delegationPolicies.delete',
    on: `DELETE ${BASE}/:id`,
    summary: 'Delete a delegation policy. Delegations under it end.',
    access: writing,
    path: PolicyPath,
    reply: json(200, DeletedPolicy),
    errors: ['not_found'],
    emits: ['delegation_policy.deleted'],
    render: authsecError,
    handle: ({ ctx, principal, path }) => removeDelegationPolicy(ctx, principal, path.id),
  }),
]
