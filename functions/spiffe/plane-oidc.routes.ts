// Routes of the token endpoints of AuthSec's identity plane. Errors have the names of RFC 6749.
import { client, open } from '#shared/platform/http/access'
import { authorizationServerError } from '#shared/platform/http/problem'
import { json } from '#shared/platform/http/route'
import { route } from './group.ts'
import {
  JwtSvidQuery,
  PlaneDiscovery,
  PlaneIntrospection,
  PlaneJwks,
  PlaneRevoked,
  PlaneTokenForm,
  PlaneTokenRequest,
  PlaneTokenResponse,
} from './plane-oidc.schema.ts'
import {
  exchangePlaneToken,
  exchangePresentedSvid,
  introspectPlaneToken,
  issuePlaneSvid,
  planeDiscovery,
  planeJwks,
  revokePlaneToken,
} from './plane-oidc.ts'
import { PlaneHealth } from './plane-trust.schema.ts'

const metadata = open('Metadata and public keys, which clients fetch without credentials.', { class: 'general' })
const bySvid = open('The JWT-SVID of the request is the credential.', { class: 'general' })
const render = authorizationServerError

export const planeOidcRoutes = [
  route({
    id: 'spire.health',
    on: 'GET /authsec/spire/health',
    summary: 'Whether the identity plane runs.',
    access: open('Load balancers have no credentials; the answer is constant.', { class: 'general' }),
    reply: json(200, PlaneHealth),
    errors: [],
    emits: 'nothing',
    render,
    handle: async () => ({ status: 'healthy' as const, service: 'spire-headless', version: '1.0.0' }),
  }),
  route({
    id: 'spire.discovery',
    on: 'GET /authsec/spire/.well-known/openid-configuration',
    summary: 'The issuer of the identity plane\u2019s access tokens.',
    access: metadata,
    reply: json(200, PlaneDiscovery),
    cache: 'public, max-age=300',
    errors: [],
    emits: 'nothing',
    render,
    handle: ({ ctx }) => planeDiscovery(ctx),
  }),
  route({
    id: 'spire.jwks',
    on: 'GET /authsec/spire/.well-known/jwks.json',
    summary: 'The keys of the identity plane\u2019s access tokens.',
    access: metadata,
    reply: json(200, PlaneJwks),
    cache: 'public, max-age=300',
    errors: [],
    emits: 'nothing',
    render,
    handle: ({ ctx }) => planeJwks(ctx),
  }),
  route({
    id: 'spire.token',
    on: 'POST /authsec/spire/oidc/token',
    summary: 'Exchange a JWT-SVID for an access token (RFC 8693). Scopes and audience are never wider than the workload\u2019s.',
    access: bySvid,
    body: PlaneTokenRequest,
    orForm: true,
    reply: json(200, PlaneTokenResponse),
    errors: ['invalid_request', 'unsupported_grant_type', 'invalid_grant', 'invalid_target'],
    emits: ['svid.issued'],
    render,
    handle: ({ ctx, body }) => exchangePlaneToken(ctx, body),
  }),
  route({
    id: 'spire.exchangeSvid',
    on: 'POST /authsec/spire/oidc/exchange/spiffe',
    summary: 'Exchange the presented JWT-SVID for an access token.',
    access: bySvid,
    reply: json(200, PlaneTokenResponse),
    errors: ['client_authentication_failed', 'invalid_grant'],
    emits: ['svid.issued'],
    render,
    handle: ({ ctx }) => exchangePresentedSvid(ctx),
  }),
  route({
    id: 'spire.issueJwtSvid',
    on: 'POST /authsec/spire/oidc/issue/jwt-svid',
    summary: 'A JWT-SVID of another audience for the presented JWT-SVID or X.509-SVID.',
    access: bySvid,
    query: JwtSvidQuery,
    reply: json(200, PlaneTokenResponse),
    errors: ['client_authentication_failed', 'invalid_target', 'invalid_request', 'invalid_grant', 'not_found'],
    emits: ['svid.issued'],
    render,
    handle: ({ ctx, query }) => issuePlaneSvid(ctx, query.audience),
  }),
  route({
    id: 'spire.introspect',
    on: 'POST /authsec/spire/oidc/introspect',
    summary: 'Whether a JWT-SVID or an access token of the caller\u2019s organisation is valid at this moment (RFC 7662).',
    access: client(),
    form: PlaneTokenForm,
    reply: json(200, PlaneIntrospection),
    errors: [],
    emits: 'nothing',
    render,
    handle: ({ ctx, principal, form }) => introspectPlaneToken(ctx, principal, form.token),
  }),
  route({
    id: 'spire.revoke',
    on: 'POST /authsec/spire/oidc/revoke',
    summary: 'Revoke a JWT-SVID or an access token of the caller\u2019s organisation (RFC 7009).',
    access: client(),
    form: PlaneTokenForm,
    reply: json(200, PlaneRevoked),
    errors: [],
    emits: ['svid.revoked'],
    render,
    handle: ({ ctx, principal, form }) => revokePlaneToken(ctx, principal, form.token),
  }),
]
