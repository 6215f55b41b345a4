// Routes of the trust domain in AuthSec's identity plane.
import { may, open } from '#shared/platform/http/access'
import { planeError } from '#shared/platform/http/problem'
import { json, text } from '#shared/platform/http/route'
import { route } from './group.ts'
import { CaBundle, CaBundlePath, JwtBundleQuery, PlaneHealth, Provisioned, ProvisionPath, ProvisionRequest } from './plane-trust.schema.ts'
import { provisionTrustDomain, readCaBundle } from './plane-trust.ts'
import { publishedDocument } from './publication.ts'

const managing = may('admin:access', 'spire:manage')
const publicKeys = open('Public keys, which verifiers fetch without credentials.', { class: 'general' })
const render = planeError

export const planeTrustRoutes = [
  route({
    id: 'spiresvc.health',
    on: 'GET /authsec/spiresvc/health',
    summary: 'Whether the identity plane runs.',
    access: open('Load balancers have no credentials; the answer is constant.', { class: 'general' }),
    reply: json(200, PlaneHealth),
    errors: [],
    emits: 'nothing',
    render,
    handle: async () => ({ status: 'healthy' as const, service: 'spiresvc' }),
  }),
  route({
    id: 'spiresvc.provision',
    on: 'POST /authsec/spiresvc/admin/pki/provision',
    summary: 'Create the organisation\u2019s trust domain and its keys. Repeating it changes nothing.',
    access: managing,
    body: ProvisionRequest,
    reply: json(200, Provisioned),
    errors: [],
    emits: ['trust_domain.created', 'workload_key.created'],
    render,
    handle: ({ ctx, principal }) => provisionTrustDomain(ctx, principal),
  }),
  route({
    id: 'spiresvc.provisionTenant',
    on: 'POST /authsec/spiresvc/admin/pki/provision/:tenant_id',
    summary: 'As without the id, which must be the caller\u2019s organisation.',
    access: managing,
    path: ProvisionPath,
    body: ProvisionRequest,
    reply: json(200, Provisioned),
    errors: [],
    emits: ['trust_domain.created', 'workload_key.created'],
    render,
    handle: ({ ctx, principal }) => provisionTrustDomain(ctx, principal),
  }),
  route({
    id: 'spiresvc.bundle',
    on: 'GET /authsec/spiresvc/bundle/:tenant',
    summary: 'The certificate authorities of an organisation\u2019s trust domain.',
    access: publicKeys,
    path: CaBundlePath,
    reply: json(200, CaBundle),
    cache: 'public, max-age=60',
    errors: ['not_found'],
    emits: 'nothing',
    render,
    handle: ({ ctx, path }) => readCaBundle(ctx, path.tenant),
  }),
  route({
    id: 'spiresvc.jwtBundle',
    on: 'GET /authsec/spiresvc/v1/jwt/bundle',
    summary: 'The RS256 keys of an organisation\u2019s JWT-SVIDs, by thumbprint.',
    access: publicKeys,
    query: JwtBundleQuery,
    reply: text(200, 'application/json'),
    cache: 'public, max-age=60',
    errors: ['not_found'],
    emits: 'nothing',
    render,
    handle: ({ ctx, query }) => publishedDocument(ctx, query.tenant_id, 'rs256'),
  }),
]
