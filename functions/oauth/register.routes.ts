// Routes of clients that register themselves, and of their requests for access.

import { open } from '#shared/platform/http/access'
import { registrationError } from '#shared/platform/http/problem'
import { empty, json } from '#shared/platform/http/route'
import { route } from './group.ts'
import { AccessRequestPath, AccessRequestState, RegisterBody, RegisteredClient, RegisteredPath, UpdateBody } from './register.schema.ts'

const MANAGED = open('The registration access token is the proof (RFC 7592); it is 256 random bits.', { class: 'general' })
const METADATA_ERRORS = ['invalid_redirect_uri', 'invalid_client_metadata'] as const
/** RFC 7592 section 2.2: null and empty values count as omitted. */
const withMetadata = { emptyIsAbsent: true, render: registrationError } as const
const managed = { access: MANAGED, path: RegisteredPath, render: registrationError } as const

export const registerRoutes = [
  route({
    ...withMetadata,
    id: 'oauth.register',
    on: 'POST /oauth/register',
    summary: 'Register a client (RFC 7591), with an initial access token or, where the company allows open registration, without.',
    access: open('Open registration, where the company allows it; a registered client can do nothing before a person consents.', {
      class: 'general',
    }),
    body: RegisterBody,
    reply: json(201, RegisteredClient),
    errors: [...METADATA_ERRORS, 'invalid_target', 'invalid_token', 'unauthorized', 'registration_refused', 'quota_exceeded'],
    emits: ['client.registered'],
    handle: async ({ ctx, body }) => (await import('./register.ts')).register(ctx, body),
  }),
  route({
    ...managed,
    id: 'oauth.readClient',
    on: 'GET /oauth/register/:client_id',
    summary: "Read the client's registration (RFC 7592 section 2.1).",
    reply: json(200, RegisteredClient),
    errors: ['invalid_token', 'unauthorized'],
    emits: 'nothing',
    handle: async ({ ctx, path }) => (await import('./register.ts')).readOwnRegistration(ctx, path.client_id),
  }),
  route({
    ...managed,
    ...withMetadata,
    id: 'oauth.changeClient',
    on: 'PUT /oauth/register/:client_id',
    summary: "Update the client's registration (RFC 7592 section 2.2). New redirect URIs of a client in use wait for an administrator.",
    body: UpdateBody,
    reply: json(200, RegisteredClient),
    errors: [...METADATA_ERRORS, 'invalid_token', 'unauthorized'],
    emits: ['client.registration_changed', 'client.consents_ended'],
    handle: async ({ ctx, path, body }) => (await import('./register.ts')).updateOwnRegistration(ctx, path.client_id, body),
  }),
  route({
    ...managed,
    id: 'oauth.removeClient',
    on: 'DELETE /oauth/register/:client_id',
    summary: 'Delete the client (RFC 7592 section 2.3).',
    reply: empty(204),
    errors: ['invalid_token', 'unauthorized'],
    emits: ['client.unregistered', 'oauth.chain_ended'],
    handle: async ({ ctx, path }) => (await import('./register.ts')).deleteOwnRegistration(ctx, path.client_id),
  }),
  route({
    id: 'oauth.accessRequest',
    on: 'GET /oauth/access-requests/:id',
    summary:
      "The state of the client's request for access to a resource server: by its opaque id, or for the client with its registration access token or HTTP Basic.",
    access: open('The opaque id is the proof; with the id of the request the rule authenticates the client.', { class: 'polling' }),
    path: AccessRequestPath,
    reply: json(200, AccessRequestState),
    errors: ['not_found', 'invalid_token', 'unauthorized', 'client_authentication_failed', 'quota_exceeded'],
    emits: 'nothing',
    handle: async ({ ctx, path }) => (await import('./access-request.ts')).readAccessRequest(ctx, path.id),
  }),
]
