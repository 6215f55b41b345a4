// All routes of the group.
import { open } from '#shared/platform/http/access'
import { text } from '#shared/platform/http/route'
import { route } from './group.ts'
import { jwksDocument } from './jwks.ts'
import { ownResourceDocument, serverDocument } from './oauth-metadata.ts'

const PUBLIC = open('Public keys are public.', { class: 'general' })
/** Short enough that a revoked key is forgotten soon, long enough that verifiers do not ask for every token. */
const CACHE = 'public, max-age=60, stale-while-revalidate=60'

const METADATA = open('What every client has to know.', { class: 'general' })
const METADATA_CACHE = 'public, max-age=300'
const metadata = { access: METADATA, reply: text(200, 'application/json'), cache: METADATA_CACHE, errors: [], emits: 'nothing' } as const

export const wellknownRoutes = [
  route({
    ...metadata,
    id: 'wellknown.authorizationServer',
    on: 'GET /.well-known/oauth-authorization-server',
    summary: 'What the authorization server offers, and where (RFC 8414).',
    handle: ({ ctx }) => serverDocument(ctx),
  }),
  route({
    ...metadata,
    id: 'wellknown.openidConfiguration',
    on: 'GET /.well-known/openid-configuration',
    summary: 'The same, where OpenID Connect clients look.',
    handle: ({ ctx }) => serverDocument(ctx),
  }),
  route({
    ...metadata,
    id: 'wellknown.protectedResource',
    on: 'GET /.well-known/oauth-protected-resource',
    summary: 'This server as a protected resource, for userinfo (RFC 9728).',
    handle: ({ ctx }) => ownResourceDocument(ctx),
  }),
  route({
    ...metadata,
    id: 'wellknown.openidConfiguration.compatible',
    on: 'GET /authsec/oauth/.well-known/openid-configuration',
    summary: 'The same, where MCP clients of the original look. The issuer it names is the only one there is.',
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
    summary: 'The keys, where clients of the original look for them.',
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
    summary: 'The keys that verify what this deployment signs.',
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
    summary: 'The same keys, below the compatibility prefix.',
    access: PUBLIC,
    reply: text(200, 'application/json'),
    cache: CACHE,
    errors: [],
    emits: 'nothing',
    handle: ({ ctx }) => jwksDocument(ctx),
  }),
]
