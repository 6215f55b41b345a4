// Admission to a resource server, and the policy for registering clients of the tenant.
import { may } from '#shared/platform/http/access'
import { problem } from '#shared/platform/http/problem'
import { empty, json } from '#shared/platform/http/route'
import { AccessPolicy, AccessPolicyChange, AccessRequests, DecidedRedirects, RedirectDecision, ScopePresets, Validation } from './admission.schema.ts'
import { changeAccessPolicy, decideRedirects, readAccessPolicy, readAccessRequests } from './admission.ts'
import { route } from './group.ts'
import { SCOPE_PRESETS } from './presets.ts'
import {
  CreatedRegistrationToken,
  NewRegistrationToken,
  RegistrationPolicy,
  RegistrationPolicyChange,
  RegistrationTokenPath,
  RegistrationTokens,
} from './registration-policy.schema.ts'
import { changeRegistrationPolicy, createToken, deleteToken, listTokens, readRegistrationPolicy } from './registration-policy.ts'
import { ServerClientPath, ServerPath } from './servers.schema.ts'

const BASE = '/authsec/resource-servers'
const reading = may('clients:read')
const writing = may('admin:access', 'clients:write')

/** Declared before the routes that have an id in this segment. */
export const presetRoutes = [
  route({
    id: 'resources.scopePresets',
    on: `GET ${BASE}/scope-presets`,
    summary: 'Preset scopes for common resource servers.',
    access: reading,
    reply: json(200, ScopePresets),
    errors: [],
    emits: 'nothing',
    handle: async () => ({ scope_presets: SCOPE_PRESETS.map((preset) => ({ ...preset, scopes: [...preset.scopes] })) }),
  }),
]

export const admissionRoutes = [
  route({
    id: 'resources.approveRedirects',
    on: `PUT ${BASE}/:id/clients/:client_id/approve-redirects`,
    summary: 'Approve or reject redirect URIs that a registered client has requested.',
    access: writing,
    path: ServerClientPath,
    body: RedirectDecision,
    reply: json(200, DecidedRedirects),
    errors: ['not_found', 'cannot_grant'],
    emits: ['client.registration_changed', 'client.consents_ended'],
    handle: ({ ctx, principal, path, body }) => decideRedirects(ctx, principal, path.id, path.client_id, body.approve),
  }),
  route({
    id: 'resources.accessPolicy',
    on: `GET ${BASE}/:id/access-policy`,
    summary: 'The role that people get with their first authorization for the resource server.',
    access: reading,
    path: ServerPath,
    reply: json(200, AccessPolicy),
    errors: ['not_found'],
    emits: 'nothing',
    handle: ({ ctx, principal, path }) => readAccessPolicy(ctx, principal, path.id),
  }),
  route({
    id: 'resources.changeAccessPolicy',
    on: `PUT ${BASE}/:id/access-policy`,
    summary: 'Set or clear that role. The caller needs every permission that the role grants.',
    access: writing,
    path: ServerPath,
    body: AccessPolicyChange,
    reply: json(200, AccessPolicy),
    errors: ['not_found', 'cannot_grant'],
    emits: ['resource_server.updated'],
    handle: ({ ctx, principal, path, body }) => changeAccessPolicy(ctx, principal, path.id, body),
  }),
  route({
    id: 'resources.validate',
    on: `POST ${BASE}/:id/validate`,
    summary: 'Check the running server: its metadata (RFC 9728), and whether it requires a token.',
    access: writing,
    path: ServerPath,
    reply: json(200, Validation),
    errors: ['not_found'],
    emits: 'nothing',
    handle: async ({ ctx, principal, path }) => (await import('./validate.ts')).validateServer(ctx, principal, path.id),
  }),
  route({
    id: 'resources.accessRequests',
    on: `GET ${BASE}/:id/access-requests`,
    summary: 'Clients that registered themselves and wait for approval. Adding one approves it; removing it rejects it.',
    access: reading,
    path: ServerPath,
    reply: json(200, AccessRequests),
    errors: ['not_found'],
    emits: 'nothing',
    handle: ({ ctx, principal, path }) => readAccessRequests(ctx, principal, path.id),
  }),
  route({
    id: 'resources.registrationPolicy',
    on: 'GET /oauth/registration-policy',
    summary: 'The policy for registering clients of the tenant without an administrator.',
    access: reading,
    reply: json(200, RegistrationPolicy),
    errors: [],
    emits: 'nothing',
    render: problem,
    handle: ({ ctx, principal }) => readRegistrationPolicy(ctx, principal),
  }),
  route({
    id: 'resources.changeRegistrationPolicy',
    on: 'PUT /oauth/registration-policy',
    summary: 'Set the registration policy.',
    access: writing,
    body: RegistrationPolicyChange,
    reply: json(200, RegistrationPolicy),
    errors: [],
    emits: ['tenant.updated'],
    render: problem,
    handle: ({ ctx, principal, body }) => changeRegistrationPolicy(ctx, principal, body),
  }),
  route({
    id: 'resources.createRegistrationToken',
    on: 'POST /oauth/registration-tokens',
    summary: 'Create an initial access token. It is disclosed only in this response.',
    access: writing,
    body: NewRegistrationToken,
    reply: json(201, CreatedRegistrationToken),
    errors: [],
    emits: ['registration_token.created'],
    render: problem,
    handle: ({ ctx, principal, body }) => createToken(ctx, principal, body),
  }),
  route({
    id: 'resources.listRegistrationTokens',
    on: 'GET /oauth/registration-tokens',
    summary: 'Valid initial access tokens, newest first.',
    access: reading,
    reply: json(200, RegistrationTokens),
    errors: [],
    emits: 'nothing',
    render: problem,
    handle: ({ ctx, principal }) => listTokens(ctx, principal),
  }),
  route({
    id: 'resources.deleteRegistrationToken',
    on: 'DELETE /oauth/registration-tokens/:id',
    summary: 'Revoke an initial access token. Clients registered with it stay.',
    access: writing,
    path: RegistrationTokenPath,
    reply: empty(204),
    errors: ['not_found'],
    emits: ['registration_token.deleted'],
    render: problem,
    handle: ({ ctx, principal, path }) => deleteToken(ctx, principal, path.id),
  }),
]
