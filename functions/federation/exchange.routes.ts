// Routes that finish a sign-in through a provider: a session, a required factor, a choice of account, a confirmation, or a new company.
import type { ErrorCode } from '#shared/kernel/errors'
import { open, user } from '#shared/platform/http/access'
import { problem } from '#shared/platform/http/problem'
import { HttpResult, json } from '#shared/platform/http/route'
import {
  AcceptLink,
  ChooseAccount,
  CompletedFederated,
  CompleteFederated,
  ConfirmJoin,
  ConfirmLink,
  ExchangeCode,
  Exchanged,
  FederationCodeSent,
  JoinCodeRequest,
  LinkCodeRequest,
  LinkedIdentity,
  RegistrationCodeRequest,
} from './exchange.schema.ts'
import { route } from './group.ts'
import { expiredProofCookie } from './held-proof.ts'
import { RECENT_SIGN_IN } from './initiate.routes.ts'

// Each step of the flow is imported on demand.
const [exchange, discover, link, register, join, outcome] = [
  () => import('./exchange.ts'),
  () => import('./discover.ts'),
  () => import('./link.ts'),
  () => import('./register.ts'),
  () => import('./join.ts'),
  () => import('./outcome.ts'),
]

export const FEDERATED_SIGN_IN_EVENTS = ['login.first_factor_verified', 'session.created', 'user.signed_in', 'identity.used_first'] as const
export const FEDERATED_SIGN_UP_EVENTS = ['tenant.created', 'user.created', 'client.created', 'identity.linked'] as const
export const FEDERATED_SIGN_IN_ERRORS: readonly ErrorCode[] = ['federation_no_account', 'invalid_credentials', 'email_not_verified', 'quota_exceeded']
const TICKET = open('The ticket is the proof of the identity at the provider.', { class: 'credential' })
const CODE = open('The ticket and the mailed code are the proof.', { class: 'code', account: 'link_ticket' })
const SENDS: readonly ErrorCode[] = ['federation_ticket_invalid', 'email_missing', 'too_many_codes', 'quota_exceeded']

export const exchangeRoutes = [
  route({
    id: 'federation.exchangeCode',
    on: 'POST /authsec/uflow/oidc/exchange-code',
    summary: 'Redeem the response of a provider.',
    access: open('The code, the state and the cookie of the browser that started are the proof.', { class: 'credential' }),
    body: ExchangeCode,
    reply: json(200, Exchanged),
    errors: [
      'federation_failed',
      'federation_not_here',
      'federation_unknown',
      'link_confirmation_required',
      'email_confirmation_required',
      'email_missing',
      'identity_taken',
      'authentication_required',
      'invalid_token',
      'sign_up_closed',
      'single_tenant',
      'tenant_domain_taken',
      'email_taken',
      ...FEDERATED_SIGN_IN_ERRORS,
    ],
    emits: [...FEDERATED_SIGN_IN_EVENTS, ...FEDERATED_SIGN_UP_EVENTS],
    handle: async ({ ctx, body }) => (await outcome()).toFederationResult(ctx, await (await exchange()).redeemExchangeCode(ctx, body)),
  }),
  route({
    id: 'federation.completeRegistration',
    on: 'POST /authsec/uflow/oidc/complete-registration',
    summary: 'Sign up a company with an identity from a provider.',
    access: TICKET,
    body: CompleteFederated,
    reply: json(200, CompletedFederated),
    errors: [
      'federation_ticket_invalid',
      'tenant_domain_invalid',
      'tenant_domain_taken',
      'sign_up_closed',
      'single_tenant',
      'email_confirmation_required',
      'email_missing',
      'invalid_code',
      'quota_exceeded',
    ],
    emits: FEDERATED_SIGN_UP_EVENTS,
    handle: async ({ ctx, body }) => (await register()).completeRegistration(ctx, body),
  }),
  route({
    id: 'federation.askRegistrationCode',
    on: 'POST /federation/registrations/code',
    summary: 'Mail a code to an address that the provider has not verified.',
    access: TICKET,
    body: RegistrationCodeRequest,
    reply: json(202, FederationCodeSent),
    errors: [...SENDS, 'sign_up_closed'],
    emits: ['federation.code_requested'],
    render: problem,
    handle: async ({ ctx, body }) => (await register()).sendRegistrationCode(ctx, body.registration_ticket),
  }),
  route({
    id: 'federation.chooseAccount',
    on: 'POST /federation/accounts/choose',
    summary: 'Sign in to one of the accounts of an identity.',
    access: TICKET,
    body: ChooseAccount,
    reply: json(200, Exchanged),
    errors: ['federation_ticket_invalid', ...FEDERATED_SIGN_IN_ERRORS],
    emits: FEDERATED_SIGN_IN_EVENTS,
    render: problem,
    handle: async ({ ctx, body }) => {
      const answered = (await outcome()).toEnteredResult(await (await discover()).enterChosenAccount(ctx, body.choice_ticket, body.tenant_id))
      return new HttpResult(answered.result, { cookies: [...answered.cookies, expiredProofCookie(ctx)] })
    },
  }),
  route({
    id: 'federation.askLinkCode',
    on: 'POST /federation/links/code',
    summary: 'Mail a code to the account that the identity may be connected with.',
    access: TICKET,
    body: LinkCodeRequest,
    reply: json(202, FederationCodeSent),
    errors: SENDS,
    emits: ['federation.code_requested'],
    render: problem,
    handle: async ({ ctx, body }) => (await link()).sendLinkCode(ctx, body.link_ticket),
  }),
  route({
    id: 'federation.confirmLink',
    on: 'POST /federation/links/confirm',
    summary: 'Connect an identity with the mailed code, and sign in.',
    access: CODE,
    body: ConfirmLink,
    reply: json(200, Exchanged),
    errors: ['federation_ticket_invalid', 'invalid_code', 'identity_taken', ...FEDERATED_SIGN_IN_ERRORS],
    emits: [...FEDERATED_SIGN_IN_EVENTS, 'identity.linked', 'user.email_verified'],
    render: problem,
    handle: async ({ ctx, body }) => (await outcome()).toEnteredResult(await (await link()).confirmLink(ctx, body)),
  }),
  route({
    id: 'federation.askJoinCode',
    on: 'POST /federation/joins/code',
    summary: 'Mail a code to the address that gets an account.',
    access: TICKET,
    body: JoinCodeRequest,
    reply: json(202, FederationCodeSent),
    errors: SENDS,
    emits: ['federation.code_requested'],
    render: problem,
    handle: async ({ ctx, body }) => (await join()).sendJoinCode(ctx, body.join_ticket),
  }),
  route({
    id: 'federation.confirmJoin',
    on: 'POST /federation/joins/confirm',
    summary: 'Prove the address with the mailed code, create the account, and sign in.',
    access: open('The ticket and the mailed code are the proof.', { class: 'code', account: 'join_ticket' }),
    body: ConfirmJoin,
    reply: json(200, Exchanged),
    errors: ['federation_ticket_invalid', 'invalid_code', 'identity_taken', 'email_taken', ...FEDERATED_SIGN_IN_ERRORS],
    emits: [...FEDERATED_SIGN_IN_EVENTS, 'user.created', 'identity.linked'],
    render: problem,
    handle: async ({ ctx, body }) => (await outcome()).toEnteredResult(await (await join()).confirmJoin(ctx, body)),
  }),
  route({
    id: 'federation.acceptLink',
    on: 'POST /federation/links/accept',
    summary: 'Connect an identity with the account of the caller.',
    access: user(RECENT_SIGN_IN),
    body: AcceptLink,
    reply: json(200, LinkedIdentity),
    errors: ['federation_ticket_invalid', 'identity_taken', 'federation_no_account'],
    emits: ['identity.linked'],
    render: problem,
    handle: async ({ ctx, principal, body }) => (await link()).acceptLink(ctx, principal, body.link_ticket),
  }),
]
