// Providers, and where a sign-in through one begins.
import type { ErrorCode } from '#shared/kernel/errors'
import { open, user } from '#shared/platform/http/access'
import { json } from '#shared/platform/http/route'
import { route } from './group.ts'
import {
  AuthUrl,
  AuthUrlRequest,
  CheckedTenant,
  CheckTenantQuery,
  EnabledProviders,
  FederationInitiated,
  InitiatedAction,
  InitiateFederation,
  InitiateFor,
  LinkIdentity,
  LinkStarted,
  ProvidersQuery,
} from './initiate.schema.ts'

/** Each step of a dance is loaded when somebody takes it: a start of the function carries the declarations alone. */
const rules = () => import('./initiate.ts')

const BASE = '/authsec/uflow/oidc'
const STATUS = open('Asked before anybody is known; tells what the sign-in page shows.', { class: 'status' })
const START = open('A sign-in begins here; the provider says who it is.', { class: 'status' })
const STARTS: readonly ErrorCode[] = ['provider_not_enabled', 'provider_unavailable', 'redirect_refused']
const SIGNS_UP: readonly ErrorCode[] = ['sign_up_closed', 'single_tenant', 'tenant_domain_invalid', 'tenant_domain_taken']
/** A session as old as this may have been left open: whoever finds it must not connect a sign-in of his own. */
export const RECENT_SIGN_IN = { withinSeconds: 900 }

export const initiateRoutes = [
  route({
    id: 'federation.providers',
    on: `GET ${BASE}/providers`,
    summary: 'The providers that people may sign in with.',
    access: STATUS,
    query: ProvidersQuery,
    reply: json(200, EnabledProviders),
    errors: [],
    emits: 'nothing',
    handle: async ({ ctx, query }) => (await rules()).showEnabledProviders(ctx, query.tenant_domain),
  }),
  route({
    id: 'federation.initiate',
    on: `POST ${BASE}/initiate`,
    summary: 'Begin a sign-in or a sign-up through a provider, by the domain that is named.',
    access: START,
    body: InitiateFederation,
    reply: json(200, InitiatedAction),
    errors: [...STARTS, ...SIGNS_UP],
    emits: 'nothing',
    handle: async ({ ctx, body }) => (await rules()).initiateFederation(ctx, body),
  }),
  route({
    id: 'federation.initiateRegistration',
    on: `POST ${BASE}/register/initiate`,
    summary: 'Begin the sign-up of a company through a provider.',
    access: START,
    body: InitiateFor,
    reply: json(200, FederationInitiated),
    errors: [...STARTS, ...SIGNS_UP],
    emits: 'nothing',
    handle: async ({ ctx, body }) => (await rules()).initiateFederatedRegistration(ctx, body),
  }),
  route({
    id: 'federation.initiateLogin',
    on: `POST ${BASE}/login/initiate`,
    summary: 'Begin a sign-in to a company through a provider.',
    access: START,
    body: InitiateFor,
    reply: json(200, FederationInitiated),
    errors: [...STARTS, 'tenant_not_found'],
    emits: 'nothing',
    handle: async ({ ctx, body }) => (await rules()).initiateFederatedLogin(ctx, body),
  }),
  route({
    id: 'federation.checkTenant',
    on: `GET ${BASE}/check-tenant`,
    summary: 'Whether a domain leads to a sign-in or to a sign-up.',
    access: STATUS,
    query: CheckTenantQuery,
    reply: json(200, CheckedTenant),
    errors: ['tenant_domain_invalid'],
    emits: 'nothing',
    handle: async ({ ctx, query }) => (await rules()).checkTenant(ctx, query.domain),
  }),
  route({
    id: 'federation.authUrl',
    on: `POST ${BASE}/auth-url`,
    summary: 'Where a client of the tenant sends people to sign in at the authorization server; state and PKCE of this call alone.',
    access: START,
    body: AuthUrlRequest,
    reply: json(200, AuthUrl),
    errors: ['invalid_request', 'not_found', 'redirect_refused'],
    emits: 'nothing',
    handle: async ({ ctx, body }) => (await import('./auth-url.ts')).authUrl(ctx, body.client_id),
  }),
  route({
    id: 'federation.link',
    on: `POST ${BASE}/link`,
    summary: "Begin to connect a provider's sign-in with the caller's account.",
    access: user(RECENT_SIGN_IN),
    body: LinkIdentity,
    reply: json(200, LinkStarted),
    errors: STARTS,
    emits: 'nothing',
    handle: async ({ ctx, principal, body }) => (await rules()).startLink(ctx, principal, body),
  }),
]
