// Routes of what a trust domain publishes.
import { open } from '#shared/platform/http/access'
import { text } from '#shared/platform/http/route'
import { route } from './group.ts'
import { CrlQuery, TrustDomainPath } from './publication.schema.ts'
import { publishedCrl, publishedDocument } from './publication.ts'

const publicKeys = open('Public keys, which verifiers fetch without credentials.', { class: 'general' })
const MINUTE = 'public, max-age=60'

export const publicationRoutes = [
  route({
    id: 'spiffe.bundle',
    on: 'GET /spiffe/:tenant/bundle',
    summary: 'The bundle of the organisation\u2019s trust domain (SPIFFE Trust Domain and Bundle; profile https_web).',
    access: publicKeys,
    path: TrustDomainPath,
    reply: text(200, 'application/json'),
    cache: MINUTE,
    errors: ['not_found'],
    emits: 'nothing',
    handle: ({ ctx, path }) => publishedDocument(ctx, path.tenant, 'bundle'),
  }),
  route({
    id: 'spiffe.jwks',
    on: 'GET /spiffe/:tenant/jwks',
    summary: 'The keys of the organisation\u2019s JWT-SVIDs (RFC 7517).',
    access: publicKeys,
    path: TrustDomainPath,
    reply: text(200, 'application/json'),
    cache: MINUTE,
    errors: ['not_found'],
    emits: 'nothing',
    handle: ({ ctx, path }) => publishedDocument(ctx, path.tenant, 'jwks'),
  }),
  route({
    id: 'spiffe.discovery',
    on: 'GET /spiffe/:tenant/.well-known/openid-configuration',
    summary: 'The issuer of the organisation\u2019s JWT-SVIDs, for the workload identity federation of clouds (OpenID Connect Discovery).',
    access: publicKeys,
    path: TrustDomainPath,
    reply: text(200, 'application/json'),
    cache: MINUTE,
    errors: ['not_found'],
    emits: 'nothing',
    handle: ({ ctx, path }) => publishedDocument(ctx, path.tenant, 'discovery'),
  }),
  route({
    id: 'spiffe.crl',
    on: 'GET /spiffe/:tenant/crl',
    summary: 'The revoked certificates of a certificate authority of the trust domain (RFC 5280), valid for ten minutes.',
    access: publicKeys,
    path: TrustDomainPath,
    query: CrlQuery,
    reply: text(200, 'application/pkix-crl'),
    cache: MINUTE,
    errors: ['not_found'],
    emits: 'nothing',
    handle: ({ ctx, path, query }) => publishedCrl(ctx, path.tenant, query),
  }),
]
