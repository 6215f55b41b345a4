// Public routes to sign up, sign in and recover a password at a client.

import { findApplication } from '#shared/domains/clients/application'
import { ResetBody, ResetMessage, ResetVerified, UserForgotPassword, VerifyReset } from '#shared/domains/recovery/reset.schema'
import { loginEndUser } from '#shared/domains/sign-in/end-user'
import { FirstStep } from '#shared/domains/sign-in/login-response'
import { completeEndUserSignUp } from '#shared/domains/sign-up/end-user'
import type { ErrorCode } from '#shared/kernel/errors'
import { open } from '#shared/platform/http/access'
import { json } from '#shared/platform/http/route'
import { route } from './group.ts'
import { StatusAnswer, UserComplete, UserLogin, UserOidcLogin, UserRegister, UserRegistered, UserStatus } from './sign-in.schema.ts'
import { forgotUserPassword, initiateUserRegistration, loginStatus, registerUser, resetUserPassword, verifyUserResetCode } from './sign-in.ts'

const byToken = () => import('./oidc.ts')

const SIGN_UP = open('A person who signs up has no account yet.', { class: 'credential', account: 'email' })
const CODE = open('The mailed code is the proof.', { class: 'code', account: 'email' })
const PASSWORD_ERRORS: readonly ErrorCode[] = ['password_too_short', 'password_too_long', 'password_guessable', 'password_breached']

export const userLoginRoutes = [
  route({
    id: 'user.login',
    on: 'POST /authsec/uflow/user/login',
    summary: 'First step of a sign-in. The token comes from the last step.',
    access: open('The password is the proof.', { class: 'credential', account: 'email' }),
    body: UserLogin,
    reply: json(200, FirstStep),
    errors: ['invalid_credentials', 'password_reset_required', 'temporary_password_expired', 'email_not_verified'],
    emits: ['login.first_factor_verified', 'user.locked'],
    handle: ({ ctx, body }) => loginEndUser(ctx, body),
  }),
  route({
    id: 'user.oidcLogin',
    on: 'POST /authsec/uflow/user/oidc/login',
    summary: 'First step of a sign-in with an access token of the tenant’s main client. The session token comes from the last step.',
    access: open('The access token is the proof.', { class: 'credential' }),
    body: UserOidcLogin,
    reply: json(200, FirstStep),
    errors: ['invalid_token', 'invalid_credentials'],
    emits: ['login.first_factor_verified'],
    handle: async ({ ctx, body }) => (await byToken()).loginByToken(ctx, body.access_token),
  }),
  route({
    id: 'user.loginStatus',
    on: 'POST /authsec/uflow/user/login/status',
    summary: 'Whether to display the sign-in page; the same for every address.',
    access: open('Before authentication; the same for every address.', { class: 'status' }),
    body: UserStatus,
    reply: json(200, StatusAnswer),
    errors: ['invalid_client'],
    emits: 'nothing',
    handle: ({ ctx, body }) => loginStatus(ctx, body),
  }),
  route({
    id: 'user.register.initiate',
    on: 'POST /authsec/uflow/user/register/initiate',
    summary: 'Start a sign-up. A code is mailed to the address.',
    access: SIGN_UP,
    body: UserRegister,
    reply: json(200, UserRegistered),
    errors: [...PASSWORD_ERRORS, 'invalid_client', 'email_taken', 'too_many_codes', 'quota_exceeded'],
    emits: ['registration.started'],
    handle: ({ ctx, body }) => initiateUserRegistration(ctx, body),
  }),
  route({
    id: 'user.register.complete',
    on: 'POST /authsec/uflow/user/register/complete',
    summary: 'Finish a sign-up with the mailed code.',
    access: CODE,
    body: UserComplete,
    reply: json(200, UserRegistered),
    errors: ['invalid_client', 'registration_expired', 'invalid_otp', 'email_taken', 'quota_exceeded'],
    emits: ['user.created'],
    handle: async ({ ctx, body }) => {
      const { email, otp, registration_ticket: ticket } = body
      await completeEndUserSignUp(ctx, await findApplication(ctx, body.client_id), { email, otp, ticket })
      return { message: 'Your account is ready. Sign in to continue.', email: body.email }
    },
  }),
  route({
    id: 'user.register',
    on: 'POST /authsec/uflow/user/register',
    summary: 'Sign up in one step where the tenant allows that; otherwise a code is mailed to the address.',
    access: SIGN_UP,
    body: UserRegister,
    reply: json(200, UserRegistered),
    errors: [...PASSWORD_ERRORS, 'invalid_client', 'too_many_codes', 'quota_exceeded'],
    emits: ['registration.started', 'user.created'],
    handle: ({ ctx, body }) => registerUser(ctx, body),
  }),
  route({
    id: 'user.forgotPassword',
    on: 'POST /authsec/uflow/user/forgot-password',
    summary: 'Mail a code to reset the password. The answer is the same for every address.',
    access: CODE,
    body: UserForgotPassword,
    reply: json(200, ResetMessage),
    errors: ['invalid_client'],
    emits: ['user.password_reset_requested'],
    handle: ({ ctx, body }) => forgotUserPassword(ctx, body),
  }),
  route({
    id: 'user.verifyResetCode',
    on: 'POST /authsec/uflow/user/forgot-password/verify-otp',
    summary: 'Exchange the mailed code for a one-time value.',
    access: CODE,
    body: VerifyReset,
    reply: json(200, ResetVerified),
    errors: ['invalid_client', 'invalid_code'],
    emits: ['user.password_reset_verified'],
    handle: ({ ctx, body }) => verifyUserResetCode(ctx, body),
  }),
  route({
    id: 'user.resetPassword',
    on: 'POST /authsec/uflow/user/forgot-password/reset',
    summary: 'Set the new password with the one-time value or the code.',
    access: CODE,
    body: ResetBody,
    reply: json(200, ResetMessage),
    errors: [...PASSWORD_ERRORS, 'invalid_client', 'invalid_code', 'reset_code_missing'],
    emits: ['user.password_reset_verified', 'user.password_reset', 'factors.reset'],
    handle: ({ ctx, body }) => resetUserPassword(ctx, body),
  }),
]
