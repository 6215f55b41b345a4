// All routes of the group.
import * as z from 'zod'
import { open } from '#shared/platform/http/access'
import { empty, HttpResult, html, text } from '#shared/platform/http/route'
import { ICON_SVG } from '#shared/platform/pages/icon'
import { route } from './group.ts'
import { jwksDocument } from './jwks.ts'
import { ownResourceDocument, serverDocument } from './oauth-metadata.ts'

const PUBLIC = open('Public keys are public.', { class: 'general' })
/** Short enough that verifiers drop a revoked key soon, long enough that they do not fetch the set for every token. */
const CACHE = 'public, max-age=60, stale-while-revalidate=60'

const METADATA = open('Clients need the metadata before they can authenticate.', { class: 'general' })
const METADATA_CACHE = 'public, max-age=300'
const metadata = { access: METADATA, reply: text(200, 'application/json'), cache: METADATA_CACHE, errors: [], emits: 'nothing' } as const

const CATALOGUE = open('Errors are part of the API\u2019s documentation.', { class: 'general' })
const ErrorPath = z.object({ code: z.string().max(64) })

export const wellknownRoutes = [
  route({
    ...metadata,
    id: 'wellknown.authorizationServer',
    on: 'GET /.well-known/oauth-authorization-server',
    summary: 'Metadata of the authorization server (RFC 8414).',
    handle: ({ ctx }) => serverDocument(ctx),
  }),
  route({
    ...metadata,
    id: 'wellknown.openidConfiguration',
    on: 'GET /.well-known/openid-configuration',
    summary: 'Metadata of the authorization server at the path of OpenID Connect Discovery.',
    handle: ({ ctx }) => serverDocument(ctx),
  }),
  route({
    ...metadata,
    id: 'wellknown.protectedResource',
    on: 'GET /.well-known/oauth-protected-resource',
    summary: 'Metadata of this server as a protected resource, for userinfo (RFC 9728).',
    handle: ({ ctx }) => ownResourceDocument(ctx),
  }),
  route({
    ...metadata,
    id: 'wellknown.openidConfiguration.compatible',
    on: 'GET /authsec/oauth/.well-known/openid-configuration',
    summary: 'Metadata of the protected resource, at the path of MCP clients of AuthSec.',
    handle: ({ ctx }) => serverDocument(ctx),
  }),
  route({
    ...metadata,
    id: 'wellknown.authorizationServer.compatible',
    on: 'GET /authsec/oauth/.well-known/oauth-authorization-server',
    summary: 'The same.',
    handle: ({ ctx }) => serverDocument(ctx),
  }),
  route({
    id: 'wellknown.jwks.oauth',
    on: 'GET /oauth/jwks',
    summary: 'The public keys, at the path of clients of AuthSec.',
    access: PUBLIC,
    reply: text(200, 'application/json'),
    cache: CACHE,
    errors: [],
    emits: 'nothing',
    handle: ({ ctx }) => jwksDocument(ctx),
  }),
  route({
    id: 'wellknown.jwks',
    on: 'GET /.well-known/jwks.json',
    summary: 'The public keys that verify tokens of this deployment.',
    access: PUBLIC,
    reply: text(200, 'application/json'),
    cache: CACHE,
    errors: [],
    emits: 'nothing',
    handle: ({ ctx }) => jwksDocument(ctx),
  }),
  route({
    id: 'wellknown.jwks.compatible',
    on: 'GET /authsec/.well-known/jwks.json',
    summary: 'The public keys, below the compatibility prefix.',
    access: PUBLIC,
    reply: text(200, 'application/json'),
    cache: CACHE,
    errors: [],
    emits: 'nothing',
    handle: ({ ctx }) => jwksDocument(ctx),
  }),
  route({
    id: 'wellknown.changePassword',
    on: 'GET /.well-known/change-password',
    summary: 'The page to change a password, for password managers (W3C, A Well-Known URL for Changing Passwords).',
    access: open('Leads to a page that has its own rule.', { class: 'general' }),
    reply: empty(303),
    errors: [],
    emits: 'nothing',
    handle: async () => new HttpResult(undefined, { headers: { Location: '/me/password' } }),
  }),
  route({
    id: 'wellknown.favicon',
    on: 'GET /favicon.ico',
    summary: 'The icon, for programs that ask for it here.',
    access: open('It is the same for every caller.', { class: 'general' }),
    reply: text(200, 'image/svg+xml'),
    cache: 'public, max-age=86400',
    errors: [],
    emits: 'nothing',
    handle: async () => ICON_SVG,
  }),
  route({
    id: 'wellknown.errors',
    on: 'GET /errors',
    summary: 'The catalogue of errors.',
    access: CATALOGUE,
    reply: html(200),
    cache: METADATA_CACHE,
    errors: [],
    emits: 'nothing',
    handle: async () => (await import('./errors.page.tsx')).cataloguePage(),
  }),
  route({
    id: 'wellknown.error',
    on: 'GET /errors/:code',
    summary: 'One error of the catalogue: the `type` of a problem (RFC 9457) leads here.',
    access: CATALOGUE,
    path: ErrorPath,
    reply: html(200),
    cache: METADATA_CACHE,
    errors: ['not_found'],
    emits: 'nothing',
    handle: async ({ path }) => (await import('./errors.page.tsx')).errorPage(path.code),
  }),
]
