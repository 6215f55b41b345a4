// Routes to list providers and to start a sign-in through one.
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

/** Each step of the flow is imported on demand, so that the function starts with only the declarations. */
const rules = () => import('./initiate.ts')

const BASE = '/authsec/uflow/oidc'
const STATUS = open('A sign-in page needs this before the person is known; it is public on that page.', { class: 'status' })
const START = open('A sign-in starts here; the provider authenticates the person.', { class: 'status' })
const STARTS: readonly ErrorCode[] = ['provider_not_enabled', 'provider_unavailable', 'redirect_refused']
const SIGNS_UP: readonly ErrorCode[] = ['sign_up_closed', 'single_tenant', 'tenant_domain_invalid', 'tenant_domain_taken']
/** An older session may have been left open, so another person could connect their own identity. */
export const RECENT_SIGN_IN = { withinSeconds: 900 }

export const initiateRoutes = [
  route({
    id: 'federation.providers',
    on: `GET ${BASE}/providers`,
    summary: 'List the providers that people may sign in with.',
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
    summary: 'Start a sign-in or a sign-up through a provider, depending on the domain.',
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
    summary: 'Start the sign-up of a company through a provider.',
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
    summary: 'Start a sign-in to a tenant through a provider.',
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
    summary: 'Return whether a domain leads to a sign-in or to a sign-up.',
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
    summary: 'Return an authorization request of a client, with a new state and PKCE verifier.',
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
    summary: "Start to connect a provider with the caller's account.",
    access: user(RECENT_SIGN_IN),
    body: LinkIdentity,
    reply: json(200, LinkStarted),
    errors: STARTS,
    emits: 'nothing',
    handle: async ({ ctx, principal, body }) => (await rules()).startLink(ctx, principal, body),
  }),
]
