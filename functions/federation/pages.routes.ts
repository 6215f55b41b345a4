// Routes of the hosted pages of a federated sign-in. Rules and renderers are imported on demand.
import { SignInContextQuery } from '#shared/domains/sign-in/sign-in-context.schema'
import type { ErrorCode } from '#shared/kernel/errors'
import { page } from '#shared/platform/http/access'
import { empty, htmlOrRedirect } from '#shared/platform/http/route'
import { lazyPageError } from '#shared/platform/pages/lazy-error.tsx'
import { FEDERATED_SIGN_IN_ERRORS, FEDERATED_SIGN_IN_EVENTS, FEDERATED_SIGN_UP_EVENTS } from './exchange.routes.ts'
import { route } from './group.ts'
import { AccountForm, CompanyForm, ConnectForm, FederationNoForm, StartQuery } from './pages.schema.ts'

const steps = () => import('./page-steps.ts')
const toResponse = () => import('./steps.page.tsx')

const READ = page('The ticket in the cookie of this browser is the proof of the identity.', { class: 'general' })
const CODE = page('The ticket and the mailed code are the proof.', { class: 'code' })
const asks = (form: `/${string}`) => page('The ticket determines the mailbox.', { class: 'credential' }, { form })
const SENDS: readonly ErrorCode[] = ['federation_ticket_invalid', 'email_missing', 'too_many_codes', 'quota_exceeded']
const CONFIRMS: readonly ErrorCode[] = ['federation_ticket_invalid', 'invalid_code', 'identity_taken', 'email_taken', ...FEDERATED_SIGN_IN_ERRORS]

export const federationPageRoutes = [
  route({
    id: 'federation.startOnPage',
    on: 'GET /signin/provider',
    summary: 'Redirect to a provider to sign in.',
    access: page('A sign-in starts here; the provider authenticates the person.', { class: 'status' }),
    query: StartQuery,
    reply: empty(303),
    errors: ['provider_not_enabled', 'provider_unavailable'],
    emits: 'nothing',
    render: lazyPageError,
    handle: async ({ ctx, query }) => (await import('./page-start.ts')).startPageFlow(ctx, query),
  }),
  route({
    id: 'federation.connectPage',
    on: 'GET /signin/connect',
    summary: 'The page to enter the mailed code.',
    access: READ,
    query: SignInContextQuery,
    reply: htmlOrRedirect(),
    errors: [],
    emits: 'nothing',
    render: lazyPageError,
    handle: async ({ ctx, query, principal }) => (await toResponse()).connectPage(ctx, query, principal),
  }),
  route({
    id: 'federation.connectOnPage',
    on: 'POST /signin/connect',
    summary: 'Prove the address with the mailed code, and sign in.',
    access: CODE,
    query: SignInContextQuery,
    form: ConnectForm,
    reply: empty(303),
    errors: CONFIRMS,
    emits: [...FEDERATED_SIGN_IN_EVENTS, 'user.created', 'identity.linked', 'user.email_verified', 'user.signed_out'],
    render: lazyPageError,
    handle: async ({ ctx, query, form, principal }) => (await steps()).connectAccount(ctx, query, form.otp, principal),
  }),
  route({
    id: 'federation.anotherCodeOnPage',
    on: 'POST /signin/connect/code',
    summary: 'Mail another code.',
    access: asks('/signin/connect'),
    query: SignInContextQuery,
    form: FederationNoForm,
    reply: empty(303),
    errors: SENDS,
    emits: ['federation.code_requested'],
    render: lazyPageError,
    handle: async ({ ctx, query }) => (await steps()).resendFederationCode(ctx, query),
  }),
  route({
    id: 'federation.accountsPage',
    on: 'GET /signin/accounts',
    summary: 'The page to choose an account.',
    access: READ,
    query: SignInContextQuery,
    reply: htmlOrRedirect(),
    errors: [],
    emits: 'nothing',
    render: lazyPageError,
    handle: async ({ ctx, query, principal }) => (await toResponse()).accountsPage(ctx, query, principal),
  }),
  route({
    id: 'federation.chooseOnPage',
    on: 'POST /signin/accounts',
    summary: 'Sign in to one of the accounts.',
    access: page('The ticket is the proof of the identity at the provider.', { class: 'credential' }),
    query: SignInContextQuery,
    form: AccountForm,
    reply: empty(303),
    errors: ['federation_ticket_invalid', ...FEDERATED_SIGN_IN_ERRORS],
    emits: [...FEDERATED_SIGN_IN_EVENTS, 'user.signed_out'],
    render: lazyPageError,
    handle: async ({ ctx, query, form, principal }) => (await steps()).chooseAccount(ctx, query, form.account, principal),
  }),
  route({
    id: 'federation.companyPage',
    on: 'GET /signup/provider',
    summary: 'The page to sign up a company with a federated identity.',
    access: READ,
    query: SignInContextQuery,
    reply: htmlOrRedirect(),
    errors: [],
    emits: 'nothing',
    render: lazyPageError,
    handle: async ({ ctx, query, principal }) => (await toResponse()).federatedCompanyPage(ctx, query, principal),
  }),
  route({
    id: 'federation.registerOnPage',
    on: 'POST /signup/provider',
    summary: 'Sign up a company, and sign in.',
    access: CODE,
    query: SignInContextQuery,
    form: CompanyForm,
    reply: empty(303),
    errors: [
      'tenant_domain_invalid',
      'tenant_domain_taken',
      'sign_up_closed',
      'single_tenant',
      'email_confirmation_required',
      'email_missing',
      ...CONFIRMS,
    ],
    emits: [...FEDERATED_SIGN_IN_EVENTS, ...FEDERATED_SIGN_UP_EVENTS, 'user.signed_out'],
    render: lazyPageError,
    handle: async ({ ctx, query, form, principal }) => (await steps()).registerCompany(ctx, query, form, principal),
  }),
  route({
    id: 'federation.companyCodeOnPage',
    on: 'POST /signup/provider/code',
    summary: 'Mail a code to an address that the provider has not verified.',
    access: asks('/signup/provider'),
    query: SignInContextQuery,
    form: FederationNoForm,
    reply: empty(303),
    errors: [...SENDS, 'sign_up_closed'],
    emits: ['federation.code_requested'],
    render: lazyPageError,
    handle: async ({ ctx, query }) => (await steps()).sendCompanyCode(ctx, query),
  }),
]
