// Endpoints of scopes and API scopes, shared by the administrators' and the end users' paths.
import { forTenant } from '#db/engine/tenant'
import { json } from '#shared/platform/http/route'
import { MessageResponse } from './fields.schema.ts'
import { operation } from './operation.ts'
import { apiScopeOf, savedScopeOf, showApiScopes, showMappings, showScopeNames, showScopeNamesOf, taggedApiScope } from './scope-lists.ts'
import {
  ApiScope,
  ApiScopeChange,
  ApiScopePath,
  ApiScopeQuery,
  ApiScopes,
  MappingQuery,
  NewApiScope,
  NewScope,
  SavedScope,
  ScopeChange,
  ScopeMappings,
  ScopeNames,
  ScopePath,
  ScopeQuery,
  ScopeTenantPath,
} from './scopes.schema.ts'
import { API_SCOPES, createScope, INTERNAL_SCOPES, loadScope, removeScope, updateScope } from './scopes.ts'

export const listScopesOperation = operation({
  summary: 'Names of the tenant\u2019s scopes, newest first.',
  query: ScopeQuery,
  reply: json(200, ScopeNames),
  errors: [],
  emits: 'nothing',
  handle: ({ ctx, principal, query }) => showScopeNames(ctx, principal, query),
})

export const listScopesOfTenantOperation = operation({
  summary: 'Names of the scopes of the tenant in the path: the caller\u2019s own, or any for a platform administrator.',
  path: ScopeTenantPath,
  actsIn: 'path.tenant_id',
  query: ScopeQuery,
  reply: json(200, ScopeNames),
  errors: ['not_found'],
  emits: 'nothing',
  handle: ({ ctx, principal, path, query }) => showScopeNamesOf(ctx, principal, path.tenant_id, query),
})

export const listMappingsOperation = operation({
  summary: 'The tenant\u2019s scopes with their permissions.',
  query: MappingQuery,
  reply: json(200, ScopeMappings),
  errors: [],
  emits: 'nothing',
  handle: ({ ctx, principal, query }) => showMappings(ctx, principal, query),
})

export const createScopeOperation = operation({
  summary: 'Create a scope; the caller must hold its permissions.',
  body: NewScope,
  reply: json(201, SavedScope),
  errors: ['invalid_request', 'cannot_grant', 'scope_exists'],
  emits: ['scope.created'],
  handle: async ({ ctx, principal, body }) =>
    savedScopeOf('Scope created')(await createScope(ctx, principal, INTERNAL_SCOPES, body.scope_name, body)),
})

export const updateScopeOperation = operation({
  summary: 'Change a scope; a list of permissions, even an empty one, replaces its permissions.',
  path: ScopePath,
  body: ScopeChange,
  reply: json(200, SavedScope),
  errors: ['invalid_request', 'not_found', 'cannot_grant', 'precondition_failed'],
  emits: ['scope.updated'],
  handle: async ({ ctx, principal, path, body }) =>
    savedScopeOf('Scope updated')(await updateScope(ctx, principal, INTERNAL_SCOPES, { name: path.scope_name }, body)),
})

export const deleteScopeOperation = operation({
  summary: 'Delete a scope.',
  path: ScopePath,
  reply: json(200, MessageResponse),
  errors: ['not_found', 'cannot_grant'],
  emits: ['scope.deleted'],
  handle: ({ ctx, principal, path }) => removeScope(ctx, principal, INTERNAL_SCOPES, { name: path.scope_name }),
})

export const createApiScopeOperation = operation({
  summary: 'Create an API scope; the caller must hold its permissions.',
  body: NewApiScope,
  reply: json(200, ApiScope),
  errors: ['invalid_request', 'cannot_grant', 'scope_exists'],
  emits: ['api_scope.created'],
  handle: async ({ ctx, principal, body }) => apiScopeOf(await createScope(ctx, principal, API_SCOPES, body.name, body)),
})

export const listApiScopesOperation = operation({
  summary: 'The tenant\u2019s API scopes, newest first.',
  query: ApiScopeQuery,
  reply: json(200, ApiScopes),
  errors: [],
  emits: 'nothing',
  handle: ({ ctx, principal, query }) => showApiScopes(ctx, principal, query),
})

export const getApiScopeOperation = operation({
  summary: 'One API scope with its permissions and its ETag.',
  path: ApiScopePath,
  reply: json(200, ApiScope),
  errors: ['not_found'],
  emits: 'nothing',
  handle: async ({ ctx, principal, path }) =>
    taggedApiScope(await loadScope(forTenant(ctx.db, principal.tenantId), API_SCOPES, { id: path.scope_id })),
})

export const updateApiScopeOperation = operation({
  summary: 'Change an API scope; a list of permissions, even an empty one, replaces its permissions.',
  path: ApiScopePath,
  body: ApiScopeChange,
  reply: json(200, ApiScope),
  errors: ['invalid_request', 'not_found', 'cannot_grant', 'scope_exists', 'precondition_failed'],
  emits: ['api_scope.updated'],
  handle: async ({ ctx, principal, path, body }) => taggedApiScope(await updateScope(ctx, principal, API_SCOPES, { id: path.scope_id }, body)),
})

export const deleteApiScopeOperation = operation({
  summary: 'Delete an API scope.',
  path: ApiScopePath,
  reply: json(200, MessageResponse),
  errors: ['not_found', 'cannot_grant'],
  emits: ['api_scope.deleted'],
  handle: ({ ctx, principal, path }) => removeScope(ctx, principal, API_SCOPES, { id: path.scope_id }),
})
