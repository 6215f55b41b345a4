// Endpoints of decisions. Administrators ask about any principal, others about themselves.
import { json } from '#shared/platform/http/route'
import {
  EffectivePermissions,
  OwnPermissions,
  OwnPermissionsQuery,
  OwnRights,
  PermissionAnswer,
  PermissionQuestion,
  PolicyAnswer,
  PolicyQuestion,
} from './decisions.schema.ts'
import { checkOwnPermission, checkOwnPolicy, checkPolicy, showEffectivePermissions, showOwnPermissions, showOwnRights } from './decisions.ts'
import { operation } from './operation.ts'

export const checkPolicyOperation = operation({
  summary: 'Whether a principal of the tenant may do something; a denial is a normal answer.',
  body: PolicyQuestion,
  reply: json(200, PolicyAnswer),
  errors: ['unavailable'],
  emits: 'nothing',
  handle: ({ ctx, principal, body }) => checkPolicy(ctx, principal, body),
})

export const checkOwnPolicyOperation = operation({
  summary: 'Whether the caller may do something; about another it needs admin:access and policy:check.',
  body: PolicyQuestion,
  reply: json(200, PolicyAnswer),
  errors: ['insufficient_scope', 'unavailable'],
  emits: 'nothing',
  handle: ({ ctx, principal, body }) => checkOwnPolicy(ctx, principal, body),
})

export const ownRightsOperation = operation({
  summary: 'The caller\u2019s own roles, permissions, scopes and resources.',
  reply: json(200, OwnRights),
  errors: ['unavailable'],
  emits: 'nothing',
  handle: ({ ctx, principal }) => showOwnRights(ctx, principal),
})

export const ownPermissionsOperation = operation({
  summary: 'The caller\u2019s own permissions, newest first.',
  query: OwnPermissionsQuery,
  reply: json(200, OwnPermissions),
  errors: ['unavailable'],
  emits: 'nothing',
  handle: ({ ctx, principal, query }) => showOwnPermissions(ctx, principal, query),
})

export const effectivePermissionsOperation = operation({
  summary: 'All permissions that the caller holds through their own and their groups\u2019 roles.',
  reply: json(200, EffectivePermissions),
  errors: ['unavailable'],
  emits: 'nothing',
  handle: ({ ctx, principal }) => showEffectivePermissions(ctx, principal),
})

export const ownPermissionCheckOperation = operation({
  summary: 'Whether the caller may do something in the whole tenant.',
  query: PermissionQuestion,
  reply: json(200, PermissionAnswer),
  errors: ['unavailable'],
  emits: 'nothing',
  handle: ({ ctx, principal, query }) => checkOwnPermission(ctx, principal, query),
})
