// Routes of checks on the caller's own session, at both prefixes.
import { user } from '#shared/platform/http/access'
import { json } from '#shared/platform/http/route'
import * as wire from './checks.schema.ts'
import {
  checkOAuthScope,
  checkPermission,
  checkRole,
  checkRoleOnResource,
  checkScopedPermission,
  validatePermissions,
  validateResource,
  validateScope,
  validateToken,
} from './checks.ts'
import { route } from './group.ts'

const asking = { access: user(), errors: [], emits: 'nothing' } as const
const requiring = { access: user(), errors: ['requirement_not_met'], emits: 'nothing' } as const

const validateRoutes = (side: 'admin' | 'user') => [
  route({
    ...asking,
    id: `tokens.${side}.validateToken`,
    on: `GET /authsec/authmgr/${side}/validate/token`,
    summary: 'Return that the token is valid, and the permissions of the session.',
    reply: json(200, wire.TokenValid),
    handle: ({ ctx, principal }) => validateToken(ctx, principal),
  }),
  route({
    ...requiring,
    id: `tokens.${side}.validateScope`,
    on: `GET /authsec/authmgr/${side}/validate/scope`,
    summary: 'Require a scope of the session.',
    query: wire.ScopeQuery,
    reply: json(200, wire.ScopeValid),
    handle: ({ ctx, principal, query }) => validateScope(ctx, principal, query.scope),
  }),
  route({
    ...requiring,
    id: `tokens.${side}.validateResource`,
    on: `GET /authsec/authmgr/${side}/validate/resource`,
    summary: 'Require any permission of the session on a resource.',
    query: wire.ResourceQuery,
    reply: json(200, wire.ResourceValid),
    handle: ({ ctx, principal, query }) => validateResource(ctx, principal, query.resource),
  }),
  route({
    ...requiring,
    id: `tokens.${side}.validatePermissions`,
    on: `POST /authsec/authmgr/${side}/validate/permissions`,
    summary: 'Require a permission of the session.',
    body: wire.PermissionsBody,
    reply: json(200, wire.PermissionsValid),
    handle: ({ ctx, principal, body }) => validatePermissions(ctx, principal, body),
  }),
]

const checkRoutesOf = (side: 'admin' | 'user') => [
  ...validateRoutes(side),
  route({
    ...asking,
    id: `tokens.${side}.checkPermission`,
    on: `GET /authsec/authmgr/${side}/check/permission`,
    summary: 'Whether the session has a permission for the whole tenant.',
    query: wire.PermissionQuery,
    reply: json(200, wire.PermissionChecked),
    handle: ({ ctx, principal, query }) => checkPermission(ctx, principal, query),
  }),
  route({
    ...asking,
    id: `tokens.${side}.checkRole`,
    on: `GET /authsec/authmgr/${side}/check/role`,
    summary: 'Whether the person has a role for the whole tenant.',
    query: wire.RoleQuery,
    reply: json(200, wire.RoleChecked),
    handle: ({ ctx, principal, query }) => checkRole(ctx, principal, query.role),
  }),
  route({
    ...asking,
    id: `tokens.${side}.checkRoleOnResource`,
    on: `GET /authsec/authmgr/${side}/check/role-resource`,
    summary: 'Whether the person has a role for one resource.',
    query: wire.RoleResourceQuery,
    reply: json(200, wire.RoleResourceChecked),
    handle: ({ ctx, principal, query }) => checkRoleOnResource(ctx, principal, query),
  }),
  route({
    ...asking,
    id: `tokens.${side}.checkScopedPermission`,
    on: `GET /authsec/authmgr/${side}/check/permission-scoped`,
    summary: 'Whether the session has a permission for one resource.',
    query: wire.ScopedPermissionQuery,
    reply: json(200, wire.ScopedPermissionChecked),
    handle: ({ ctx, principal, query }) => checkScopedPermission(ctx, principal, query),
  }),
  route({
    ...asking,
    id: `tokens.${side}.checkOAuthScope`,
    on: `GET /authsec/authmgr/${side}/check/oauth-scope`,
    summary: 'Whether a scope of the tenant includes a permission.',
    query: wire.OAuthScopeQuery,
    reply: json(200, wire.OAuthScopeChecked),
    handle: ({ ctx, principal, query }) => checkOAuthScope(ctx, principal, query),
  }),
]

export const checkRoutes = [...checkRoutesOf('admin'), ...checkRoutesOf('user')]
