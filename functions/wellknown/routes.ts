// All routes of the group.
import { open } from '#shared/platform/http/access'
import { text } from '#shared/platform/http/route'
import { route } from './group.ts'
import { jwksDocument } from './jwks.ts'
import { ownResourceDocument, serverDocument } from './oauth-metadata.ts'

const PUBLIC = open('Public keys are public.', { class: 'general' })
/** Short enough that verifiers drop a revoked key soon, long enough that they do not fetch the set for every token. */
const CACHE = 'public, max-age=60, stale-while-revalidate=60'

const METADATA = open('Clients need the metadata before they can authenticate.', { class: 'general' })
const METADATA_CACHE = 'public, max-age=300'
const metadata = { access: METADATA, reply: text(200, 'application/json'), cache: METADATA_CACHE, errors: [], emits: 'nothing' } as const

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
]
