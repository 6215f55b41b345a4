// An administrator's sign-in, over the API and from the UI.

import { Challenge, FirstStep, LoginResponse, MintedToken } from '#shared/domains/sign-in/login-response'
import { createChallenge } from '#shared/domains/sign-in/replay'
import { open } from '#shared/platform/http/access'
import { json } from '#shared/platform/http/route'
import { AdminLogin, AdminPrecheck, AdminPrechecked, HybridLogin, MintBody } from './admin-login.schema.ts'
import { finishAdministratorLogin, loginAdministrator, loginFromUi, loginHybrid, precheckAdministrator } from './admin-login.ts'
import { route } from './group.ts'

const PASSWORD = open('The password is the proof.', { class: 'credential', account: 'email' })
const STATUS = open('Before authentication; discloses nothing that the sign-in page does not.', { class: 'status' })
const ERRORS = [
  'invalid_credentials',
  'request_validation_failed',
  'signature_unsupported',
  'password_reset_required',
  'temporary_password_expired',
  'quota_exceeded',
  'email_not_verified',
] as const
const SIGNS_IN = ['login.first_factor_verified', 'session.created', 'user.signed_in', 'user.locked'] as const

export const adminLoginRoutes = [
  route({
    id: 'auth.admin.challenge',
    on: 'GET /authsec/uflow/auth/admin/challenge',
    summary: 'Create a challenge for one sign-in.',
    access: STATUS,
    reply: json(200, Challenge),
    errors: [],
    emits: 'nothing',
    handle: ({ ctx }) => createChallenge(ctx),
  }),
  route({
    id: 'auth.admin.precheck',
    on: 'POST /authsec/uflow/auth/admin/login/precheck',
    summary: 'Decide between the sign-in and the sign-up page.',
    access: STATUS,
    body: AdminPrecheck,
    reply: json(200, AdminPrechecked),
    errors: [],
    emits: 'nothing',
    handle: ({ ctx, body }) => precheckAdministrator(ctx, body),
  }),
  route({
    id: 'auth.admin.login',
    on: 'POST /authsec/uflow/auth/admin/login',
    summary: 'Sign in with a password: a token, or the required factors.',
    access: PASSWORD,
    body: AdminLogin,
    reply: json(200, LoginResponse),
    errors: ERRORS,
    emits: SIGNS_IN,
    handle: ({ ctx, body }) => loginAdministrator(ctx, body),
  }),
  route({
    id: 'auth.admin.loginHybrid',
    on: 'POST /authsec/uflow/auth/admin/login-hybrid',
    summary: 'The same sign-in, for administrators of the platform and of a tenant alike.',
    access: PASSWORD,
    body: AdminLogin,
    reply: json(200, HybridLogin),
    errors: ERRORS,
    emits: SIGNS_IN,
    handle: ({ ctx, body }) => loginHybrid(ctx, body),
  }),
  route({
    id: 'login',
    on: 'POST /authsec/uflow/login',
    summary: "The UI's first step; the token comes from the last one.",
    access: PASSWORD,
    body: AdminLogin,
    reply: json(200, FirstStep),
    errors: ERRORS,
    emits: ['login.first_factor_verified', 'user.locked'],
    handle: ({ ctx, body }) => loginFromUi(ctx, body),
  }),
  route({
    id: 'login.finish',
    on: 'POST /authsec/uflow/login/webauthn-callback',
    summary: "The UI's last step: the token, against the login transaction.",
    access: open('The login transaction is the proof.', { class: 'credential', account: 'email' }),
    body: MintBody,
    reply: json(200, MintedToken),
    errors: ['mfa_verification_failed', 'quota_exceeded'],
    emits: ['session.created', 'user.signed_in'],
    handle: ({ ctx, body }) => finishAdministratorLogin(ctx, body),
  }),
]
