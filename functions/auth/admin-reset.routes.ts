// An administrator forgot the password.

import { ForgotPassword, ResetBody, ResetMessage, ResetVerified, VerifyReset } from '#shared/domains/recovery/reset.schema'
import { open } from '#shared/platform/http/access'
import { json } from '#shared/platform/http/route'
import { route } from './group.ts'

const FORGOT = open('A person who forgot the password cannot sign in.', { class: 'code', account: 'email' })

export const adminResetRoutes = [
  route({
    id: 'auth.admin.forgotPassword',
    on: 'POST /authsec/uflow/auth/admin/forgot-password',
    summary: 'Mail a code to reset the password. The answer is the same for every address.',
    access: FORGOT,
    body: ForgotPassword,
    reply: json(200, ResetMessage),
    errors: [],
    emits: ['user.password_reset_requested'],
    handle: async ({ ctx, body }) => (await import('./admin-reset.ts')).forgotPassword(ctx, body),
  }),
  route({
    id: 'auth.admin.verifyResetCode',
    on: 'POST /authsec/uflow/auth/admin/forgot-password/verify-otp',
    summary: 'Exchange the mailed code for a one-time value.',
    access: FORGOT,
    body: VerifyReset,
    reply: json(200, ResetVerified),
    errors: ['invalid_otp'],
    emits: ['user.password_reset_verified'],
    handle: async ({ ctx, body }) => (await import('./admin-reset.ts')).verifyCode(ctx, body),
  }),
  route({
    id: 'auth.admin.resetPassword',
    on: 'POST /authsec/uflow/auth/admin/forgot-password/reset',
    summary: 'Set the new password, with the one-time value or the code.',
    access: FORGOT,
    body: ResetBody,
    reply: json(200, ResetMessage),
    errors: ['reset_not_verified', 'invalid_otp', 'password_too_short', 'password_too_long', 'password_guessable', 'password_breached'],
    emits: ['user.password_reset_verified', 'user.password_reset', 'factors.reset'],
    handle: async ({ ctx, body }) => (await import('./admin-reset.ts')).reset(ctx, body),
  }),
]
